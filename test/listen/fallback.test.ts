import dgram from 'node:dgram'
import net from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { AddonState } from '../../src/native/addon.js'
import { bound } from '../support/datagrams.js'
import { closed, once, portOf } from '../support/listeners.js'

/** The system as another one would be, with this one's addon. */
async function on(platform: string): Promise<typeof import('../../src/index.js')> {
  vi.resetModules()
  const actual = await import('../../src/system/capabilities.js')
  const state: AddonState = (await import('../../src/native/addon.js')).loadAddon()
  const pretended = actual.combine(platform, state, { supported: true, reason: '', conclusive: true })
  vi.doMock('../../src/system/capabilities.js', () => ({ ...actual, capabilities: () => pretended }))
  return import('../../src/index.js')
}

afterEach(() => {
  vi.doUnmock('../../src/system/capabilities.js')
  vi.resetModules()
  vi.restoreAllMocks()
})

test.each([{}, { host: '127.0.0.1' }, { host: 'nothing.invalid' }])(
  'error: emitted on the next tick, with the reason: %j',
  async (where) => {
    const { listenReusePort } = await on('darwin')
    const server = net.createServer()
    let callbacks = 0
    listenReusePort(server, { port: 0, ...where }, () => {
      callbacks++
    })
    expect(server.listening).toBe(false)
    const emitted = once(server, 'error')
    let ticked = false
    process.nextTick(() => {
      ticked = true
    })
    expect(await emitted).toMatchObject({
      code: 'ERR_REUSEPORT_UNSUPPORTED',
      reason: expect.stringMatching(/^macOS lets .*fallback: 'unbalanced'/),
    })
    expect(ticked).toBe(true)
    expect(callbacks).toBe(0)
  },
)

test('unbalanced: shared all the same', async () => {
  const { listenReusePort } = await on('darwin')
  const first = listenReusePort(net.createServer(), { port: 0, fallback: 'unbalanced' })
  const second = listenReusePort(net.createServer(), { port: portOf(first), fallback: 'unbalanced' })
  await once(second, 'listening')
  await Promise.all([closed(first), closed(second)])
})

test('exclusive: a plain listen, and one warning', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { listenReusePort } = await on('win32')
  const first = listenReusePort(net.createServer(), { port: 0, host: '127.0.0.1', backlog: 9, fallback: 'exclusive' })
  await once(first, 'listening')
  const second = listenReusePort(net.createServer(), { port: portOf(first), host: '127.0.0.1', fallback: 'exclusive' })
  expect(await once(second, 'error')).toMatchObject({ code: 'EADDRINUSE' })
  expect(warn.mock.calls).toEqual([
    [
      expect.stringMatching(/^the port is not shared: Windows has no SO_REUSEPORT, /),
      { type: 'ReusePortWarning', code: 'REUSEPORT_FALLBACK_EXCLUSIVE' },
    ],
  ])
  await closed(first)
})

test('exclusive: the callback is called once and the signal closes', async () => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { listenReusePort } = await on('win32')
  const controller = new AbortController()
  let callbacks = 0
  const server = listenReusePort(
    net.createServer(),
    { port: 0, signal: controller.signal, fallback: 'exclusive' },
    () => {
      callbacks++
    },
  )
  await once(server, 'listening')
  controller.abort()
  await once(server, 'close')
  expect(callbacks).toBe(1)
})

test('openReusePortSocket: refused, or unbalanced', async () => {
  const { openReusePortSocket } = await on('darwin')
  expect(() => openReusePortSocket()).toThrow(expect.objectContaining({ code: 'ERR_REUSEPORT_UNSUPPORTED' }))
  using socket = openReusePortSocket({ fallback: 'unbalanced' })
  expect(socket.address().family).toBe('IPv6')
})

test.each([
  [{ socketOptions: { ttl: 5, noDelay: true, optional: ['ttl'] as const } }, 'socketOptions.noDelay'],
  [{ rawSocketOptions: [{ level: 1, name: 9, value: 1 }] }, 'rawSocketOptions'],
  [{ onSocket: (): void => {} }, 'onSocket'],
])('exclusive: what Node cannot be told is refused by its name: %j', async (options, name) => {
  const { listenReusePort } = await on('win32')
  const server = listenReusePort(net.createServer(), { port: 0, fallback: 'exclusive', ...options })
  expect(await once(server, 'error')).toMatchObject({
    code: 'ERR_REUSEPORT_UNSUPPORTED',
    reason: expect.stringMatching(
      new RegExp(`^${name} needs a socket that this library opens, but Windows has no SO_REUSEPORT,`),
    ),
  })
})

test('exclusive: optional options are left out', async () => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const { listenReusePort } = await on('win32')
  const socketOptions = { ttl: 5, optional: ['ttl'] as const }
  const server = listenReusePort(net.createServer(), { port: 0, fallback: 'exclusive', socketOptions })
  await once(server, 'listening')
  await closed(server)
})

describe('dgram', () => {
  test('error: emitted with the reason, once, and the socket can be bound by other means', async () => {
    const { bindReusePort } = await on('darwin')
    const socket = dgram.createSocket('udp4')
    let callbacks = 0
    const error = await bound(socket, () => bindReusePort(socket, { address: 'nothing.invalid' }, () => callbacks++))
    expect(error).toMatchObject({ code: 'ERR_REUSEPORT_UNSUPPORTED', reason: expect.stringMatching(/^macOS lets /) })
    expect(await bound(socket, () => socket.bind(0))).toBeUndefined()
    expect(callbacks).toBe(0)
    socket.close()
  })

  test('unbalanced: shared all the same', async () => {
    const { bindReusePort } = await on('darwin')
    const [first, second] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')]
    expect(await bound(first, () => bindReusePort(first, { fallback: 'unbalanced' }))).toBeUndefined()
    const { port } = first.address()
    expect(await bound(second, () => bindReusePort(second, { port, fallback: 'unbalanced' }))).toBeUndefined()
    for (const socket of [first, second]) socket.close()
  })

  test('exclusive: a plain bind with its callback and signal, and one warning', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const { bindReusePort } = await on('win32')
    const controller = new AbortController()
    const [first, second] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')]
    let callbacks = 0
    const options = { address: '127.0.0.1', fallback: 'exclusive' as const }
    const once = { ...options, signal: controller.signal }
    expect(await bound(first, () => bindReusePort(first, once, () => callbacks++))).toBeUndefined()
    const { port } = first.address()
    const taken = await bound(second, () => bindReusePort(second, { ...options, port }))
    expect(taken).toMatchObject({ code: 'EADDRINUSE' })
    controller.abort()
    await new Promise<void>((resolve) => first.once('close', resolve))
    expect(callbacks).toBe(1)
    expect(warn).toHaveBeenCalledTimes(1)
    second.close()
  })

  test('exclusive: what Node cannot be told is refused by its name', async () => {
    const { bindReusePort } = await on('win32')
    const socket = dgram.createSocket('udp4')
    const options = { fallback: 'exclusive' as const, socketOptions: { gro: true } }
    expect(await bound(socket, () => bindReusePort(socket, options))).toMatchObject({
      code: 'ERR_REUSEPORT_UNSUPPORTED',
      reason: expect.stringMatching(/^socketOptions\.gro needs a socket that this library opens, but /),
    })
    socket.close()
  })
})

test.each([['other'], [true], [null]])('%j is no fallback', async (fallback) => {
  const { listenReusePort } = await import('../../src/index.js')
  const server = net.createServer()
  expect(() => Reflect.apply(listenReusePort, undefined, [server, { port: 0, fallback }])).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringMatching(
        /^The property 'options.fallback' must be one of: 'error', 'unbalanced', 'exclusive'\. Received /,
      ),
    }),
  )
  expect(server.listening).toBe(false)
})

test('reusePort: false contradicts the call; true is what it does', async () => {
  const { listenReusePort } = await import('../../src/index.js')
  const options = Object.freeze({ port: 0, reusePort: true as const, exclusive: false })
  const server = listenReusePort(net.createServer(), options)
  expect(() => Reflect.apply(listenReusePort, undefined, [net.createServer(), { port: 0, reusePort: false }])).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  )
  await closed(server)
})
