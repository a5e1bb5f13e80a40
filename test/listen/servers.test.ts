import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import { listenReusePort } from '../../src/index.js'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js'
import { ask } from '../support/clients.js'
import { closed, once, portOf } from '../support/listeners.js'
import { start } from '../support/processes.js'

const credentials = { key: PRIVATE_KEY, cert: CERTIFICATE }
const client = { ca: CERTIFICATE, servername: 'localhost' }

type Request = (port: number) => Promise<string>

function read(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    stream.setEncoding('utf8')
    stream.on('data', (part: string) => {
      text += part
    })
    stream.on('end', () => resolve(text)).on('error', reject)
  })
}

function get(module: typeof http | typeof https, options: object): Promise<string> {
  return new Promise((resolve, reject) => {
    module.get(options, (response) => resolve(read(response))).on('error', reject)
  })
}

async function getHttp2(url: string): Promise<string> {
  const session = http2.connect(url, client)
  try {
    return await read(session.request({ ':path': '/' }))
  } finally {
    session.close()
  }
}

const answering = (_request: unknown, response: { end(text: string): void }): void => response.end('answer')

const kinds: Readonly<Record<string, [() => unknown, Request]>> = {
  net: [() => net.createServer((socket) => socket.end('answer')), (port) => read(net.connect(port, '127.0.0.1'))],
  http: [() => http.createServer(answering), (port) => get(http, { port, host: '127.0.0.1', agent: false })],
  https: [
    () => https.createServer(credentials, answering),
    (port) => get(https, { port, host: '127.0.0.1', agent: false, ...client }),
  ],
  'http2 (clear)': [() => http2.createServer(answering), (port) => getHttp2(`http://127.0.0.1:${port}`)],
  'http2 (secure)': [
    () => http2.createSecureServer(credentials, answering),
    (port) => getHttp2(`https://127.0.0.1:${port}`),
  ],
  tls: [
    () => tls.createServer(credentials, (socket) => socket.end('answer')),
    (port) => read(tls.connect({ port, host: '127.0.0.1', ...client })),
  ],
}

test.each(Object.entries(kinds))(
  '%s servers answer on a shared port, each its part',
  async (_kind, [create, request]) => {
    const first = create() as net.Server
    const second = create() as net.Server
    listenReusePort(first, 0, '127.0.0.1')
    await once(first, 'listening')
    listenReusePort(second, portOf(first), '127.0.0.1')
    await once(second, 'listening')
    const taken = [first, second].map((server) => {
      const count = { connections: 0 }
      server.on('connection', () => {
        count.connections++
      })
      return count
    })
    const answers = await Promise.all(Array.from({ length: 60 }, () => request(portOf(first))))
    expect(new Set(answers)).toEqual(new Set(['answer']))
    // Which connection goes where is the kernel's: here only that none is missing and none is counted twice.
    expect(taken.reduce((sum, { connections }) => sum + connections, 0)).toBe(60)
    await Promise.all([closed(first), closed(second)])
  },
)

test('what a server was given stays in force: maxConnections, keep-alive settings, connection events', async () => {
  const server = net.createServer({ noDelay: true, keepAlive: true }, (socket) => socket.write('hello'))
  server.maxConnections = 1
  listenReusePort(server, 0, '127.0.0.1')
  await once(server, 'listening')
  const kept = net.connect(portOf(server), '127.0.0.1')
  await new Promise((resolve) => kept.once('data', resolve))
  const dropped = once(server, 'drop')
  const refused = net.connect(portOf(server), '127.0.0.1').on('error', () => {})
  expect(await dropped).toMatchObject({ localPort: portOf(server) })
  refused.destroy()
  kept.destroy()
  await closed(server)
})

test('a server can be sent to a child process, as any server of Node', async () => {
  const server = listenReusePort(net.createServer(), 0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  await using child = start('receiver.mjs')
  child.child.send('server', server)
  expect(await child.message()).toEqual({ received: true })
  await closed(server)
  expect(await ask(port)).toBe('from the child')
})
