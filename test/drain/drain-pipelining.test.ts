// Requests that a client sends without waiting for answers (RFC 9112, 9.3.2), to a server that is drained meanwhile: each
// one that the program gets is answered, and at most the last answer says the end of the connection.
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { drain } from '../../src/index.js'
import { CERTIFICATE as cert, PRIVATE_KEY as key } from '../support/certificate.js'
import { share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'

const opened: net.Server[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

const QUICK = { grace: 20, idleTimeout: 150 } as const

type Create = (handler: http.RequestListener) => net.Server

const SCHEMES: Readonly<Record<string, { create: Create; connect: (port: number) => net.Socket }>> = {
  http: { create: (handler) => http.createServer(handler), connect: (port) => net.connect(port, '127.0.0.1') },
  https: {
    create: (handler) => https.createServer({ key, cert }, handler),
    connect: (port) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  },
}

function post(path: number | string, ...headers: string[]): string {
  return `POST /${path} HTTP/1.1\r\n${['Host: x', 'Content-Length: 2', ...headers].join('\r\n')}\r\n\r\nhi`
}

interface Client {
  readonly socket: net.Socket
  /** The answers so far: the path that each one is for, and what it says of the connection. */
  answers(): readonly { readonly path: string; readonly connection: string | undefined }[]
  readonly ended: Promise<unknown>
}

/** Each answer has its path in a header. */
async function client(port: number, connect: (port: number) => net.Socket): Promise<Client> {
  const socket = connect(port)
  let said = ''
  socket.on('data', (data) => {
    said += String(data)
  })
  const ended = new Promise((resolve) => socket.on('error', resolve).on('close', resolve))
  await new Promise((resolve) => socket.once('encrypted' in socket ? 'secureConnect' : 'connect', resolve))
  return {
    socket,
    ended,
    answers: () =>
      [...said.matchAll(/HTTP\/1\.1 200[\s\S]*?\r\n\r\n/g)].map(([head]) => ({
        path: /^x-path: (.*)\r$/im.exec(head)?.[1] ?? '',
        connection: /^connection: (.*)\r$/im.exec(head)?.[1],
      })),
  }
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, body = 'ok'): void {
  response.setHeader('x-path', request.url ?? '')
  response.end(body)
}

/** All were answered in their order, and none but the last says the end. */
function expectAnswers(of: Client, handled: readonly string[]): void {
  const answers = of.answers()
  expect(answers.map(({ path }) => path)).toEqual(handled)
  for (const { connection } of answers.slice(0, -1)) expect(connection).not.toBe('close')
}

/** How a program answers. */
const HANDLERS: Readonly<Record<string, http.RequestListener>> = {
  'at once': (request, response) => answer(request, response),
  'when the body has come': (request, response) => request.resume().on('end', () => answer(request, response)),
  'in a microtask': async (request, response) => {
    await undefined
    answer(request, response)
  },
  'the first one last': (request, response) => {
    setTimeout(() => answer(request, response), request.url === '/1' ? 120 : 10)
  },
  'in parts': (request, response) => {
    response.setHeader('x-path', request.url ?? '')
    response.write('begun')
    setTimeout(() => response.end(), 30)
  },
  'head first, in any order': (request, response) => {
    setTimeout(
      () => {
        response.writeHead(200, { 'x-path': request.url ?? '' }).flushHeaders()
        setTimeout(() => response.end('later'), 20)
      },
      10 + ((Number(request.url?.slice(1)) * 37) % 50),
    )
  },
  'without saying anything of the connection': (request, response) => {
    response.removeHeader('connection')
    setTimeout(() => answer(request, response), 10)
  },
}

describe.each(Object.keys(SCHEMES))('%s', (scheme) => {
  const { create, connect } = SCHEMES[scheme] as (typeof SCHEMES)[string]

  async function start(handler: http.RequestListener): Promise<{ server: net.Server; of: Client; handled: string[] }> {
    const handled: string[] = []
    const server = create((request, response) => {
      handled.push(request.url ?? '')
      handler(request, response)
    })
    opened.push(server)
    return { server, of: await client(await share([server]), connect), handled }
  }

  describe.each(Object.keys(HANDLERS))('answered %s', (how) => {
    const handler = HANDLERS[how] as http.RequestListener

    test('five that have come before the drain', async () => {
      const { server, of, handled } = await start(handler)
      of.socket.write([1, 2, 3, 4, 5].map((n) => post(n)).join(''))
      await expect.poll(() => handled).toHaveLength(5)
      expect(await drain(server, QUICK)).toMatchObject({
        lossless: true,
        connectionsDestroyed: 0,
        connectionsClosed: 1,
      })
      await of.ended
      expectAnswers(of, ['/1', '/2', '/3', '/4', '/5'])
    })

    test('five that come during it, in one packet', async () => {
      const { server, of, handled } = await start(handler)
      const draining = drain(server, QUICK)
      of.socket.write([1, 2, 3, 4, 5].map((n) => post(n)).join(''))
      expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
      await of.ended
      expectAnswers(of, handled)
      expect(handled).toHaveLength(5)
    })

    test('cut anywhere: those that the program gets are answered', async () => {
      const { server, of, handled } = await start(handler)
      const text = [1, 2, 3, 4, 5].map((n) => post(n)).join('')
      const draining = drain(server, { ...QUICK, idleTimeout: 400 })
      for (let at = 0; at < text.length && of.socket.writable; at += 47) {
        of.socket.write(text.slice(at, at + 47))
        await pause(3)
      }
      expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
      await of.ended
      expectAnswers(of, handled)
      expect(handled.length).toBeGreaterThan(0)
    })
  })

  test('what comes after the answer that says the end is not given to the program', async () => {
    let finish: () => void = () => {}
    const { server, of, handled } = await start((request, response) => {
      response.setHeader('x-path', request.url ?? '')
      response.write('begun')
      finish = () => response.end()
    })
    const draining = drain(server, QUICK)
    of.socket.write(post(1))
    await expect.poll(of.answers).toEqual([{ path: '/1', connection: 'close' }])
    of.socket.write(post(2))
    await pause(50)
    finish()
    expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
    expect(handled).toEqual(['/1'])
  })

  test('a request that has begun keeps the connection for its rest', async () => {
    let finish: () => void = () => {}
    const { server, of, handled } = await start((request, response) => {
      finish = () => answer(request, response)
    })
    const draining = drain(server, { ...QUICK, idleTimeout: 2000 })
    of.socket.write(post(1))
    await expect.poll(() => handled).toEqual(['/1'])
    of.socket.write(post(2).slice(0, 20))
    await pause(50)
    finish()
    await expect.poll(of.answers).toEqual([{ path: '/1', connection: 'keep-alive' }])
    of.socket.write(post(2).slice(20))
    await expect.poll(() => handled).toEqual(['/1', '/2'])
    finish()
    expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
    await of.ended
    expect(of.answers()).toEqual([
      { path: '/1', connection: 'keep-alive' },
      { path: '/2', connection: 'close' },
    ])
  })
})

/** A server, a client, and a drain during which the client writes. */
async function during(server: http.Server, text: string): Promise<{ of: Client; said: () => string }> {
  opened.push(server)
  const of = await client(await share([server]), (port) => net.connect(port, '127.0.0.1'))
  let said = ''
  of.socket.on('data', (data) => {
    said += String(data)
  })
  const draining = drain(server, QUICK)
  of.socket.write(text)
  expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
  of.socket.destroy()
  return { of, said: () => said }
}

test('what the program says of the connection is said', async () => {
  const server = http.createServer((request, response) => {
    response.setHeader('Connection', 'keep-alive')
    answer(request, response)
  })
  const { of } = await during(server, post(1) + post(2))
  expect(of.answers().map(({ connection }) => connection)).toEqual(['keep-alive', 'keep-alive'])
})

test('clients that want 100-continue, and ask for something else', async () => {
  const server = http.createServer((request, response) => answer(request, response))
  const { of, said } = await during(
    server,
    [post(1, 'Expect: 100-continue'), post(2, 'Expect: gold'), post(3, 'Expect: 100-continue')].join(''),
  )
  expect(said().match(/HTTP\/1\.1 \d+/g)).toEqual([100, 200, 417, 100, 200].map((status) => `HTTP/1.1 ${status}`))
  expect(of.answers().map(({ path }) => path)).toEqual(['/1', '/3'])
})

test('HTTP/1.0: the connection ends after the answer, or is kept where the client wants it', async () => {
  const one = http.createServer((request, response) => answer(request, response))
  const ended = await during(one, 'GET /1 HTTP/1.0\r\n\r\n')
  expect(ended.of.answers()).toEqual([{ path: '/1', connection: 'close' }])
  const other = http.createServer((request, response) => {
    response.setHeader('Content-Length', 2)
    answer(request, response)
  })
  const kept = 'HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n'
  const { of } = await during(other, `GET /1 ${kept}GET /2 ${kept}`)
  expect(of.answers().map(({ path }) => path)).toEqual(['/1', '/2'])
  expect(of.answers()[0]?.connection).toBe('keep-alive')
})

test('an upgrade in the pipeline: the connection is the program’s', async () => {
  const server = http.createServer((request, response) => setTimeout(() => answer(request, response), 20))
  server.on('upgrade', (_request, socket) => {
    setTimeout(() => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nechoed'), 60)
  })
  const { of, said } = await during(server, post(1) + post(2, 'Connection: Upgrade', 'Upgrade: echo'))
  expect(of.answers()).toEqual([{ path: '/1', connection: 'keep-alive' }])
  expect(said()).toMatch(/echoed$/)
})

test('limits of the server stay: requests per connection, and their time', async () => {
  const server = http.createServer({ requestTimeout: 5000 }, (request, response) => answer(request, response))
  server.maxRequestsPerSocket = 3
  const { of, said } = await during(server, [1, 2, 3].map((n) => post(n)).join(''))
  expect(of.answers().map(({ path }) => path)).toEqual(['/1', '/2', '/3'])
  expect(of.answers().at(-1)?.connection).toBe('close')
  expect(said()).not.toContain(' 503 ')
})

test('an answer that its client has not yet received is not cut when connections are idle', async () => {
  const size = 20_000_000
  const server = http.createServer((_request, response) => response.end(Buffer.alloc(size)))
  opened.push(server)
  const port = await share([server])
  const socket = net.connect(port, '127.0.0.1').pause()
  const sentAll = new Promise((resolve) => server.once('request', resolve))
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await sentAll
  const draining = drain(server, { grace: 0, idleTimeout: 50 })
  await pause(400)
  let received = 0
  const ended = new Promise((resolve) => socket.on('error', resolve).on('close', resolve))
  socket.on('data', (data) => {
    received += data.length
  })
  socket.resume()
  expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0, connectionsClosed: 1 })
  await ended
  expect(received).toBeGreaterThan(size)
})

test('a connection that becomes idle later is closed when it has been so for idleTimeout', async () => {
  let finish: () => void = () => {}
  const server = http.createServer((_request, response) => {
    response.write('begun')
    finish = () => response.end()
  })
  server.keepAliveTimeout = 0
  opened.push(server)
  const of = await client(await share([server]), (port) => net.connect(port, '127.0.0.1'))
  of.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await new Promise((resolve) => of.socket.once('data', resolve))
  const draining = drain(server, { grace: 0, idleTimeout: 100, connectionTimeout: 20_000 })
  await pause(300)
  finish()
  const report = await draining
  expect(report).toMatchObject({ lossless: true, connectionsClosed: 1, connectionsDestroyed: 0 })
  expect(report.duration).toBeLessThan(20_000)
})

/** Packages without types, and one whose types are not for this configuration. */
const require = createRequire(import.meta.url)
const express = require('express') as () => http.RequestListener & { use(handler: http.RequestListener): void }
const Koa = require('koa') as new () => {
  use(handler: (context: { url: string; body: string; set(name: string, value: string): void }) => Promise<void>): void
  callback(): http.RequestListener
}
interface Context {
  readonly req: { readonly path: string }
  text(body: string, status: number, headers: Readonly<Record<string, string>>): object
}
const { Hono } = require('hono') as {
  Hono: new () => { post(path: string, handler: (context: Context) => object): void; readonly fetch: unknown }
}
const { createAdaptorServer } = require('@hono/node-server') as {
  createAdaptorServer(options: { readonly fetch: unknown }): net.Server
}

const FRAMEWORKS: Readonly<Record<string, () => Promise<net.Server> | net.Server>> = {
  express: () => {
    const app = express()
    app.use((request, response) => answer(request, response))
    return http.createServer(app)
  },
  koa: () => {
    const app = new Koa()
    app.use(async (context) => {
      context.set('x-path', context.url)
      context.body = 'ok'
    })
    return http.createServer(app.callback())
  },
  fastify: async () => {
    const app = fastify()
    app.addContentTypeParser('*', (_request, payload, done) => void payload.resume().on('end', () => done(null)))
    app.post('/:n', async (request, reply) => reply.header('x-path', request.url).send('ok'))
    await app.ready()
    return app.server
  },
  hono: () => {
    const app = new Hono()
    app.post('/:n', (context) => context.text('ok', 200, { 'x-path': context.req.path }))
    return createAdaptorServer(app)
  },
}

describe.each(Object.keys(FRAMEWORKS))('%s', (name) => {
  test.each(['before', 'during'])('five in one packet, %s the drain', async (when) => {
    const server = await (FRAMEWORKS[name] as () => Promise<net.Server> | net.Server)()
    opened.push(server)
    const of = await client(await share([server]), (port) => net.connect(port, '127.0.0.1'))
    const text = [1, 2, 3, 4, 5].map((n) => post(n, 'Content-Type: text/plain')).join('')
    if (when === 'before') {
      const first = new Promise((resolve) => server.once('request', resolve))
      of.socket.write(text)
      await first
    }
    const draining = drain(server, QUICK)
    if (when === 'during') of.socket.write(text)
    expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0 })
    await of.ended
    expectAnswers(of, ['/1', '/2', '/3', '/4', '/5'])
  })
})
