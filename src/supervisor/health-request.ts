// One request to a program that is asked how it is. The modules of Node are loaded by the first one.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Speaks } from './protocol.js'

/** Names the asker in the logs of the program. */
const AGENT = 'reuseport-health'
const HOST = 'localhost'

/**
 * `GET <path>` for the host `localhost`. A certificate is not looked at: it is for the names of the clients.
 *
 * @param client Connected to the server. Where it is destroyed, the promise rejects.
 * @returns the status of the response, when its head has come.
 */
export async function statusOf(client: Socket, speaks: Speaks, path: string): Promise<number> {
  if (speaks === 'http2') return await overHttp2(client, `http://${HOST}`, path)
  if (speaks !== 'tls') return await overHttp1(client, path)
  const { connect } = await import('node:tls')
  const secure = connect({ socket: client, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
  // Also when nobody waits for it any more.
  secure.on('error', () => {})
  client.once('close', () => secure.destroy(new Error('the connection was closed')))
  await once(secure, 'secureConnect')
  if (secure.alpnProtocol === 'h2') return await overHttp2(secure, `https://${HOST}`, path)
  return await overHttp1(secure, path)
}

async function overHttp1(socket: Duplex, path: string): Promise<number> {
  const { request } = await import('node:http')
  const headers = { Host: HOST, Connection: 'close', 'User-Agent': AGENT }
  return await new Promise((resolve, reject) => {
    request({ createConnection: () => socket, path, headers })
      .on('response', (response) => {
        response.on('error', () => {}).resume()
        resolve(response.statusCode ?? 0)
      })
      .on('error', reject)
      .end()
  })
}

async function overHttp2(socket: Duplex, origin: string, path: string): Promise<number> {
  const { connect } = await import('node:http2')
  const session = connect(origin, { createConnection: () => socket })
  return await new Promise((resolve, reject) => {
    session.on('error', reject)
    session
      .request({ ':path': path, ':authority': HOST, 'user-agent': AGENT })
      .on('response', (head) => resolve(Number(head[':status'])))
      .on('error', reject)
      .on('close', () => {
        session.close()
        reject(new Error('the stream was closed'))
      })
      .resume()
  })
}
