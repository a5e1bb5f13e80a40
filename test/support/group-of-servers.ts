import http from 'node:http'
import net from 'node:net'
import { listenReusePort } from '../../src/index.js'
import { once, portOf } from './listeners.js'

/** A server that says its name and ends the connection. */
export function named(name: string): net.Server {
  return net.createServer((socket) => socket.on('error', () => {}).end(name))
}

/** Starts these servers on one port, in their order; gives the port. */
export async function share(servers: readonly net.Server[], host = '127.0.0.1', port = 0): Promise<number> {
  let shared = port
  for (const server of servers) {
    listenReusePort(server, shared, host)
    await once(server, 'listening')
    shared = portOf(server)
  }
  return shared
}

/** What a client hears until the server ends, or the code of the error. */
export function hear(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    net
      .connect(port, host)
      .on('data', (data) => {
        said += String(data)
      })
      .on('end', () => resolve(said))
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  })
}

/** How often each answer came, of so many connections one after the other. */
export async function hearMany(port: number, times: number, host = '127.0.0.1'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let turn = 0; turn < times; turn++) {
    const answer = await hear(port, host)
    counts[answer] = (counts[answer] ?? 0) + 1
  }
  return counts
}

/** A request on a connection of the agent's; its headers and body. */
export function request(agent: http.Agent, port: number): Promise<{ connection: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    http
      .get({ agent, port, host: '127.0.0.1' }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('end', () => resolve({ connection: response.headers.connection, body }))
      })
      .on('error', reject)
  })
}
