// How a process gets the sockets that its supervisor (`reuseport run`, for example) keeps open between the end of one
// process and the start of the next. `Supervision` is registered under a global symbol, because the program may load
// another copy of this library.
import type { BindAddress } from '../common/address.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import type { Configuration } from '../options/configure.js'

/** A request to listen, as the supervisor compares it. Sockets with equal wishes are given out in order. */
export interface ListenWish {
  /** Null where no host was given. */
  readonly address: string | null
  readonly port: number
  readonly ipv6Only: boolean
  /** The other options of the socket, as text. */
  readonly options: string
  /** Of a UDP socket. `reuseAddr` is that of `dgram.createSocket`. */
  readonly datagram?: { readonly reuseAddr: boolean } | undefined
}

export interface Supervision {
  /**
   * Asks for the socket of this server, where it has to be asked for: calls `then` when `take` can give it, or cannot.
   *
   * @returns false where `take` can be called at once; `then` is not called.
   */
  ask?(server: ListenableServer, wish: ListenWish, then: () => void): boolean
  /** The process that keeps a duplicate of every socket, and closes it when it hears that this one has. */
  readonly keeper?: number
  /**
   * A listening descriptor for this wish. The caller duplicates it, and says by `done` whether it could. Where `inode` is
   * given, a duplicate of another inode is of a descriptor that was closed in the meantime.
   */
  take(
    wish: ListenWish,
  ): { readonly fd: number; readonly inode?: number | undefined; done(isTaken: boolean): void } | undefined
  /** The duplicate is closed, and no server has had it. */
  dropped?(wish: ListenWish): void
  /** The port to bind for this wish. For port 0, a port that all workers bind for the same call. */
  portFor(wish: ListenWish): number
  /**
   * The server is about to leave its group, or (`handOver`) to leave its socket there: nobody else is to accept from it.
   *
   * @returns undefined where nobody does; resolves when nobody does, or late.
   */
  leaving?(server: ListenableServer, handOver: boolean): Promise<void> | undefined
  /** A UDP socket is bound, and open. */
  bound?(socket: BindableSocket, wish: ListenWish): void
  /** Reports that a server listens. */
  adopted(server: ListenableServer, wish: ListenWish): void
}

const NAME = Symbol.for('reuseport.supervision')

export function supervision(): Supervision | undefined {
  return (globalThis as { [NAME]?: Supervision })[NAME]
}

/** From now on, this thread asks `supervision` for a socket before the library opens one. */
export function setSupervision(supervision: Supervision): void {
  Object.defineProperty(globalThis, NAME, { value: supervision })
}

export function toWish(request: {
  readonly where: BindAddress | undefined
  readonly port: number
  readonly ipv6Only: boolean
  readonly configuration: Configuration
  readonly datagram?: ListenWish['datagram']
}): ListenWish {
  const { where, port, ipv6Only, configuration, datagram } = request
  const settings = configuration.settings.map(({ row, value }) => [row.name, value])
  const raw = configuration.raw.map(({ level, name, value, stage }) => [level, name, value, stage])
  const options = settings.length + raw.length === 0 ? '' : JSON.stringify([settings, raw])
  return { address: where?.address ?? null, port, ipv6Only, options, ...(datagram && { datagram }) }
}
