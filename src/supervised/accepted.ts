import diagnostics from 'node:diagnostics_channel'
import type { Servers } from './servers.js'

/**
 * Counts the connections that servers of this worker get: from their own queues, as guests of others, and passed on by other
 * workers. Node publishes each on a channel, where somebody listens to that; one that `maxConnections` drops is not among them.
 */
export class AcceptedCount {
  #count = 0

  constructor(servers: Pick<Servers, 'has'>) {
    diagnostics.subscribe('net.server.socket', (message) => {
      const { socket } = message as { readonly socket?: { readonly server?: object } }
      if (socket?.server !== undefined && servers.has(socket.server)) this.#count++
    })
  }

  get count(): number {
    return this.#count
  }
}
