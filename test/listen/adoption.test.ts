// How a server comes by its descriptor, where Node is not what it is today.
import { closeSync, openSync } from 'node:fs'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { capabilities, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { ask } from '../support/clients.js'
import { closed, once, portOf } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

const host = '127.0.0.1'
const internals = net as unknown as { _createServerHandle: unknown }

let before: readonly string[]

beforeEach(() => {
  capabilities()
  before = openSockets()
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** Node without the function that this library would rather use. */
function without<T>(createServerHandle: unknown, action: () => T): T {
  const { _createServerHandle: own } = internals
  internals._createServerHandle = createServerHandle
  try {
    return action()
  } finally {
    internals._createServerHandle = own
  }
}

describe('without _createServerHandle', () => {
  test('the documented listen({ fd }) serves', async () => {
    const server = without(undefined, () =>
      openReusePortSocket({ host }).listen(net.createServer((socket) => socket.end('served'))),
    )
    await once(server, 'listening')
    expect(await ask(portOf(server))).toBe('served')
    await closed(server)
    expect(openSockets()).toEqual(before)
  })

  test('a server that ignores the descriptor and listens elsewhere is stopped, with the reason', async () => {
    const server = net.createServer()
    const { listen } = server
    vi.spyOn(server, 'listen').mockImplementation(() => Reflect.apply(listen, server, [0]))
    without(undefined, () => listenReusePort(server, 0))
    expect(server.listening).toBe(false)
    expect(openSockets()).toEqual(before)
    expect(await once(server, 'error')).toMatchObject({
      code: 'ERR_REUSEPORT_UNSUPPORTED',
      reason: expect.stringContaining('ignores the descriptor'),
    })
  })

  test('what listen({ fd }) does not take is closed', async () => {
    const server = net.createServer()
    vi.spyOn(server, 'listen').mockReturnValue(server)
    without(undefined, () => listenReusePort(server, 0))
    expect(server.listening).toBe(false)
    expect(openSockets()).toEqual(before)
  })
})

test('a handle that cannot be opened is an error of the server, and the descriptor is closed', async () => {
  const server = without(
    () => -22,
    () => listenReusePort(net.createServer(), 0),
  )
  expect(openSockets()).toEqual(before)
  expect(await once(server, 'error')).toMatchObject({ code: 'EINVAL', syscall: 'listen', address: '::' })
  await closed(listenReusePort(server, 0))
})

test('a handle that cannot be made at all leaves nothing open, and a socket stays its owner’s', () => {
  const refuse = (): never => {
    throw new Error('denied')
  }
  expect(() => without(refuse, () => listenReusePort(net.createServer(), 0))).toThrow('denied')
  expect(openSockets()).toEqual(before)
  const socket = openReusePortSocket()
  expect(() => without(refuse, () => socket.listen(net.createServer()))).toThrow('denied')
  expect(socket.address().address).toBe('::')
  socket.close()
  expect(openSockets()).toEqual(before)
})

test('a server that knows no _listeningId listens', async () => {
  const server = net.createServer()
  Reflect.deleteProperty(server, '_listeningId')
  listenReusePort(server, 0, host)
  await once(server, 'listening')
  await closed(server)
})

test('a descriptor that was closed behind its back is not closed again', () => {
  const socket = openReusePortSocket()
  const { fd } = socket
  closeSync(fd)
  const stranger = openSync('/dev/null', 'r')
  expect(stranger, 'the kernel gives the lowest free number').toBe(fd)
  socket.close()
  closeSync(stranger)
})

test.each(['first', 'second'] as const)(
  'a socket whose number went to another socket closes nothing: the %s closes first',
  async (order) => {
    const before = openSockets()
    const lost = openReusePortSocket()
    const { fd } = lost
    closeSync(fd)
    const other = openReusePortSocket()
    expect(other.fd, 'the kernel gives the lowest free number').toBe(fd)
    const { port } = other.address()
    const isClosed = expect.objectContaining({ code: 'ERR_REUSEPORT_SOCKET_CLOSED' })
    expect(() => lost.address()).toThrow(isClosed)
    expect(() => lost.getOption('noDelay')).toThrow(isClosed)
    expect(() => lost.listen(net.createServer())).toThrow(isClosed)
    if (order === 'first') {
      lost.close()
      const server = other.listen(net.createServer())
      expect(portOf(server)).toBe(port)
      await closed(server)
    } else {
      other.close()
      const next = openSync('/dev/null', 'r')
      expect(next).toBe(fd)
      lost.close()
      closeSync(next)
    }
    expect(openSockets()).toEqual(before)
  },
)

test('a server that was given its handle keeps it when its listen throws afterwards', async () => {
  const server = net.createServer()
  const { listen } = server
  server.listen = function (this: net.Server, ...args: unknown[]): never {
    Reflect.apply(listen, this, args)
    throw new Error('too late')
  } as typeof listen
  expect(() => listenReusePort(server, 0)).toThrow('too late')
  expect(server.listening).toBe(true)
  await closed(server)
  expect(openSockets()).toEqual(before)
})

test.each([undefined, host])('the handle of a server is as Node makes it: host %s', async (where) => {
  const handleOf = (server: net.Server): object => (server as unknown as { readonly _handle: object })._handle
  const core = net.createServer().listen(0, where)
  const ours = listenReusePort(net.createServer(), 0, where)
  await Promise.all([core, ours].map((server) => once(server, 'listening')))
  const [expected, handle] = [handleOf(core), handleOf(ours)]
  expect(Reflect.ownKeys(handle)).toEqual(Reflect.ownKeys(expected))
  expect(Object.getPrototypeOf(handle)).toBe(Object.getPrototypeOf(expected))
  await Promise.all([core, ours].map(closed))
})
