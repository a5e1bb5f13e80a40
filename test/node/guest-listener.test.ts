// A server accepts from a second listening socket as from its own.
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { drain } from '../../src/index.js'
import { waitingConnections } from '../../src/native/accept-queue.js'
import { GuestListener, type GuestOptions, rememberContext, socketHandle } from '../../src/node/guest-listener.js'
import { ServerConnections } from '../../src/node/server-connections.js'
import { answering } from '../support/answering-addon.js'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js'
import { type ForeignSocket, foreignSocket, handleFor, isOpen } from '../support/foreign-socket.js'
import { closed, portOf, SERVER_KINDS } from '../support/listeners.js'

const addon = answering({})
const HOST = '127.0.0.1'
const OPTIONS: GuestOptions = { backlog: 511, descriptors: Number.POSITIVE_INFINITY }
const credentials = { key: PRIVATE_KEY, cert: CERTIFICATE }

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Joined {
  readonly guest: GuestListener
  readonly port: number
  /** Another descriptor of the guest's socket, as its owner has. */
  readonly owner: number
}

function foreign(port: number): ForeignSocket {
  const socket = foreignSocket(addon, port)
  ends.push(socket.end)
  return socket
}

async function listening<T>(server: T & net.Server): Promise<number> {
  server.listen(0, HOST)
  await once(server, 'listening')
  ends.push(() => {
    ;(server as { closeAllConnections?(): void }).closeAllConnections?.()
    return server.listening ? closed(server) : undefined
  })
  return portOf(server)
}

async function join(server: net.Server, options: Partial<GuestOptions> = {}): Promise<Joined> {
  const port = server.listening ? portOf(server) : await listening(server)
  const { handle, owner } = foreign(port)
  const guest = GuestListener.open(server as never, handle, { ...OPTIONS, ...options })
  if (guest === undefined) throw new Error('the server cannot join')
  ends.push(() => guest.fd >= 0 && guest.part())
  return { guest, port, owner }
}

/** A client of the guest's socket. */
function connect(port: number, host = '127.0.0.2'): net.Socket {
  const client = net.connect(port, host).on('error', () => {})
  ends.push(() => client.destroy())
  return client
}

function connections(server: net.Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}

describe('a connection that a guest accepts', () => {
  test('is a connection of the server', async () => {
    const server = net.createServer((socket) => socket.end('hello'))
    const { guest, port } = await join(server)
    const accepted = once(server, 'connection') as Promise<[net.Socket]>
    const client = connect(port)
    const [text] = await once(client, 'data')
    expect(String(text)).toBe('hello')
    const [socket] = await accepted
    expect((socket as unknown as { server: unknown }).server).toBe(server)
    expect(socket.localAddress).toBe('127.0.0.2')
    expect(guest.accepted).toBe(1)
    client.destroy()
    await expect.poll(() => connections(server)).toBe(0)
    // Its own clients are served as before, and are not counted.
    await once(connect(port, HOST), 'data')
    expect(guest.accepted).toBe(1)
  })

  test.each(['http', 'https'])('is served by %s', async (kind) => {
    const answer: http.RequestListener = (request, response) => response.end(`${request.socket.localAddress}`)
    const server = kind === 'http' ? http.createServer(answer) : https.createServer(credentials, answer)
    const { guest, port } = await join(server)
    const get = kind === 'http' ? http.get : https.get
    const request = get({ port, host: '127.0.0.2', agent: false, rejectUnauthorized: false } as https.RequestOptions)
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    expect(String(await response.toArray())).toBe('127.0.0.2')
    expect(guest.accepted).toBe(1)
  })

  test.each(['http', 'https'])('is served by http2 over %s', async (protocol) => {
    const answer = (_request: http2.Http2ServerRequest, response: http2.Http2ServerResponse): void => {
      response.end('two')
    }
    const server = protocol === 'http' ? http2.createServer(answer) : http2.createSecureServer(credentials, answer)
    const { guest, port } = await join(server as unknown as net.Server)
    const session = http2.connect(`${protocol}://127.0.0.2:${port}`, { rejectUnauthorized: false })
    const stream = session.request()
    expect(String(await stream.toArray())).toBe('two')
    expect(guest.accepted).toBe(1)
    session.close()
    await once(session, 'close')
  })

  test('resumes a TLS session of the server', async () => {
    const server = tls.createServer(credentials, (socket) => socket.end('hello'))
    const { guest, port } = await join(server)
    const visit = async (
      host: string,
      session?: Buffer,
    ): Promise<{ readonly isReused: boolean; readonly session: Buffer | undefined }> => {
      // From 22 on a client resumes a session only with the name that it had.
      const client = tls.connect({ port, host, servername: 'one', session, rejectUnauthorized: false })
      const seen = { isReused: false, session: undefined as Buffer | undefined }
      client.on('session', (ticket) => {
        seen.session = ticket
      })
      await once(client, 'secureConnect')
      seen.isReused = client.isSessionReused()
      await once(client.resume(), 'end')
      return seen
    }
    const first = await visit(HOST)
    const second = await visit('127.0.0.2', first.session)
    expect([first.isReused, second.isReused, guest.accepted]).toEqual([false, true, 1])
  })

  test('is dropped where the server has enough', async () => {
    const server = net.createServer()
    server.maxConnections = 1
    const { guest, port } = await join(server)
    const first = once(server, 'connection')
    connect(port, HOST)
    await first
    const dropped = once(server, 'drop') as Promise<[net.DropArgument]>
    await once(connect(port).resume(), 'close')
    expect((await dropped)[0]).toMatchObject({ localAddress: '127.0.0.2', localPort: port })
    expect([guest.accepted, await connections(server)]).toEqual([1, 1])
  })

  test('has the options of the server', async () => {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true })
    const { port } = await join(server)
    const calls: string[] = []
    const own = (server as unknown as { _handle: { onconnection(status: number, client: object): void } })._handle
    const { onconnection } = own
    // As a program, or another part of this one, that looks at each connection first.
    own.onconnection = function (status, client) {
      const spied = client as Record<string, (...args: unknown[]) => unknown>
      for (const name of ['setNoDelay', 'setKeepAlive', 'readStart']) {
        const real = spied[name] as (...args: unknown[]) => unknown
        spied[name] = (...args) => {
          calls.push(name)
          return Reflect.apply(real, client, args)
        }
      }
      Reflect.apply(onconnection, this, [status, client])
    }
    const accepted = once(server, 'connection') as Promise<[net.Socket]>
    connect(port).end('text')
    const [socket] = await accepted
    expect([socket.isPaused(), socket.allowHalfOpen, calls]).toEqual([true, true, ['setNoDelay', 'setKeepAlive']])
    const ended = once(socket, 'end')
    socket.resume()
    await ended
    expect(socket.writable).toBe(true)
    socket.end()
  })

  test('runs in the async context of the server, or of nobody', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const server = net.createServer((socket) => {
      seen.push(context.getStore())
      socket.end()
    })
    const port = await context.run('server', async () => {
      rememberContext(server as never)
      return listening(server)
    })
    await context.run('message', () => join(server))
    for (const host of [HOST, '127.0.0.2']) await once(connect(port, host).resume(), 'close')
    expect(seen).toEqual(['server', 'server'])
  })

  test('is counted and drained with the others', async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/slow') slow = response
    })
    let slow: http.ServerResponse | undefined
    const { guest, port } = await join(server)
    const counted = new ServerConnections(server as never)
    ends.push(() => counted.forget())
    const request = http.get({ port, host: '127.0.0.2', path: '/slow', agent: false })
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
    await expect.poll(() => slow).toBeDefined()
    expect([counted.accepted, await counted.count()]).toEqual([1, 1])
    guest.part()
    let isDrained = false
    const draining = drain(server as never, { idleTimeout: 100 }).finally(() => {
      isDrained = true
    })
    await expect.poll(() => server.listening).toBe(false)
    expect(isDrained).toBe(false)
    slow?.end('late')
    const [response] = await answered
    expect([response.headers.connection, String(await response.toArray())]).toEqual(['close', 'late'])
    expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0, connectionsLeft: 0 })
  })
})

describe('a guest', () => {
  test('that parts accepts no more, and leaves the queue to its owner', async () => {
    const server = net.createServer((socket) => socket.end())
    const { guest, port, owner } = await join(server)
    await once(connect(port).resume(), 'close')
    const { fd } = guest
    guest.part()
    expect([isOpen(fd), isOpen(owner), guest.fd < 0]).toEqual([false, true, true])
    await once(connect(port), 'connect')
    await expect.poll(() => waitingConnections(addon, owner)).toBe(1)
    // Turns in which it would have been accepted.
    await once(connect(port, HOST).resume(), 'close')
    expect([guest.accepted, waitingConnections(addon, owner)]).toEqual([1, 1])
  })

  test('changes nothing that the program sees of its server, and does not delay its close', async () => {
    const server = net.createServer()
    const port = await listening(server)
    const before = [
      server.address(),
      process
        .getActiveResourcesInfo()
        .filter((name) => /^TCPS/.test(name))
        .sort(),
    ]
    const { guest } = await join(server)
    expect([
      server.address(),
      process
        .getActiveResourcesInfo()
        .filter((name) => /^TCPS/.test(name))
        .sort(),
    ]).toEqual(before)
    await closed(server)
    expect(server.listening).toBe(false)
    // Nobody has told the guest: what it accepts then has no server.
    await once(connect(port).resume(), 'close')
    await expect.poll(() => guest.fd < 0).toBe(true)
    expect(guest.accepted).toBe(0)
  })

  test('goes on after a connection that was reset while it waited', async () => {
    const server = net.createServer((socket) => socket.on('error', () => {}).end('hello'))
    const port = await listening(server)
    const { handle, owner } = foreign(port)
    const client = connect(port)
    await once(client, 'connect')
    await expect.poll(() => waitingConnections(addon, owner)).toBe(1)
    client.resetAndDestroy()
    const guest = GuestListener.open(server as never, handle, OPTIONS)
    ends.push(() => guest?.part())
    await once(connect(port), 'data')
    expect(guest?.accepted).toBe(2)
  })

  test('ends by itself before descriptors run out: libuv would close what waits in the queue', async () => {
    let ended = 0
    const fds: number[] = []
    const server = net.createServer((socket) => socket.end('hello'))
    await listening(server)
    const lowest = openSync('/dev/null', 'r')
    closeSync(lowest)
    const { guest, port, owner } = await join(server, {
      // Two are the socket's, eight the clients': the fifth connection cannot get a lower one.
      descriptors: lowest + 14,
      accepted: (fd) => fds.push(fd),
      ended: () => ended++,
    })
    const clients = Array.from({ length: 8 }, () => connect(port))
    await expect.poll(() => ended).toBe(1)
    expect(guest.fd < 0).toBe(true)
    expect(fds).toHaveLength(guest.accepted)
    await expect.poll(() => waitingConnections(addon, owner)).toBe(8 - guest.accepted)
    expect(clients.filter(({ destroyed }) => destroyed).length).toBeLessThanOrEqual(guest.accepted)
    const handle = handleFor(addon, owner)
    ends.push(() => handle.close())
    expect(GuestListener.open(server as never, handle, { ...OPTIONS, descriptors: 3 })).toBeUndefined()
  })

  test('leaves its socket to the caller where the server cannot accept from it', async () => {
    const server = net.createServer()
    const other = net.createServer()
    const [port] = [await listening(server), await listening(other)]
    const { handle } = foreign(port)
    const { fd } = handle
    const open = (of: object, from: unknown): unknown => GuestListener.open(of as never, from, OPTIONS)
    expect(open(other, handle)).toBeUndefined()
    // As of a runtime without these internals, of a server on a path, and of one that is closed.
    expect(open({ address: () => ({ port }), _handle: {} }, handle)).toBeUndefined()
    expect(open({ address: () => 'path', _handle: { onconnection() {} } }, handle)).toBeUndefined()
    expect(open(net.createServer(), handle)).toBeUndefined()
    for (const none of [undefined, null, 7, {}, { fd: 1 }, { fd }]) expect(open(server, none)).toBeUndefined()
    expect(isOpen(fd)).toBe(true)
    handle.close()
    const file = openSync('/dev/null', 'r')
    expect(socketHandle(file)).toBeUndefined()
    closeSync(file)
  })
})

test.each(Object.keys(SERVER_KINDS))('a server of the kind %s joins', async (kind) => {
  const server = SERVER_KINDS[kind]?.() as net.Server
  const accepted = once(server, 'connection')
  const { guest, port } = await join(server)
  const client = connect(port)
  await accepted
  expect(guest.accepted).toBe(1)
  client.destroy()
  await expect.poll(() => connections(server)).toBe(0)
})
