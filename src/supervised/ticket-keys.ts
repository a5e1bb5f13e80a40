import type { ListenableServer } from '../index.js'
import type { ListeningServer } from './servers.js'

interface TlsServer {
  readonly ticketKeys?: unknown
  setTicketKeys?(keys: Buffer): void
}

/** The keys of TLS session tickets. All workers have the same keys, so that a client can resume a session in any. */
export class TicketKeys {
  #keys: Buffer
  readonly #own = new WeakSet<ListenableServer>()

  constructor(keys: string) {
    this.#keys = Buffer.from(keys, 'base64')
  }

  /** Sets the keys of a TLS server, unless the program has set keys. */
  give(server: ListenableServer): void {
    const tls = server as unknown as TlsServer
    if (typeof tls.setTicketKeys !== 'function' || tls.ticketKeys !== undefined) return
    this.#own.add(server)
    tls.setTicketKeys(this.#keys)
  }

  change(keys: string, servers: readonly ListeningServer[]): void {
    this.#keys = Buffer.from(keys, 'base64')
    for (const { server } of servers) {
      if (this.#own.has(server)) (server as unknown as TlsServer).setTicketKeys?.(this.#keys)
    }
  }
}
