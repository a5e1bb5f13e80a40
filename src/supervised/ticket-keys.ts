import type { ListenableServer } from '../index.js'
import type { ListeningServer } from './servers.js'

interface TlsServer {
  readonly ticketKeys?: unknown
  setTicketKeys?(keys: Buffer): void
}

/** The keys of TLS session tickets: the same in all workers, so that a session resumes whichever a client reaches. */
export class TicketKeys {
  #keys: Buffer
  readonly #own = new WeakSet<ListenableServer>()

  constructor(keys: string) {
    this.#keys = Buffer.from(keys, 'base64')
  }

  /** To a TLS server whose program gives it none. */
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
