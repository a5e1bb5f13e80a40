import type { ListenableServer } from '../index.js'
import type { ListenWish } from '../listen/supervision.js'
import type { Place } from '../supervisor/protocol.js'
import { AcceptedCount } from './accepted.js'

export interface ListeningServer {
  readonly server: ListenableServer
  /** The id of the server's socket. */
  readonly id: string
  readonly wish: ListenWish
}

/** The servers of this process that listen on a port. */
export class Servers {
  readonly #servers = new Map<ListenableServer, ListeningServer>()
  /** A server that is closed stays while it has connections: those hold it. */
  #seen: readonly WeakRef<ListenableServer>[] = []

  readonly #accepted: AcceptedCount | undefined

  /** @param isCounted Whether connections are counted. */
  constructor(isCounted = false) {
    if (isCounted) this.#accepted = new AcceptedCount()
  }

  /** Connections that these servers got; undefined where they are not counted. */
  get accepted(): number | undefined {
    return this.#accepted?.count
  }

  add(listening: ListeningServer): void {
    this.#accepted?.add(listening.server)
    this.#servers.set(listening.server, listening)
    const others = this.everySeen().filter((server) => server !== listening.server)
    this.#seen = [...others, listening.server].map((server) => new WeakRef(server))
  }

  /** The servers that listen or have listened, as far as something holds them. */
  everySeen(): readonly ListenableServer[] {
    return this.#seen.flatMap((server) => server.deref() ?? [])
  }

  delete(server: ListenableServer): ListeningServer | undefined {
    const listening = this.#servers.get(server)
    this.#servers.delete(server)
    return listening
  }

  /** The servers that still listen. */
  listening(): readonly ListeningServer[] {
    return [...this.#servers.values()].filter(({ server }) => server.listening)
  }
}

/** Where a server listens; undefined where it does not listen on a port. */
export function placeOf(server: ListenableServer): Place | undefined {
  const address = server.address() as {
    readonly address: string
    readonly family: string
    readonly port: number
  } | null
  if (typeof address !== 'object' || address === null) return undefined
  return { address: address.address, port: address.port, family: address.family === 'IPv4' ? 'IPv4' : 'IPv6' }
}
