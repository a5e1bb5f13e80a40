// WebSockets and event streams of a server that is drained: their clients see an orderly end.
import { createHash } from 'node:crypto'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { drain } from '../../src/index.js'
import { CERTIFICATE as cert, PRIVATE_KEY as key } from '../support/certificate.js'
import { share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'

const opened: net.Server[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

async function started(server: net.Server): Promise<number> {
  opened.push(server)
  return share([server])
}

/** The times are far apart: what ends in its time ends long before `connectionTimeout`. */
const TIMES = { grace: 0, websocketTimeout: 200, connectionTimeout: 20_000 } as const
const CLEAN = { lossless: true, connectionsDestroyed: 0, connectionsLeft: 0 } as const

interface Ended {
  readonly code: number
  readonly messages: readonly number[]
}

/** A client that has connected, and how it will have ended. */
async function client(url: string, options: object = {}): Promise<{ socket: WebSocket; ended: Promise<Ended> }> {
  const socket = new WebSocket(url, { rejectUnauthorized: false, ...options })
  const messages: number[] = []
  socket.on('message', (data: Buffer) => messages.push(data.length))
  const ended = new Promise<Ended>((resolve) => socket.on('close', (code) => resolve({ code, messages })))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  return { socket, ended }
}

const SCHEMES = {
  ws: () => http.createServer(),
  wss: () => https.createServer({ key, cert }),
} as const

describe.each(['ws', 'wss'] as const)('the package ws, %s', (scheme) => {
  async function echo(options: object = {}): Promise<{ server: net.Server; wss: WebSocketServer; url: string }> {
    const server = SCHEMES[scheme]()
    const wss = new WebSocketServer({ server, ...options })
    wss.on('connection', (socket) => socket.on('message', (data) => socket.send(data)).on('error', () => {}))
    return { server, wss, url: `${scheme}://127.0.0.1:${await started(server)}` }
  }

  test('each client sees 1001, one after the other', async () => {
    const { server, url } = await echo()
    const clients = await Promise.all(Array.from({ length: 6 }, () => client(url)))
    const left = (): number => clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length
    const draining = drain(server, { ...TIMES, websocketTimeout: 3000 })
    await Promise.race(clients.map(({ ended }) => ended))
    expect(left()).toBeGreaterThan(0)
    expect(await draining).toMatchObject({ ...CLEAN, connectionsClosed: 6 })
    expect(await Promise.all(clients.map(async ({ ended }) => (await ended).code))).toEqual(Array(6).fill(1001))
  })

  test('one that is opened during the drain, too', async () => {
    const { server, url } = await echo()
    const draining = drain(server, { ...TIMES, grace: 500 })
    const { ended } = await client(url)
    expect(await draining).toMatchObject(CLEAN)
    expect((await ended).code).toBe(1001)
  })

  test('what was sent comes before: compressed, in parts, to a client that does not read', async () => {
    const { server, wss, url } = await echo({ perMessageDeflate: { threshold: 0 } })
    const { socket, ended } = await client(url, { perMessageDeflate: true })
    const [of] = wss.clients
    socket.pause()
    const size = 3_000_000
    for (let turn = 0; turn < 5; turn++) of?.send(Buffer.alloc(size, Math.random().toString()))
    of?.send(Buffer.from('begun'), { fin: false, compress: false })
    const draining = drain(server, TIMES)
    await pause(500)
    socket.resume()
    expect(await draining).toMatchObject(CLEAN)
    expect(await ended).toEqual({ code: 1001, messages: Array(5).fill(size) })
  })

  test('what the program says is said', async () => {
    const { server, wss, url } = await echo()
    const { ended } = await client(url)
    const draining = drain(server, TIMES)
    for (const socket of wss.clients) socket.close(1012)
    expect(await draining).toMatchObject(CLEAN)
    expect((await ended).code).toBe(1012)
  })

  test('a client that does not answer is destroyed at connectionTimeout', async () => {
    const { server, url } = await echo()
    const { socket, ended } = await client(url)
    socket.pause()
    const report = await drain(server, { grace: 0, websocketTimeout: 0, connectionTimeout: 300 })
    expect(report).toMatchObject({ lossless: false, connectionsDestroyed: 1, connectionsLeft: 0 })
    socket.terminate()
    await ended
  })
})

const builtIn = (globalThis as { WebSocket?: new (url: string) => EventTarget }).WebSocket

// Node has a WebSocket from version 22 on.
test.skipIf(builtIn === undefined)('Node’s own client sees 1001, and that it was clean', async () => {
  const server = http.createServer()
  new WebSocketServer({ server })
  const socket = new (builtIn as NonNullable<typeof builtIn>)(`ws://127.0.0.1:${await started(server)}`)
  const ended = new Promise((resolve) => socket.addEventListener('close', resolve))
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  expect(await drain(server, TIMES)).toMatchObject(CLEAN)
  expect(await ended).toMatchObject({ code: 1001, wasClean: true })
})

/** A program that writes frames itself. */
function byHand(server: http.Server, onSocket: (socket: Duplex) => void): void {
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    )
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n')
    socket.write(`Sec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`)
    onSocket(socket.resume())
  })
}

describe.each(['ws', 'wss'] as const)('a program that writes frames itself, %s', (scheme) => {
  async function start(): Promise<{ server: net.Server; socket: () => Duplex; url: string }> {
    const server = SCHEMES[scheme]()
    let own: Duplex | undefined
    byHand(server as http.Server, (socket) => {
      own = socket
    })
    return { server, socket: () => own as Duplex, url: `${scheme}://127.0.0.1:${await started(server)}` }
  }

  test('a frame of which a part is written is not cut into', async () => {
    const { server, socket, url } = await start()
    const { ended } = await client(url)
    socket().write(Buffer.from([0x82, 126, 1]))
    const draining = drain(server, { ...TIMES, websocketTimeout: 0 })
    for (const part of [Buffer.from([44]), Buffer.alloc(200), Buffer.alloc(100)]) {
      await pause(60)
      socket().write(part)
    }
    // The program does not know of the end, and goes on.
    socket().write('late')
    socket().end('later')
    expect(await draining).toMatchObject(CLEAN)
    expect(await ended).toEqual({ code: 1001, messages: [300] })
  })

  test('one that never ends its frame is destroyed, without a Close frame', async () => {
    const { server, socket, url } = await start()
    const { ended } = await client(url)
    socket().write(Buffer.from([0x82, 3, 1]))
    const report = await drain(server, { grace: 0, websocketTimeout: 0, connectionTimeout: 200 })
    expect(report).toMatchObject({ lossless: false, connectionsDestroyed: 1 })
    expect((await ended).code).toBe(1006)
  })

  test('one that has said its own end is left to it', async () => {
    const { server, socket, url } = await start()
    const { ended } = await client(url)
    socket().write(Buffer.from([0x88, 2, 0x03, 0xf4]))
    const draining = drain(server, { ...TIMES, websocketTimeout: 0 })
    // The client's answer to it.
    await new Promise((resolve) => socket().once('data', resolve))
    await pause(60)
    socket().end()
    expect(await draining).toMatchObject(CLEAN)
    expect((await ended).code).toBe(1012)
  })

  test('an aborted drain leaves it alone', async () => {
    const { server, socket, url } = await start()
    const { socket: theirs, ended } = await client(url)
    socket().write(Buffer.from([0x82, 2, 1]))
    const draining = drain(server, { ...TIMES, websocketTimeout: 0, signal: AbortSignal.timeout(400) })
    await expect(draining).rejects.toMatchObject({ name: 'TimeoutError' })
    socket().write(Buffer.from([2, 0x82, 1, 3]))
    await expect.poll(() => theirs.readyState).toBe(WebSocket.OPEN)
    socket().end(Buffer.from([0x88, 0]))
    expect(await ended).toEqual({ code: 1005, messages: [2, 1] })
  })
})

test('no upgraded connection but a WebSocket gets a Close frame', async () => {
  const server = http.createServer()
  server.on('upgrade', (_request, socket) => {
    socket.resume().write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
  })
  const port = await started(server)
  const said = await Promise.all(
    ['echo', 'websocket'].map(async (protocol) => {
      const socket = net.connect(port, '127.0.0.1')
      let text = ''
      socket.on('data', (data) => {
        text += data.toString('latin1')
      })
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`)
      await new Promise((resolve) => socket.once('data', resolve))
      return () => text
    }),
  )
  const report = await drain(server, { grace: 0, websocketTimeout: 0, connectionTimeout: 200 })
  expect(report).toMatchObject({ connectionsDestroyed: 2 })
  for (const text of said) expect(text()).toMatch(/\r\n\r\n$/)
})

test('looking for upgrades costs other requests nothing, and adds no listener', async () => {
  const server = http.createServer((_request, response) => response.end())
  const events = ['upgrade', 'request', 'connection', 'connect']
  const before = events.map((name) => server.listenerCount(name))
  const port = await started(server)
  const agent = new http.Agent()
  await new Promise((resolve) => http.get({ port, host: '127.0.0.1', agent }, (r) => r.resume().on('end', resolve)))
  expect(Object.hasOwn(server, 'emit')).toBe(false)
  expect(events.map((name) => server.listenerCount(name))).toEqual(before)
  await pause(0)
  expect(Object.hasOwn(server, 'emit')).toBe(false)
})

describe('event streams', () => {
  const HEAD = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' }

  test.each(['http', 'https'])('an HTTP/1 answer ends in order, and its connection: %s', async (scheme) => {
    const errors: unknown[] = []
    const onError = (error: unknown): unknown => errors.push(error)
    process.on('uncaughtException', onError)
    const handler: http.RequestListener = (_request, response) => {
      response.writeHead(200, HEAD)
      response.write('data: 0\n\n')
      // It stops when it hears of the end, not before.
      const timer = setInterval(() => response.write('data: 1\n\n'), 1)
      response.on('close', () => clearInterval(timer))
    }
    const server = scheme === 'http' ? http.createServer(handler) : https.createServer({ key, cert }, handler)
    const port = await started(server)
    const module = scheme === 'http' ? http : https
    const streams = await Promise.all(
      Array.from(
        { length: 3 },
        () =>
          new Promise<http.IncomingMessage>((resolve, reject) => {
            const options = { port, host: '127.0.0.1', rejectUnauthorized: false, agent: false as const }
            module.get(options, resolve).on('error', reject)
          }),
      ),
    )
    const ends = streams.map(
      (stream) =>
        new Promise((resolve, reject) => {
          stream
            .resume()
            .on('end', () => resolve(stream.complete))
            .on('error', reject)
        }),
    )
    expect(await drain(server, TIMES)).toMatchObject({ ...CLEAN, connectionsClosed: 3 })
    expect(await Promise.all(ends)).toEqual([true, true, true])
    await pause(20)
    process.off('uncaughtException', onError)
    expect(errors).toEqual([])
  })

  test('an answer of another type goes on, until connectionTimeout', async () => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'X-Type': 'text/event-stream' }).write('begun')
    })
    const port = await started(server)
    const stream = await new Promise<http.IncomingMessage>((resolve) => http.get({ port, host: '127.0.0.1' }, resolve))
    const failed = new Promise((resolve) => stream.resume().on('error', resolve))
    const report = await drain(server, { grace: 0, websocketTimeout: 0, connectionTimeout: 200 })
    expect(report).toMatchObject({ lossless: false, connectionsDestroyed: 1 })
    expect(await failed).toMatchObject({ code: 'ECONNRESET' })
  })

  test('a stream of HTTP/2 ends in order', async () => {
    const server = http2.createServer()
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
      const timer = setInterval(() => stream.write('data: 1\n\n'), 1)
      stream.on('close', () => clearInterval(timer))
    })
    const port = await started(server as unknown as net.Server)
    const session = http2.connect(`http://127.0.0.1:${port}`)
    const stream = session.request({ ':path': '/' }).resume()
    const ended = new Promise((resolve, reject) => stream.on('end', () => resolve(stream.rstCode)).on('error', reject))
    await new Promise((resolve) => stream.once('response', resolve))
    expect(await drain(server as unknown as net.Server, TIMES)).toMatchObject({ ...CLEAN, connectionsClosed: 1 })
    expect(await ended).toBe(http2.constants.NGHTTP2_NO_ERROR)
    session.destroy()
  })
})

describe('connections on which nothing comes', () => {
  const SECURE: Readonly<Record<string, () => net.Server>> = {
    https: () => https.createServer({ key, cert }),
    tls: () => tls.createServer({ key, cert }),
    http2: () => http2.createSecureServer({ key, cert }) as unknown as net.Server,
    'http2 and HTTP/1': () => http2.createSecureServer({ key, cert, allowHTTP1: true }) as unknown as net.Server,
  }
  const HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])

  async function connect(server: net.Server): Promise<net.Socket> {
    const socket = net.connect(await started(server), '127.0.0.1').on('error', () => {})
    await new Promise((resolve) => server.once('connection', resolve))
    return socket.resume()
  }

  describe.each(Object.keys(SECURE))('%s', (kind) => {
    const create = SECURE[kind] as () => net.Server

    test('a client that never begins its handshake is idle', async () => {
      const server = create()
      await connect(server)
      const report = await drain(server, { grace: 0, idleTimeout: 100, connectionTimeout: 20_000 })
      expect(report).toMatchObject({ ...CLEAN, connectionsClosed: 1 })
    })

    test('a client in the middle of its first message has handshakeTimeout from its last byte', async () => {
      const server = create()
      const socket = await connect(server)
      socket.write(HELLO)
      let isOpen = true
      socket.on('close', () => {
        isOpen = false
      })
      const times = { grace: 0, idleTimeout: 10, handshakeTimeout: 1000, connectionTimeout: 20_000 }
      const draining = drain(server, times)
      while (server.listening) await pause(5)
      await pause(300)
      expect(isOpen).toBe(true)
      expect(await draining).toMatchObject({ ...CLEAN, connectionsClosed: 1 })
    })

    test('a client that is slow is served', async () => {
      const server = create()
      const socket = await connect(server)
      const draining = drain(server, { grace: 0, idleTimeout: 1500, connectionTimeout: 20_000 })
      while (server.listening) await pause(5)
      const secure = tls.connect({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
      await new Promise((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
      secure.destroy()
      expect(await draining).toMatchObject(CLEAN)
    })
  })
})

test('a connection that the program has unref()ed is reported as it is: open', async () => {
  const accepted: net.Socket[] = []
  const server = net.createServer((socket) => void accepted.push(socket.unref()))
  const port = await started(server)
  const client = net.connect(port, '127.0.0.1')
  await new Promise((resolve) => server.once('connection', resolve))
  const report = await drain(server, { grace: 0, connectionTimeout: 50 })
  expect(report).toMatchObject({
    lossless: false,
    connectionsClosed: 0,
    connectionsDestroyed: 0,
    connectionsLeft: 1,
    reason: expect.stringMatching(/^1 connection was not found .*unref\(\)ed; the group has no other member/),
  })
  expect(client.readyState).toBe('open')
  for (const socket of accepted) socket.destroy()
})

test('one that was accepted during the drain is found, although it is unref()ed', async () => {
  const server = net.createServer((socket) => socket.unref())
  const port = await started(server)
  const draining = drain(server, { grace: 300, connectionTimeout: 50 })
  const client = net.connect(port, '127.0.0.1').on('error', () => {})
  await new Promise((resolve) => server.once('connection', resolve))
  expect(await draining).toMatchObject({ connectionsDestroyed: 1, connectionsLeft: 0 })
  client.destroy()
})
