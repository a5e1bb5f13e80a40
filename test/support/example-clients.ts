// Clients of programs in examples/ by HTTP: on connections that are kept, and on one for each request.
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { json, text } from 'node:stream/consumers'
import type { Client } from './example.js'

export interface Asked {
  readonly path?: string
  /** Sent by POST. */
  readonly body?: unknown
  /** Default: as JSON. */
  readonly read?: (response: http.IncomingMessage) => Promise<unknown>
  /** The worker in the answer; throws where the answer is not the right one. Default: its property "worker". */
  readonly worker?: (answer: unknown) => unknown
}

const workerOf = (answer: unknown): unknown => (answer as { worker: unknown }).worker

function request(client: typeof http | typeof https, options: https.RequestOptions, asked: Asked): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const body = asked.body === undefined ? undefined : JSON.stringify(asked.body)
    const sent = client.request({
      host: '127.0.0.1',
      path: asked.path ?? '/',
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      rejectUnauthorized: false,
      ...options,
    })
    sent.on('error', reject)
    sent.on('response', async (response) => {
      try {
        if (response.statusCode === 200) resolve(await (asked.read ?? json)(response))
        else reject(new Error(`${response.statusCode}: ${await text(response)}`))
      } catch (error) {
        reject(error)
      }
    })
    sent.end(body)
  })
}

const clientsOf =
  (client: typeof http | typeof https) =>
  (port: number, asked: Asked = {}): readonly (() => Client)[] => {
    const { worker = workerOf } = asked
    return [true, false].map((keepAlive) => () => {
      const agent = new client.Agent({ keepAlive })
      return {
        ask: async () => worker(await request(client, { port, agent }, asked)),
        end: () => agent.destroy(),
      }
    })
  }

export const httpClients = clientsOf(http)
export const httpsClients = clientsOf(https)

/** HTTP/2 over TLS. */
export function http2Clients(port: number): readonly (() => Client)[] {
  const open = () => {
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    session.on('error', () => {}) // its streams have it too
    return session
  }
  return [true, false].map((isKept) => () => {
    let session: http2.ClientHttp2Session | undefined
    return {
      async ask() {
        for (;;) {
          // A GOAWAY closes the session of a client for new requests.
          if (session === undefined || session.closed || session.destroyed) session = open()
          const used = session
          const stream = used.request({ ':path': '/' })
          try {
            return workerOf(await json(stream))
          } catch (error) {
            // It crossed with the GOAWAY. The server has not begun it, so any client sends it again. RFC 9113, 8.7
            if (stream.rstCode !== http2.constants.NGHTTP2_REFUSED_STREAM) throw error
            session = undefined
          } finally {
            if (!isKept) used.close()
          }
        }
      },
      end: () => session?.close(),
    }
  })
}
