import type { ListenableServer } from '../index.js'
import type { ListenWish } from '../supervision.js'

export interface ListeningServer {
  readonly server: ListenableServer
  /** Of its socket. */
  readonly id: string
  readonly wish: ListenWish
}

/** The servers of this process that listen on a port. */
export class Servers {
  readonly #servers = new Map<ListenableServer, ListeningServer>()

  add(listening: ListeningServer): void {
    this.#servers.set(listening.server, listening)
  }

  delete(server: ListenableServer): ListeningServer | undefined {
    const listening = this.#servers.get(server)
    this.#servers.delete(server)
    return listening
  }

  /** Those that still listen. */
  listening(): readonly ListeningServer[] {
    return [...this.#servers.values()].filter(({ server }) => server.listening)
  }
}
