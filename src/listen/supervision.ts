// What a supervisor gives to a process that it started, `reuseport run` for one: sockets that listened before, held
// while a process went and another came. It is found by a symbol of the whole process, because the program may have
// another copy of this library.
import type { BindAddress } from '../common/address.js'
import type { ListenableServer } from '../node/server.js'
import type { Configuration } from '../options/configure.js'

/** What somebody wants to listen on; equal wishes mean the same socket, in their order. */
export interface ListenWish {
  /** Null for the unspecified address. */
  readonly address: string | null
  readonly port: number
  readonly ipv6Only: boolean
  /** What else the socket is given, as text. */
  readonly options: string
}

export interface Supervision {
  /** A listening descriptor for this wish, that the taker duplicates and then lets go. */
  take(wish: ListenWish): { readonly fd: number; done(): void } | undefined
  /** The port for this wish: another one than it names for port 0, which means the same for all. */
  portFor(wish: ListenWish): number
  /** A server listens now. */
  adopted(server: ListenableServer, wish: ListenWish): void
}

const NAME = Symbol.for('reuseport.supervision')

export function supervision(): Supervision | undefined {
  return (globalThis as { [NAME]?: Supervision })[NAME]
}

/** From now on every socket that this library opens for this thread is asked of it first. */
export function setSupervision(supervision: Supervision): void {
  Object.defineProperty(globalThis, NAME, { value: supervision })
}

export function toWish(request: {
  readonly where: BindAddress | undefined
  readonly port: number
  readonly ipv6Only: boolean
  readonly configuration: Configuration
}): ListenWish {
  const { where, port, ipv6Only, configuration } = request
  const settings = configuration.settings.map(({ row, value }) => [row.name, value])
  const raw = configuration.raw.map(({ level, name, value, stage }) => [level, name, value, stage])
  const options = settings.length + raw.length === 0 ? '' : JSON.stringify([settings, raw])
  return { address: where?.address ?? null, port, ipv6Only, options }
}
