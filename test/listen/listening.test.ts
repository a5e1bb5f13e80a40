// `listening`, whichever way a server or dgram socket gets there, and what it leaves behind.
import dgram from 'node:dgram'
import type { EventEmitter } from 'node:events'
import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { bindReusePort, listening, listenReusePort } from '../../src/index.js'
import { bound } from '../support/datagrams.js'
import { closed, occupyPort } from '../support/listeners.js'

const host = '127.0.0.1'

function expectNoListeners(emitter: EventEmitter): void {
  expect(['listening', 'error', 'close'].map((name) => emitter.listenerCount(name))).toEqual([0, 0, 0])
}

describe.each([
  ['at once', { port: 0 }],
  ['after a lookup', { port: 0, host }],
])('a server that listens %s', (_when, options) => {
  test('comes back', async () => {
    const server = listenReusePort(net.createServer(), options)
    expect(await listening(server)).toBe(server)
    expect(server.listening).toBe(true)
    expectNoListeners(server)
    expect(await listening(server)).toBe(server)
    await closed(server)
  })
})

test('by any other call, also one that comes later, or a path', async () => {
  const server = net.createServer()
  const waiting = listening(server)
  server.listen(0, host)
  await waiting
  await closed(server)
  const onPath = listenReusePort(net.createServer(), `\0reuseport-listening-${process.pid}`)
  await listening(onPath)
  await closed(onPath)
})

test('a close of an earlier life ends no wait for a later call, and any other does', async () => {
  const server = await listening(listenReusePort(net.createServer(), 0))
  server.close()
  listenReusePort(server, { port: 0, host: 'localhost' })
  expect(await listening(server)).toBe(server)
  expectNoListeners(server)
  server.close()
  await expect(listening(server)).rejects.toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' })
  listenReusePort(server, { port: 0, host: 'localhost' })
  server.close()
  await expect(listening(server)).rejects.toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' })
  expectNoListeners(server)
})

describe('a server that cannot listen', () => {
  test('rejects with its error, which needs no other listener, and so does a call that comes after', async () => {
    await using taken = await occupyPort(host)
    const server = net.createServer()
    const waiting = listening(listenReusePort(server, { port: taken.port, host }))
    const refused = { code: 'EADDRINUSE', reason: 'not-shared' }
    await expect(waiting).rejects.toMatchObject(refused)
    expectNoListeners(server)
    await expect(listening(server)).rejects.toBe(await waiting.catch((error) => error))

    // Another call is under way, or has succeeded.
    listenReusePort(server, { port: 0, host })
    await listening(server)
    await closed(server)
  })

  test('a later listen of Node is waited for', async () => {
    const server = net.createServer()
    await expect(listening(listenReusePort(server, { port: 0, host: '192.0.2.1' }))).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    })
    server.listen(0, 'localhost')
    await listening(server)
    await closed(server)
  })

  test('by its lookup', async () => {
    const server = listenReusePort(net.createServer(), { port: 0, host: 'host.invalid' })
    await expect(listening(server)).rejects.toMatchObject({ syscall: 'getaddrinfo' })
    await expect(listening(server)).rejects.toMatchObject({ syscall: 'getaddrinfo' })
  })

  test('closed during the lookup', async () => {
    const server = listenReusePort(net.createServer(), { port: 0, host: 'localhost' })
    const waiting = listening(server)
    server.close()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' })
    expectNoListeners(server)
  })
})

describe('a signal', () => {
  test('ends the wait, and leaves the server alone', async () => {
    const server = net.createServer()
    const reason = new Error('enough')
    const abort = new AbortController()
    const waiting = listening(server, { signal: abort.signal })
    abort.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expectNoListeners(server)
    await expect(listening(server, { signal: abort.signal })).rejects.toBe(reason)
    await listening(listenReusePort(server, 0))
    await closed(server)
  })

  test('that does not abort keeps nothing', async () => {
    const { signal } = new AbortController()
    const held: string[] = []
    const watched = {
      aborted: false,
      addEventListener: (type: 'abort', listener: () => void) => {
        held.push(type)
        signal.addEventListener(type, listener)
      },
      removeEventListener: (type: 'abort', listener: () => void) => {
        held.pop()
        signal.removeEventListener(type, listener)
      },
    }
    const server = net.createServer()
    const waiting = listening(server, { signal: watched })
    listenReusePort(server, { port: 0, host })
    await waiting
    expect(held).toEqual([])
    await closed(server)
  })
})

describe('a dgram socket', () => {
  test('comes back when it is bound, and at once where it is', async () => {
    const socket = bindReusePort(dgram.createSocket('udp4'), { port: 0, address: host })
    expect(await listening(socket)).toBe(socket)
    expectNoListeners(socket)
    expect(await listening(socket)).toBe(socket)
    expect(socket.address().port).toBeGreaterThan(0)
    socket.close()
    await expect(listening(socket)).rejects.toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
  })

  test('rejects with its error, also after it', async () => {
    const taken = dgram.createSocket('udp4')
    await bound(taken, () => taken.bind(0, host))
    const socket = dgram.createSocket('udp4')
    const { port } = taken.address()
    await expect(listening(bindReusePort(socket, port, host))).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(listening(socket)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    socket.bind(0, host)
    await listening(socket)
    for (const one of [taken, socket]) one.close()
  })
})

test.each([
  [[{}], 'ERR_INVALID_ARG_TYPE'],
  [[net.createServer(), 5], 'ERR_INVALID_ARG_TYPE'],
  [[net.createServer(), { signal: 5 }], 'ERR_INVALID_ARG_TYPE'],
  [[net.createServer(), { timeout: 5 }], 'ERR_REUSEPORT_UNKNOWN_OPTION'],
])('rejects for %o', async (args, code) => {
  await expect(Reflect.apply(listening, undefined, args)).rejects.toMatchObject({ code })
})
