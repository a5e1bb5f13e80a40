import dgram from 'node:dgram'
import { fstatSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { expect, test } from 'vitest'
import { listenReusePort, openReusePortSocket } from '../../src/index.js'
import { ask } from '../support/clients.js'
import { closed, once, portOf, SERVER_KINDS } from '../support/listeners.js'
import { acceptQueueLimit, listenersOn, openSockets } from '../support/sockets.js'

const host = '127.0.0.1'

test('owns a listening descriptor, and its port is known at once', () => {
  using socket = openReusePortSocket({ host, backlog: 17 })
  const { address, family, port } = socket.address()
  expect({ address, family }).toEqual({ address: host, family: 'IPv4' })
  expect(openSockets().some((row) => row.startsWith(`${socket.fd} `))).toBe(true)
  expect(acceptQueueLimit(port)).toBe(17)
  using second = openReusePortSocket({ host, port })
  expect(second.address().port).toBe(port)
})

test('without a host it listens on ::', () => {
  using socket = openReusePortSocket()
  expect(socket.address()).toMatchObject({ address: '::', family: 'IPv6' })
})

test.each(Object.entries(SERVER_KINDS))('hands itself to a %s server', async (_kind, createServer) => {
  const before = openSockets()
  const socket = openReusePortSocket({ host })
  const { port } = socket.address()
  const server = createServer()
  let called = 0
  expect(
    socket.listen(server, () => {
      called++
    }),
  ).toBe(server)
  await once(server, 'listening')
  expect(called).toBe(1)
  expect(portOf(server)).toBe(port)
  expect(server).toMatchObject({ _connectionKey: `4:${host}:0` })
  await closed(server)
  expect(openSockets()).toEqual(before)
})

test('connections that came before the server are served', async () => {
  const socket = openReusePortSocket({ host })
  const answer = ask(socket.address().port)
  await new Promise((resolve) => setTimeout(resolve, 20))
  const server = socket.listen(net.createServer((connection) => connection.end('served')))
  expect(await answer).toBe('served')
  await closed(server)
})

test('close() closes the descriptor, at once', () => {
  const socket = openReusePortSocket({ host: '127.0.0.1' })
  const { fd } = socket
  const { port } = socket.address()
  expect(listenersOn(port)).toHaveLength(1)
  socket.close()
  expect(listenersOn(port)).toEqual([])
  expect(() => fstatSync(fd)).toThrow('EBADF')
})

test('used after close() or listen() it says so', async () => {
  const socket = openReusePortSocket({ host })
  socket.close()
  socket.close()
  socket[Symbol.dispose]()
  const error = expect.objectContaining({ code: 'ERR_REUSEPORT_SOCKET_CLOSED', message: 'The socket is closed' })
  expect(() => socket.fd).toThrow(error)
  expect(() => socket.address()).toThrow(error)
  expect(() => socket.listen(net.createServer())).toThrow(error)

  const given = openReusePortSocket({ host })
  const server = given.listen(net.createServer())
  const adopted = expect.objectContaining({ code: 'ERR_REUSEPORT_SOCKET_ADOPTED' })
  expect(() => given.fd).toThrow(adopted)
  expect(() => given.address()).toThrow(adopted)
  expect(() => given.listen(net.createServer())).toThrow(adopted)
  given.close()
  given[Symbol.dispose]()
  expect(server.listening).toBe(true)
  await closed(server)
})

test('a server that listens already is refused, and the socket stays', async () => {
  using socket = openReusePortSocket({ host })
  const server = net.createServer().listen(0)
  const listeners = server.listenerCount('listening')
  expect(() => socket.listen(server, () => {})).toThrow(expect.objectContaining({ code: 'ERR_SERVER_ALREADY_LISTEN' }))
  expect(server.listenerCount('listening')).toBe(listeners)
  expect(socket.address().address).toBe(host)
  await closed(server)
})

test('a pending lookup of the server does not take it back', async () => {
  const server = net.createServer()
  server.listen(0, 'localhost')
  const socket = openReusePortSocket({ host: '127.0.0.2' })
  socket.listen(server)
  await once(server, 'listening')
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect((server.address() as net.AddressInfo).address).toBe('127.0.0.2')
  await closed(server)
})

test.each([
  [
    'no options object',
    'port',
    'ERR_INVALID_ARG_TYPE',
    'The "options" argument must be of type object. Received type string (\'port\')',
  ],
  ['null', null, 'ERR_INVALID_ARG_TYPE', 'The "options" argument must be of type object. Received null'],
  [
    'a port out of range',
    { port: 65536 },
    'ERR_SOCKET_BAD_PORT',
    'options.port should be >= 0 and < 65536. Received type number (65536).',
  ],
  [
    'a port that is a text',
    { port: '80' },
    'ERR_SOCKET_BAD_PORT',
    "options.port should be >= 0 and < 65536. Received type string ('80').",
  ],
  [
    'a host that is no text',
    { host: 4 },
    'ERR_INVALID_ARG_TYPE',
    'The "options.host" property must be of type string. Received type number (4)',
  ],
  [
    'a host name',
    { host: 'localhost' },
    'ERR_INVALID_ARG_VALUE',
    "The property 'options.host' must be a numeric address: openReusePortSocket does not look names up. Received 'localhost'",
  ],
  [
    'a backlog of 0',
    { backlog: 0 },
    'ERR_OUT_OF_RANGE',
    'The value of "options.backlog" is out of range. It must be an integer >= 1 and <= 2147483647. Received 0',
  ],
  [
    'a backlog that is a text',
    { backlog: '5' },
    'ERR_INVALID_ARG_TYPE',
    'The "options.backlog" property must be of type number. Received type string (\'5\')',
  ],
  [
    'ipv6Only that is no boolean',
    { ipv6Only: 1 },
    'ERR_INVALID_ARG_TYPE',
    'The "options.ipv6Only" property must be of type boolean. Received type number (1)',
  ],
  [
    'a fallback there is no socket for',
    { fallback: 'exclusive' },
    'ERR_INVALID_ARG_VALUE',
    "The property 'options.fallback' must be one of: 'error', 'unbalanced'. Received 'exclusive'",
  ],
  [
    'a misspelt name',
    { backLog: 5 },
    'ERR_REUSEPORT_UNKNOWN_OPTION',
    "The option 'options.backLog' is unknown. Did you mean 'backlog'?",
  ],
  [
    'a name like no other',
    { zzz: 5 },
    'ERR_REUSEPORT_UNKNOWN_OPTION',
    "The option 'options.zzz' is unknown. Known options are port, host, backlog, ipv6Only, fallback, socketOptions, rawSocketOptions, onSocket, maxMembers",
  ],
])('refuses %s', (_what, options, code, message) => {
  const before = openSockets()
  expect(() => openReusePortSocket(options as object)).toThrow(expect.objectContaining({ code, message }))
  expect(openSockets()).toEqual(before)
})

test('what is not a server is refused with a hint', () => {
  using socket = openReusePortSocket({ host })
  const express = Object.assign(() => {}, { listen: () => {} })
  const framework = { server: http.createServer(), listen: () => {} }
  const refused = (message: string) => expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE', message })
  const listen = (server: unknown) => () => Reflect.apply(socket.listen, socket, [server])
  expect(listen(undefined)).toThrow(
    refused('The "server" argument must be an instance of net.Server. Received undefined'),
  )
  expect(listen({})).toThrow(
    refused('The "server" argument must be an instance of net.Server. Received an instance of Object'),
  )
  expect(listen(express)).toThrow(/For an Express app pass http\.createServer\(app\)$/)
  expect(listen(framework)).toThrow(/Pass the \.server of this object$/)
  const datagrams = dgram.createSocket('udp4')
  expect(listen(datagrams)).toThrow(/Received an instance of Socket\. Use bindReusePort for a dgram socket$/)
  expect(() => Reflect.apply(listenReusePort, undefined, [datagrams, 0])).toThrow(
    /Use bindReusePort for a dgram socket$/,
  )
  datagrams.close()
  expect(socket.address().address).toBe(host)
})
