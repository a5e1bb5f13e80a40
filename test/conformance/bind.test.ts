// bindReusePort against socket.bind, on the Node at hand: what is returned, thrown and emitted, and when.
import dgram, { type SocketOptions as CreateOptions } from 'node:dgram'
import dns from 'node:dns'
import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { bindReusePort, capabilities } from '../../src/index.js'
import { bound } from '../support/datagrams.js'
import { type Bind, observeBind } from '../support/observe-bind.js'
import { openSockets } from '../support/sockets.js'

const core: Bind = (socket, ...args) => Reflect.apply(socket.bind, socket, args)
const ours: Bind = (socket, ...args) => Reflect.apply(bindReusePort, undefined, [socket, ...args])

const callback = (): void => {}
const taken = { udp4: 0, udp6: 0 }
const holders = [dgram.createSocket('udp4'), dgram.createSocket({ type: 'udp6', ipv6Only: true })] as const

beforeAll(async () => {
  capabilities()
  await bound(holders[0], () => holders[0].bind(0))
  await bound(holders[1], () => holders[1].bind(0))
  taken.udp4 = holders[0].address().port
  taken.udp6 = holders[1].address().port
})

afterAll(() => {
  for (const holder of holders) holder.close()
})

const ARGUMENTS: readonly (readonly [string, () => readonly unknown[]])[] = [
  ['nothing', () => []],
  ['a callback', () => [callback]],
  ['port 0', () => [0]],
  ['no port and a callback', () => [undefined, callback]],
  ['null', () => [null]],
  ['a port as text', () => ['0', callback]],
  ['port, address', () => [0, 'localhost']],
  ['port, address, callback', () => [0, 'localhost', callback]],
  ['port, no address, callback', () => [0, undefined, callback]],
  ['port, empty address', () => [0, '']],
  ['empty options', () => [{}]],
  ['options', () => [{ port: 0, address: 'localhost' }, callback]],
  ['options with exclusive', () => [{ port: 0, exclusive: true }]],
  ['options without an address', () => [{ port: 0, address: undefined }]],
  ['frozen options', () => [Object.freeze({ port: 0 })]],
  ['a taken port', () => [{ port: 'taken' }, callback]],
  ['a port that is not ours to take', () => [{ port: 0, address: '192.0.2.1' }]],
  ['the same with a port', () => [{ port: 9, address: '192.0.2.1' }, callback]],
  ['the same with a port as text', () => [{ port: '9', address: '192.0.2.1' }]],
  ['an address of the other family', () => [0, '::1']],
  ['an address of the other family (IPv4)', () => [0, '127.0.0.1']],
  ['a name that does not exist', () => [0, 'host.invalid', callback]],
  ['a null descriptor', () => [{ fd: 0 }]],
  ['a descriptor that is no socket', () => [{ fd: 1, exclusive: true }]],
]

describe.each(['udp4', 'udp6'] as const)('%s', (type) => {
  test.each(ARGUMENTS)('%s', async (_what, toArgs) => {
    const before = openSockets()
    const args = toArgs().map((arg) =>
      (arg as { port?: unknown } | null)?.port === 'taken' ? { port: taken[type] } : arg,
    )
    const create = (): dgram.Socket => dgram.createSocket(type)
    const expected = await observeBind(create(), core, args)
    const observed = await observeBind(create(), ours, args)
    expect(observed).toEqual(expected)
    expect(openSockets()).toEqual(before)
  })

  test.each([
    ['its own lookup', { lookup: (_name: string, family: number, found: Found) => found(null, HOME[type], family) }],
    [
      'a lookup that fails',
      { lookup: (_name: string, _family: number, found: Found) => found(new Error('no'), '', 0) },
    ],
    ['a lookup that answers at once', { lookup: dns.lookup }],
    ['buffer sizes', { recvBufferSize: 20_000, sendBufferSize: 30_000 }],
    ['ipv6Only', { ipv6Only: type === 'udp6' }],
    ['reuseAddr', { reuseAddr: true }],
  ] as readonly (readonly [string, Partial<CreateOptions>])[])('created with %s', async (_what, options) => {
    for (const args of [[], [0, 'somewhere', callback], [{ port: taken[type] }]]) {
      const create = (): dgram.Socket => dgram.createSocket({ type, ...options })
      expect(await observeBind(create(), ours, args)).toEqual(await observeBind(create(), core, args))
    }
  })
})

type Found = (error: Error | null, address: string, family: number) => void
const HOME = { udp4: '127.0.0.1', udp6: '::1' } as const

/** What both throw, and how often each was called. */
function thrownBy(action: () => unknown): unknown {
  try {
    action()
    return 'nothing'
  } catch (error) {
    const { name, message, code } = error as Error & { code: string }
    return { name, message, code }
  }
}

describe('a socket that cannot be bound', () => {
  test.each([
    ['closed', (socket: dgram.Socket) => socket.close()],
    ['bound', (socket: dgram.Socket) => bound(socket, () => socket.bind(0))],
    ['being bound', (socket: dgram.Socket) => void socket.bind(0)],
    ['being bound by us', (socket: dgram.Socket) => void bindReusePort(socket, 0)],
  ])('%s', async (_what, prepare) => {
    const socket = dgram.createSocket('udp4')
    await prepare(socket)
    expect(thrownBy(() => bindReusePort(socket, 0))).toEqual(thrownBy(() => socket.bind(0)))
    await new Promise((resolve) => setImmediate(resolve))
    expect(thrownBy(() => socket.close())).toEqual(_what === 'closed' ? thrownBy(() => socket.close()) : 'nothing')
  })
})

test('a descriptor or a handle goes to Node as it is', () => {
  for (const arg of [{ fd: 7, exclusive: true }, { recvStart: (): void => {} }]) {
    const socket = dgram.createSocket('udp4')
    const own = vi.spyOn(socket, 'bind').mockReturnValue(socket)
    expect(ours(socket, arg, callback)).toBe(socket)
    expect(own.mock.calls).toEqual([[arg, callback]])
    socket.close()
  }
})

test('after an error it may be bound again, by either', async () => {
  for (const again of [core, ours]) {
    const socket = dgram.createSocket('udp4')
    expect(await bound(socket, () => bindReusePort(socket, taken.udp4))).toMatchObject({ code: 'EADDRINUSE' })
    expect(await bound(socket, () => again(socket, 0))).toBeUndefined()
    socket.close()
  }
})

test('an address that is no text throws what Node throws, and leaves the socket as it was, which Node does not', async () => {
  const core = dgram.createSocket('udp4')
  const socket = dgram.createSocket('udp4')
  expect(thrownBy(() => ours(socket, 0, 5, callback))).toEqual(thrownBy(() => Reflect.apply(core.bind, core, [0, 5])))
  const controller = new AbortController()
  expect(() => ours(socket, { address: 5, signal: controller.signal })).toThrow()
  expect(socket.eventNames()).toEqual([])
  expect(await bound(socket, () => ours(socket, 0))).toBeUndefined()
  controller.abort()
  expect(socket.address().port).toBeGreaterThan(0)
  for (const one of [core, socket]) one.close()
})

test('what is sent while the address is looked up waits, as with Node', async () => {
  const receiver = dgram.createSocket('udp4')
  await bound(receiver, () => receiver.bind(0, '127.0.0.1'))
  const sender = dgram.createSocket('udp4')
  const received = new Promise((resolve) => receiver.once('message', (_message, { port }) => resolve(port)))
  bindReusePort(sender, 0, 'localhost')
  sender.send('early', receiver.address().port, '127.0.0.1')
  const port = await received
  expect(sender.address().port).toBe(port)
  for (const socket of [sender, receiver]) socket.close()
})

test.each([
  ['70000', 70_000],
  ['-1', -1],
  ['1.5', 1.5],
  ['NaN', Number.NaN],
  ["'http'", 'http'],
  ['true', true],
])('a port that is none is refused, which Node takes for another: %s', (_what, port) => {
  const socket = dgram.createSocket('udp4')
  const refused = expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' })
  expect(() => ours(socket, port)).toThrow(refused)
  expect(() => ours(socket, { port })).toThrow(refused)
  expect(socket.eventNames()).toEqual([])
  socket.close()
})

test.each([
  ['a misspelt option', { adress: '::1' }, 'ERR_REUSEPORT_UNKNOWN_OPTION', /Did you mean 'address'\?$/],
  ['an option of listen', { port: 0, host: '::1' }, 'ERR_REUSEPORT_UNKNOWN_OPTION', /'options\.host' is unknown/],
  [
    'a signal that is none',
    { signal: 'now' },
    'ERR_INVALID_ARG_TYPE',
    /"options\.signal" property must be an instance/,
  ],
  ['a fallback that is none', { fallback: 'maybe' }, 'ERR_INVALID_ARG_VALUE', /must be one of: 'error', 'unbalanced'/],
  ['a policy, which is of TCP', { port: 0, steering: 'cpu' }, 'ERR_INVALID_ARG_VALUE', /is an option of TCP servers/],
  ['an option of TCP', { socketOptions: { noDelay: true } }, 'ERR_INVALID_ARG_VALUE', /is an option of TCP sockets/],
  [
    'a stage of TCP',
    { rawSocketOptions: [{ level: 1, name: 9, value: 1, stage: 'after-listen' }] },
    'ERR_INVALID_ARG_VALUE',
    /must be one of: 'before-bind', 'after-bind'/,
  ],
])('%s is thrown, and leaves the socket as it was', async (_what, options, code, message) => {
  const socket = dgram.createSocket('udp4')
  expect(() => ours(socket, options, callback)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
  expect(socket.eventNames()).toEqual([])
  expect(await bound(socket, () => ours(socket, 0))).toBeUndefined()
  socket.close()
})

test('what is no dgram socket is refused', () => {
  expect(() => ours({} as dgram.Socket)).toThrow(
    expect.objectContaining({
      code: 'ERR_INVALID_ARG_TYPE',
      message: 'The "socket" argument must be an instance of dgram.Socket. Received an instance of Object',
    }),
  )
  expect(() => ours(net.createServer() as unknown as dgram.Socket)).toThrow(
    /Received an instance of Server\. Use listenReusePort for a server$/,
  )
})
