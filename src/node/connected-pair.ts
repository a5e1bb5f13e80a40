import net from 'node:net'
import { type Connection, interceptConnections, peerPort } from './incoming.js'
import type { ListenableServer } from './server.js'

const LOOPBACK = '127.0.0.1'

export interface ConnectedPair {
  readonly client: net.Socket
  /** The other end, as a server gets it. It belongs to the caller. */
  readonly other: Connection
}

/**
 * Connects this process with itself, by TCP on the loopback address: a program sees an ordinary client. Strangers who connect
 * to the port, which is open for a moment, are turned away.
 *
 * @param signal Its abort destroys the client, also later.
 */
export function connectedPair(signal: AbortSignal): Promise<ConnectedPair> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    const came: Connection[] = []
    let client: net.Socket | undefined
    const fail = (error: unknown): void => {
      server.close()
      client?.destroy()
      for (const connection of came.splice(0)) connection.close()
      reject(error)
    }
    const look = (): void => {
      const own = came.findIndex((connection) => client !== undefined && peerPort(connection) === client.localPort)
      if (client === undefined || client.connecting || own < 0) return
      const [other] = came.splice(own, 1) as [Connection]
      server.close()
      for (const stranger of came.splice(0)) stranger.close()
      resolve({ client, other })
    }
    if (signal.aborted) return fail(signal.reason)
    signal.addEventListener('abort', () => fail(signal.reason), { once: true })
    server.on('error', fail)
    server.listen({ port: 0, host: LOOPBACK, exclusive: true }, () => {
      const isTaken = (connection: Connection): boolean => {
        came.push(connection)
        look()
        return true
      }
      if (interceptConnections(server as unknown as ListenableServer, isTaken, () => {}) === undefined)
        return fail(new Error('this version of Node shows no connection before its server has it'))
      const { port } = server.address() as net.AddressInfo
      client = net.connect({ port, host: LOOPBACK }, look)
      client.on('error', fail)
    })
  })
}
