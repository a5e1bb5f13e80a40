// A second listening socket of a server, which belongs to another process or thread: the server accepts from it as a
// guest. What Node does with a connection is the function `onconnection` of the server's own handle, in Node 20 to 26. It
// reads everything from the server, which it finds by its receiver. So it is called with the server's own handle, and as it
// is at that moment: another function may have taken its place.
import { AsyncLocalStorage } from 'node:async_hooks'
import net from 'node:net'
import type { ListenableServer } from './server.js'

interface Client {
  readonly fd?: number
  close(): void
}

type OnConnection = (status: number, client: Client | undefined) => void

/** The part of Node's handle of a TCP socket that a guest needs. */
export interface TcpHandle {
  readonly fd: number
  onconnection?: OnConnection
  getsockname(name: { port?: number }): number
  listen(backlog: number): number
  unref(): void
  close(): void
}

interface Internals {
  readonly _handle?: { readonly onconnection?: OnConnection } | null
}

export interface GuestOptions {
  /** That of the socket: `listen` sets it again. */
  readonly backlog: number
  /**
   * The guest ends where a connection gets this descriptor or a higher one: without a free descriptor libuv closes all that
   * wait in the queue, here that of another process.
   */
  readonly descriptors: number
  /** Called with the descriptor of each connection, before the server has it. */
  readonly accepted?: ((fd: number) => void) | undefined
  /** The guest has closed its socket by itself. */
  readonly ended?: () => void
}

const contexts = new WeakMap<ListenableServer, <T>(run: () => T) => T>()

/** The connections that a guest accepts for the server run in the async context of this call, as those of the server do. */
export function rememberContext(server: ListenableServer): void {
  contexts.set(server, AsyncLocalStorage.snapshot())
}

/** Runs `accept` in the async context of the server's connections. */
export function inContextOf<T>(server: ListenableServer, accept: () => T): T {
  const run = contexts.get(server) ?? ((now) => now())
  return run(accept)
}

/** A handle for a descriptor of a socket, which then belongs to the handle; undefined where that fails. */
export function socketHandle(fd: number): object | undefined {
  const { _createServerHandle: create } = net as {
    readonly _createServerHandle?: (address: null, port: null, type: null, fd: number) => object | number
  }
  const handle = create?.(null, null, null, fd)
  return typeof handle === 'object' ? handle : undefined
}

export class GuestListener {
  readonly server: ListenableServer
  readonly #handle: TcpHandle | undefined
  readonly #options: GuestOptions
  #accepted = 0
  #isOpen = true

  /**
   * @param handle Of a listening socket at the server's port. The result closes it.
   * @returns undefined where the server cannot accept from it; it then belongs to the caller.
   */
  static open(server: ListenableServer, handle: unknown, options: GuestOptions): GuestListener | undefined {
    if (!isServedBy(server, handle) || handle.fd >= options.descriptors) return undefined
    const guest = new GuestListener(server, handle, options)
    handle.onconnection = (status, client) => guest.#accept(status, client)
    // The server's own handle says whether the process has to go on.
    handle.unref()
    if (handle.listen(options.backlog) === 0) return guest
    handle.onconnection = () => {}
    return undefined
  }

  /** A guest that accepts nothing by itself: what the caller has accepted is given to `enter`. */
  static passive(server: ListenableServer, options: Omit<GuestOptions, 'backlog'>): GuestListener {
    return new GuestListener(server, undefined, { ...options, backlog: 0 })
  }

  private constructor(server: ListenableServer, handle: TcpHandle | undefined, options: GuestOptions) {
    this.server = server
    this.#handle = handle
    this.#options = options
  }

  /** Connections that the server got from this socket. */
  get accepted(): number {
    return this.#accepted
  }

  /** The descriptor; negative where the socket is closed or there is none. */
  get fd(): number {
    return this.#handle?.fd ?? -1
  }

  /** Accepts no more, and closes the socket. What waits in its queue stays there for those who have the socket too. */
  part(): void {
    if (this.#isOpen) this.#handle?.close()
    this.#isOpen = false
  }

  /** @param client The handle of a connection, which then belongs to the server. */
  enter(client: object): void {
    this.#accept(0, client as Client)
  }

  #accept(status: number, client: Client | undefined): void {
    const own = (this.server as Internals)._handle
    // A failure to accept from a socket that is not the server's own is not an error of the server.
    if (status !== 0 || client === undefined || typeof own?.onconnection !== 'function') {
      client?.close()
      this.#end()
      return
    }
    this.#accepted++
    const fd = client.fd ?? -1
    this.#options.accepted?.(fd)
    if (fd >= this.#options.descriptors) this.#end()
    inContextOf(this.server, () => own.onconnection?.(status, client))
  }

  #end(): void {
    if (!this.#isOpen) return
    this.part()
    this.#options.ended?.()
  }
}

/** Whether this is the handle of a socket at the server's port, and the server one of Node. */
export function isServedBy(server: ListenableServer, handle: unknown): handle is TcpHandle {
  return isTcpHandle(handle) && typeof onConnectionOf(server) === 'function' && isAtPortOf(server, handle)
}

function onConnectionOf(server: ListenableServer): unknown {
  return (server as Internals)._handle?.onconnection
}

export function isTcpHandle(handle: unknown): handle is TcpHandle {
  if (typeof handle !== 'object' || handle === null || !('fd' in handle) || typeof handle.fd !== 'number') return false
  return ['getsockname', 'listen', 'unref', 'close'].every((name) => typeof Reflect.get(handle, name) === 'function')
}

function isAtPortOf(server: ListenableServer, handle: TcpHandle): boolean {
  const name: { port?: number } = {}
  const address = server.address()
  if (typeof address !== 'object' || address === null || !('port' in address)) return false
  return handle.getsockname(name) === 0 && name.port === address.port
}
