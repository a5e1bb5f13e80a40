// What becomes of the connections of a server that is drained.
import { once as event } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
// Loaded by now in a program that listens for some milliseconds; as TypeScript it takes much longer.
import '../../src/drain/drain-server.js'
import { drain } from '../../src/index.js'
import { CERTIFICATE as cert, PRIVATE_KEY as key } from '../support/certificate.js'
import { share } from '../support/group-of-servers.js'
import { closed, once } from '../support/listeners.js'

const opened: net.Server[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

/** A server that leaves, and another one that stays. */
async function pair<T extends net.Server>(leaving: T, staying: net.Server = net.createServer()): Promise<number> {
  opened.push(leaving, staying)
  return share([leaving, staying])
}

/** Alone at first, so that every client reaches it; joined by another that stays. */
async function joined(leaving: net.Server, meanwhile: (port: number) => Promise<void>): Promise<number> {
  const staying = net.createServer((socket) => socket.on('error', () => {}).destroy())
  opened.push(leaving, staying)
  const port = await share([leaving])
  await meanwhile(port)
  await share([staying], '127.0.0.1', port)
  return port
}

interface Answer {
  readonly connection: string | undefined
  readonly body: string
}

type Get = (agent: http.Agent, port: number) => Promise<Answer>

const SCHEMES: Readonly<
  Record<
    string,
    {
      create: (handler: http.RequestListener) => net.Server
      agent: () => http.Agent
      module: typeof http | typeof https
    }
  >
> = {
  http: {
    create: (handler) => http.createServer(handler),
    agent: () => new http.Agent({ keepAlive: true, maxSockets: 1 }),
    module: http,
  },
  https: {
    create: (handler) => https.createServer({ key, cert }, handler),
    agent: () => new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false }),
    module: https,
  },
}

function getterOf(module: typeof http | typeof https): Get {
  return (agent, port) =>
    new Promise((resolve, reject) => {
      module
        .get({ agent, port, host: '127.0.0.1' }, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (text) => {
            body += text
          })
          response.on('end', () => resolve({ connection: response.headers.connection, body }))
          response.on('error', reject)
        })
        .on('error', reject)
    })
}

describe.each(Object.keys(SCHEMES))('HTTP/1: %s', (scheme) => {
  const { create, agent: newAgent, module } = SCHEMES[scheme] as (typeof SCHEMES)[string]
  const get = getterOf(module)

  test('an answer in flight, and one on a kept connection, say Connection: close', async () => {
    let answer: () => void = () => {}
    const server = create((_request, response) => {
      answer = () => response.end('done')
    })
    const [busy, kept] = [newAgent(), newAgent()]
    let first: Promise<Answer> | undefined
    const port = await joined(server, async (port) => {
      const before = get(kept, port)
      await once(server, 'request')
      answer()
      expect((await before).connection).toBe('keep-alive')
      first = get(busy, port)
      await once(server, 'request')
    })
    const answerInFlight = answer
    const draining = drain(server, { grace: 30, idleTimeout: 20_000 })
    await pause(10)
    const second = get(kept, port)
    await once(server, 'request')
    answer()
    answerInFlight()
    expect(await first).toEqual({ connection: 'close', body: 'done' })
    expect(await second).toEqual({ connection: 'close', body: 'done' })
    const report = await draining
    expect(report).toMatchObject({ lossless: true, method: 'steer', connectionsDestroyed: 0 })
    // Nobody was idle, so nothing was waited for.
    expect(report.duration).toBeLessThan(20_000)
  })

  test('an answer that has begun keeps its header; the connection ends at the next one or when idle', async () => {
    let finish: () => void = () => {}
    const server = create((_request, response) => {
      response.write('begun ')
      finish = () => response.end('done')
    })
    const agent = newAgent()
    let answered: Promise<Answer> | undefined
    await joined(server, async (port) => {
      answered = get(agent, port)
      await once(server, 'request')
    })
    const draining = drain(server, { grace: 0, idleTimeout: 100 })
    await pause(20)
    finish()
    expect(await answered).toEqual({ connection: 'keep-alive', body: 'begun done' })
    expect(await draining).toMatchObject({ lossless: true, connectionsClosed: 1, connectionsDestroyed: 0 })
  })

  test('an idle kept connection is served once more within its moment, and closed after it', async () => {
    const server = create((_request, response) => response.end('served'))
    const [late, silent] = [newAgent(), newAgent()]
    const port = await joined(server, async (port) => {
      for (const agent of [late, silent]) await get(agent, port)
    })
    const draining = drain(server, { grace: 0, idleTimeout: 1500 })
    while (server.listening) await pause(5)
    await pause(50)
    expect(await get(late, port)).toEqual({ connection: 'close', body: 'served' })
    const report = await draining
    expect(report).toMatchObject({ lossless: true, connectionsClosed: 2, connectionsDestroyed: 0 })
    expect(report.duration).toBeGreaterThan(1490)
  })

  test('a slow request ends in its time, or is destroyed at connectionTimeout', async () => {
    const server = create((_request, response) => setTimeout(() => response.end('slow'), 200))
    const agent = newAgent()
    let answered: Promise<Answer> | undefined
    await joined(server, async (port) => {
      answered = get(agent, port)
      await once(server, 'request')
    })
    const draining = drain(server, { grace: 0, idleTimeout: 10 })
    expect((await answered)?.body).toBe('slow')
    expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })

    const stuck = create(() => {})
    let failed: Promise<unknown> | undefined
    await joined(stuck, async (port) => {
      failed = get(newAgent(), port).catch((error) => error.code)
      await once(stuck, 'request')
    })
    expect(await drain(stuck, { grace: 0, connectionTimeout: 50 })).toMatchObject({
      lossless: false,
      connectionsDestroyed: 1,
    })
    expect(await failed).toBe('ECONNRESET')
  })
})

test('a server whose close() was replaced is closed by that, and its closeIdleConnections is left as it was', async () => {
  const server = http.createServer((_request, response) => response.end())
  let calls = 0
  const { close } = server
  server.close = (...args) => {
    calls++
    return Reflect.apply(close, server, args)
  }
  await pair(server)
  await drain(server)
  expect(calls).toBe(1)
  expect(Object.hasOwn(server, 'closeIdleConnections')).toBe(false)
})

test('a connection on which nothing has ever come is idle', async () => {
  const server = http.createServer()
  let client: net.Socket | undefined
  await joined(server, async (port) => {
    client = net.connect(port, '127.0.0.1')
    await once(server, 'connection')
  })
  const report = await drain(server, { grace: 0, idleTimeout: 100 })
  expect(report).toMatchObject({ lossless: true, connectionsClosed: 1, connectionsDestroyed: 0 })
  client?.destroy()
})

test('an answer that does not wait for the body of its request is not cut', async () => {
  const server = http.createServer((_request, response) => {
    response.statusCode = 401
    response.end('no')
  })
  opened.push(server)
  const port = await share([server])
  const clients = Array.from({ length: 5 }, () => net.connect(port, '127.0.0.1'))
  await Promise.all(clients.map((client) => event(client, 'connect')))
  const answers = clients.map(async (client) => {
    let text = ''
    client
      .on('error', () => {})
      .on('data', (data) => {
        text += data
        if (text.endsWith('no')) client.end()
      })
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n')
    client.write(Buffer.alloc(3_000_000))
    await event(client, 'close')
    return text.split('\r\n')[0]
  })
  const report = drain(server, { grace: 0 })
  expect(await Promise.all(answers)).toEqual(Array(5).fill('HTTP/1.1 401 Unauthorized'))
  expect(await report).toMatchObject({ lossless: true })
})

test('a program that throws where its event stream is ended keeps that connection for the rest of the time', async () => {
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    response.end = () => {
      throw new Error('of the program')
    }
  })
  opened.push(server)
  const port = await share([server])
  const [response] = (await event(
    http.get({ port, host: '127.0.0.1' }).on('error', () => {}),
    'response',
  )) as [http.IncomingMessage]
  response.on('error', () => {}).resume()
  expect(await drain(server, { connectionTimeout: 200, websocketTimeout: 0 })).toMatchObject({
    connectionsDestroyed: 1,
    lossless: false,
  })
})

test('what came while the program was busy is no idle time', async () => {
  const written = new Int32Array(new SharedArrayBuffer(4))
  const server = http.createServer((request, response) => {
    if (request.url === '/busy') {
      Atomics.wait(written, 0, 0, 5000)
      // Longer than idleTimeout.
      Atomics.wait(written, 0, 1, 300)
    }
    response.end(request.url)
  })
  opened.push(server)
  const port = await share([server])
  const client = new Worker(CLIENT, { eval: true, workerData: { port, written } })
  await event(client, 'message')
  const draining = drain(server, { idleTimeout: 200, grace: 0 })
  await expect.poll(() => server.listening).toBe(false)
  client.postMessage('ask')
  expect(await event(client, 'message')).toEqual(['/second'])
  expect(await draining).toMatchObject({ lossless: true })
  await client.terminate()
})

const CLIENT = `
const net = require('node:net')
const { parentPort, workerData: { port, written } } = require('node:worker_threads')
const ask = (socket, path, then) => socket.write('GET ' + path + ' HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n', then)
const [kept, busy] = [net.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')]
for (const socket of [kept, busy]) socket.on('error', () => {})
kept.on('data', (data) => parentPort.postMessage(String(data).split('\\r\\n\\r\\n')[1]))
kept.on('close', () => parentPort.postMessage('closed'))
ask(kept, '/first')
parentPort.once('message', () => ask(busy, '/busy', () => setTimeout(() => ask(kept, '/second', () => {
  Atomics.store(written, 0, 1)
  Atomics.notify(written, 0)
}), 50)))`

test('a server that listens again keeps its connections again', async () => {
  const server = http.createServer((_request, response) => response.end())
  const listeners = (): readonly number[] =>
    ['request', 'connection', 'close'].map((name) => server.listenerCount(name))
  const before = listeners()
  await pair(server)
  await drain(server)
  expect(listeners()).toEqual(before)
  const port = await share([server])
  const agent = new http.Agent({ keepAlive: true })
  expect((await getterOf(http)(agent, port)).connection).toBe('keep-alive')
  agent.destroy()
})

test('requests that ask before they send, where the program listens for them', async () => {
  const server = http.createServer()
  server.on('checkContinue', (request, response) => request.resume().on('end', () => response.end('checked')))
  let socket: net.Socket | undefined
  await joined(server, async (port) => {
    socket = net.connect(port, '127.0.0.1')
    await once(server, 'connection')
  })
  const draining = drain(server, { grace: 50 })
  await pause(10)
  let said = ''
  socket?.on('data', (data) => {
    said += String(data)
  })
  socket?.write('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n!')
  expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
  expect(said).toMatch(/^Connection: close\r$/m)
})

describe.each([
  ['in the clear', () => http2.createServer(), 'http'],
  ['secure', () => http2.createSecureServer({ key, cert }), 'https'],
] as const)('HTTP/2, %s', (_how, create, scheme) => {
  test('a session gets a GOAWAY, and its streams finish', async () => {
    const server = create() as unknown as http2.Http2Server
    let finish: () => void = () => {}
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond({ ':status': 200 })
      finish = () => stream.end('done')
    })
    let client: http2.ClientHttp2Session | undefined
    let body = ''
    let ended: Promise<unknown> | undefined
    await joined(server as unknown as net.Server, async (port) => {
      client = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      const stream = client.request({ ':path': '/' })
      stream.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      ended = new Promise((resolve) => stream.on('end', resolve))
      await new Promise((resolve) => server.once('stream', resolve))
    })
    const goaway = new Promise((resolve) => client?.once('goaway', (code) => resolve(code)))
    const draining = drain(server as unknown as net.Server, { grace: 20 })
    expect(await goaway).toBe(0)
    finish()
    await ended
    expect(body).toBe('done')
    expect(await draining).toMatchObject({ lossless: true, method: 'steer', connectionsDestroyed: 0 })
    client?.close()
  })

  test('a program that answers streams itself, with trailers, is alone with them', async () => {
    const server = create() as unknown as http2.Http2Server
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.end('hello')
    })
    let client: http2.ClientHttp2Session | undefined
    await joined(server as unknown as net.Server, async (port) => {
      client = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      await new Promise((resolve) => client?.once('remoteSettings', resolve))
    })
    const listeners = server.listenerCount('stream')
    const report = drain(server as unknown as net.Server)
    const stream = client?.request({ ':path': '/' }) as http2.ClientHttp2Stream
    const trailers = new Promise((resolve) => stream.once('trailers', resolve))
    stream.resume()
    expect(await trailers).toMatchObject({ 'grpc-status': '0' })
    expect(server.listenerCount('stream')).toBe(listeners)
    client?.close()
    expect(await report).toMatchObject({ lossless: true })
  })

  test('what a client asks at the moment of leaving is answered', async () => {
    const server = create() as unknown as http2.Http2Server
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      stream.respond({ ':status': 200 })
      stream.end('done')
    })
    let client: http2.ClientHttp2Session | undefined
    await joined(server as unknown as net.Server, async (port) => {
      client = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      await new Promise((resolve) => server.once('session', resolve))
      // It has been told the settings, and is not known to have been.
      await new Promise((resolve) => client?.once('remoteSettings', resolve))
    })
    const stream = client?.request({ ':path': '/' }) as http2.ClientHttp2Stream
    const draining = drain(server as unknown as net.Server, { handOver: true })
    let body = ''
    await new Promise((resolve, reject) => {
      stream.on('data', (data) => {
        body += String(data)
      })
      stream.on('end', resolve).on('error', reject)
    })
    expect(body).toBe('done')
    expect(await draining).toMatchObject({ lossless: true, method: 'hand-over', connectionsDestroyed: 0 })
    client?.close()
  })

  test('a client that stays although it is told is let go of after idleTimeout', async () => {
    const server = create() as unknown as http2.Http2Server
    let client: net.Socket | undefined
    await joined(server as unknown as net.Server, async (port) => {
      // Never says anything: to the server a session without streams.
      const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }
      client = scheme === 'https' ? tls.connect(options) : net.connect(options)
      client.resume()
      await new Promise((resolve) => server.once('session', resolve))
    })
    const report = await drain(server as unknown as net.Server, { grace: 0, idleTimeout: 100 })
    expect(report).toMatchObject({ lossless: true, connectionsClosed: 1, connectionsDestroyed: 0 })
    client?.destroy()
  })

  test('a session that is idle ends within idleTimeout', async () => {
    const server = create() as unknown as http2.Http2Server
    server.on('stream', (stream: http2.ServerHttp2Stream) => stream.respond({ ':status': 204 }, { endStream: true }))
    let client: http2.ClientHttp2Session | undefined
    await joined(server as unknown as net.Server, async (port) => {
      client = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      const stream = client.request({ ':path': '/' }).resume()
      await new Promise((resolve) => stream.once('close', resolve))
    })
    const report = await drain(server as unknown as net.Server, { grace: 0, idleTimeout: 50 })
    expect(report).toMatchObject({ lossless: true, connectionsClosed: 1, connectionsDestroyed: 0 })
    client?.close()
  })
})

test.each([
  [
    'net',
    () => net.createServer((socket) => socket.on('error', () => {}).resume()),
    (port: number) => net.connect(port, '127.0.0.1'),
  ],
  [
    'tls',
    () => tls.createServer({ key, cert }, (socket) => socket.on('error', () => {}).resume()),
    (port: number) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  ],
] as const)('connections of a %s server are destroyed at connectionTimeout', async (_kind, create, connect) => {
  const server = create()
  const clients: net.Socket[] = []
  await joined(server, async (port) => {
    for (let count = 0; count < 3; count++) {
      const client = connect(port).on('error', () => {})
      clients.push(client)
      await new Promise((resolve) => client.once(_kind === 'tls' ? 'secureConnect' : 'connect', resolve))
    }
  })
  expect(await drain(server, { grace: 0, connectionTimeout: 50 })).toMatchObject({
    lossless: false,
    connectionsClosed: 0,
    connectionsDestroyed: 3,
  })
  for (const client of clients) client.destroy()
})
