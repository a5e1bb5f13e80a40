import diagnostics from 'node:diagnostics_channel'

/**
 * Counts the connections that servers get: from their own queues, as guests of others, and passed on by other workers. Node
 * publishes each one on a channel that has a subscriber; those that `maxConnections` drops it does not.
 */
export class AcceptedCount {
  readonly #servers = new WeakSet<object>()
  #count = 0

  constructor() {
    diagnostics.subscribe('net.server.socket', (message) => {
      const { socket } = message as { readonly socket?: { readonly server?: object } }
      if (socket?.server !== undefined && this.#servers.has(socket.server)) this.#count++
    })
  }

  get count(): number {
    return this.#count
  }

  /** From now on its connections count. */
  add(server: object): void {
    this.#servers.add(server)
  }
}
