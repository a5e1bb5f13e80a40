// The moment between configuration and bind.
import { fstatSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  capabilities,
  effectiveSocketOptions,
  listenReusePort,
  openReusePortSocket,
  type UnboundSocket,
} from '../../src/index.js'
import { closed, once } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

const host = '127.0.0.1'
let before: readonly string[]

beforeEach(() => {
  capabilities()
  before = openSockets()
})

afterEach(() => {
  expect(openSockets()).toEqual(before)
})

test('it has the options, and no address yet; it is called inside the call where nothing is looked up', async () => {
  const seen: unknown[] = []
  const server = listenReusePort(createServer(), {
    port: 0,
    socketOptions: { receiveBufferSize: 10_000 },
    rawSocketOptions: [{ level: 1, name: 9, value: 1 }],
    onSocket(socket) {
      expect(fstatSync(socket.fd).isSocket()).toBe(true)
      seen.push(socket.transport, socket.family, socket.getOption('receiveBufferSize'), socket.getOption('keepAlive'))
      socket.setOption('receiveBufferSize', 20_000)
      socket.setOption('keepAlive', { idle: 33 })
      socket.setRawOption({ level: 6, name: 1, value: Uint8Array.of(1, 0, 0, 0) })
    },
  })
  expect(seen).toEqual(['tcp', 6, 20_000, expect.objectContaining({ idle: expect.any(Number) })])
  expect(effectiveSocketOptions(server)).toMatchObject({
    receiveBufferSize: 40_000,
    keepAlive: { idle: 33 },
    noDelay: true,
  })
  await once(server, 'listening')
  await closed(server)
})

describe('what it throws', () => {
  test.each([[new Error('not today')], ['text'], [undefined]])(
    'closes the socket and is the error: %s',
    async (thrown) => {
      const onSocket = (): never => {
        throw thrown
      }
      const server = createServer()
      const failed = new Promise((resolve) => server.once('error', (error) => resolve({ error })))
      listenReusePort(server, { port: 0, host, onSocket })
      expect(await failed).toEqual({ error: thrown })
      expect(server.listening).toBe(false)
      await closed(listenReusePort(server, 0))
    },
  )

  test('is thrown by openReusePortSocket, and not tried again on 0.0.0.0', () => {
    let calls = 0
    const error = new Error('not today')
    const onSocket = (): never => {
      calls++
      throw error
    }
    expect(() => openReusePortSocket({ onSocket })).toThrow(error)
    expect(calls).toBe(1)
  })

  test('so is what setOption throws', () => {
    const set = (name: string, value: unknown) => (socket: UnboundSocket) =>
      Reflect.apply(socket.setOption, socket, [name, value])
    const codeOf = (onSocket: (socket: UnboundSocket) => void) => {
      try {
        openReusePortSocket({ onSocket })
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(codeOf(set('ttl', 0))).toBe('ERR_OUT_OF_RANGE')
    expect(codeOf(set('tlt', 1))).toBe('ERR_REUSEPORT_UNKNOWN_OPTION')
    expect(codeOf(set('ttl', undefined))).toBe('ERR_INVALID_ARG_TYPE')
    expect(codeOf(set('optional', ['ttl']))).toBe('ERR_INVALID_ARG_TYPE')
    expect(codeOf(set('mptcp', true))).toBe('ERR_INVALID_ARG_VALUE')
    expect(codeOf(set('acceptFilter', 'dataready'))).toBe('ERR_REUSEPORT_OPTION_UNSUPPORTED')
    expect(codeOf((socket) => void socket.getOption('nothing' as 'ttl'))).toBe('ERR_REUSEPORT_UNKNOWN_OPTION')
    expect(codeOf((socket) => socket.setRawOption({ level: 6, name: 9999, value: 1 }))).toBe(
      'ERR_REUSEPORT_OPTION_UNSUPPORTED',
    )
  })

  test('a promise is refused: bind would not wait for it', () => {
    const onSocket = (async () => {}) as unknown as (socket: UnboundSocket) => void
    expect(() => openReusePortSocket({ onSocket })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringContaining("'options.onSocket' must not be asynchronous"),
      }),
    )
  })
})

test('afterwards it is bound, and no longer configured', () => {
  const kept: UnboundSocket[] = []
  using socket = openReusePortSocket({ onSocket: (one) => void kept.push(one) })
  const [unbound] = kept as [UnboundSocket]
  const error = expect.objectContaining({ code: 'ERR_REUSEPORT_SOCKET_BOUND' })
  expect(unbound.family).toBe(6)
  expect(() => unbound.fd).toThrow(error)
  expect(() => unbound.getOption('ttl')).toThrow(error)
  expect(() => unbound.setOption('ttl', 5)).toThrow(error)
  expect(() => unbound.setRawOption({ level: 1, name: 9, value: 1 })).toThrow(error)
  expect(socket.getOption('ttl')).toBe(64)
})

test('it may close the server, as while a host is looked up', async () => {
  const server = createServer()
  const events: string[] = []
  for (const event of ['error', 'listening', 'close']) server.on(event, () => events.push(event))
  listenReusePort(server, { port: 0, onSocket: () => void server.close() })
  expect(server.listening).toBe(false)
  await new Promise((resolve) => setImmediate(resolve))
  expect(events).toEqual(['close'])
})

test('it may tell the server to listen elsewhere, which then counts', async () => {
  const server = createServer()
  listenReusePort(server, { port: 0, onSocket: () => void server.listen(0, '127.0.0.2') })
  await once(server, 'listening')
  expect(server.address()).toMatchObject({ address: '127.0.0.2' })
  await closed(server)
})

test('raw options come in their order, after the named ones, at their stage', () => {
  const order: unknown[] = []
  const ttl = (value: number, stage?: 'before-listen' | 'after-listen') => ({ level: 0, name: 2, value, stage })
  using socket = openReusePortSocket({
    host,
    socketOptions: { ttl: 10 },
    rawSocketOptions: [ttl(14, 'after-listen'), ttl(11), ttl(12), ttl(13, 'before-listen')],
    onSocket: (unbound) => void order.push(unbound.getOption('ttl')),
  })
  order.push(socket.getOption('ttl'))
  expect(order).toEqual([12, 14])
})
