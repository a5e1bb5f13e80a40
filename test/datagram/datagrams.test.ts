// UDP sockets that share a port.
import { execFileSync } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  bindReusePort,
  capabilities,
  effectiveSocketOptions,
  inspectGroup,
  openReusePortSocket,
  type ReusePortSocket,
  type UnboundDatagramSocket,
} from '../../src/index.js'
import { requireAddon } from '../../src/native/require-addon.js'
import { datagramDescriptor as descriptorOf } from '../../src/node/datagram-internals.js'
import { bind, bound, exchange } from '../support/datagrams.js'
import { freePort } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

let before: readonly string[]

beforeEach(() => {
  capabilities()
  before = openSockets()
})

afterEach(() => {
  vi.restoreAllMocks()
  expect(openSockets()).toEqual(before)
})

test.each([
  ['udp4', '127.0.0.1'],
  ['udp4', undefined],
  ['udp6', '::1'],
  ['udp6', undefined],
] as const)('several sockets share a port and answer: %s %s', async (type, address) => {
  const sockets = [1, 2, 3].map((number) => {
    const socket = dgram.createSocket(type)
    return socket.on('message', (_message, client) => socket.send(`${number}`, client.port, client.address))
  }) as [dgram.Socket, dgram.Socket, dgram.Socket]
  using first = await bind(sockets[0], { address })
  using second = await bind(sockets[1], { address, port: first.port })
  using third = await bind(sockets[2], first.port, address)
  expect([second.port, third.port]).toEqual([first.port, first.port])
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => exchange(first.port, ['x', 'y'], type === 'udp4' ? '127.0.0.1' : '::1')),
  )
  for (const [one, other] of answers) expect(other).toBe(one)
  expect(new Set(answers.flat()).size).toBe(3)
})

test.each([
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
  ['udp6', undefined],
] as const)('port 0 is a port that no other socket has: %s %s', async (type, address) => {
  const all = await Promise.all(Array.from({ length: 1000 }, () => bind(dgram.createSocket(type), { address })))
  // 1,000 of about 28,000 ports at random: no port twice once in 10 million.
  expect(new Set(all.map(({ port }) => port)).size).toBe(1000)
  for (const one of all) one[Symbol.dispose]()
})

test('the first socket of a port is a group that can be steered, and another one joins', async () => {
  const socket = dgram.createSocket('udp4')
  using first = await bind(socket, 0, '127.0.0.1')
  const addon = requireAddon('test')
  // The kernel refuses this option where a socket got SO_REUSEPORT only after it was bound.
  expect(addon.attachProgram(descriptorOf(socket) as number, Uint32Array.of(6, 0, 0, 0))).toBeUndefined()
  const { members } = await inspectGroup(socket)
  expect(members).toHaveLength(1)
  using second = await bind(dgram.createSocket('udp4'), first.port, '127.0.0.1')
  expect(second.port).toBe(first.port)
})

test('udp6 takes IPv4 as well unless it was created ipv6Only', async () => {
  const dual = dgram.createSocket('udp6')
  dual.on('message', (_message, client) => dual.send(client.address, client.port, client.address))
  using there = await bind(dual, 0)
  expect(await exchange(there.port, ['x'])).toEqual(['::ffff:127.0.0.1'])

  // Not one of those that other tests' sockets are given, which may have it for IPv4.
  using only = await bind(dgram.createSocket({ type: 'udp6', ipv6Only: true }), await freePort())
  using four = await bind(dgram.createSocket('udp4'), only.port)
  expect(four.port).toBe(only.port)
})

/** A socket that has SO_REUSEADDR alone: what any program of any user may try. */
function strangerBinds(port: number): string {
  const script = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    s.bind(('127.0.0.1', ${port}))
    print('bound')
except OSError as error:
    print(error.strerror)
`
  return execFileSync('python3', ['-c', script], { encoding: 'utf8' }).trim()
}

test('a stranger with SO_REUSEADDR is kept out, except where createSocket was told to let it in', async () => {
  using ours = await bind(dgram.createSocket('udp4'), 0, '127.0.0.1')
  expect(strangerBinds(ours.port)).toBe('Address already in use')
  using open = await bind(dgram.createSocket({ type: 'udp4', reuseAddr: true }), 0, '127.0.0.1')
  expect(strangerBinds(open.port)).toBe('bound')
})

test('what is set afterwards on a udp6 socket goes to IPv6', async () => {
  const socket = dgram.createSocket('udp6')
  using _bound = await bind(socket, 0, '::1')
  socket.setTTL(9)
  socket.setMulticastTTL(8)
  socket.setMulticastLoopback(false)
  expect(effectiveSocketOptions(socket)).toMatchObject({ hopLimit: 9, ttl: 64, multicastTtl: 8, multicastLoop: false })
})

test('multicast groups are joined afterwards, and every member gets each datagram', async () => {
  const group = '239.255.77.88'
  const sockets = [dgram.createSocket('udp4'), dgram.createSocket('udp4')] as const
  using first = await bind(sockets[0], 0)
  using _second = await bind(sockets[1], first.port)
  const received = sockets.map((socket) => {
    socket.addMembership(group, '127.0.0.1')
    return once(socket, 'message')
  })
  const sender = dgram.createSocket('udp4')
  await bound(sender, () => sender.bind(0, '127.0.0.1'))
  sender.setMulticastInterface('127.0.0.1')
  sender.send('to all', first.port, group)
  expect((await Promise.all(received)).map(([message]) => String(message))).toEqual(['to all', 'to all'])
  sender.close()
})

test('a udp6 socket is connected as IPv6', async () => {
  const socket = dgram.createSocket('udp6')
  using _bound = await bind(socket, 0, '::1')
  const peer = dgram.createSocket('udp6')
  using there = await bind(peer, 0, '::1')
  socket.connect(there.port, '::1')
  await once(socket, 'connect')
  expect(socket.remoteAddress()).toMatchObject({ address: '::1', port: there.port })
})

test('unref of a socket stays', async () => {
  const socket = dgram.createSocket('udp4').unref()
  using _bound = await bind(socket, 0)
  expect(process.getActiveResourcesInfo().filter((name) => name === 'UDPWRAP')).toHaveLength(0)
})

describe('signal', () => {
  test('closes the socket when it aborts', async () => {
    const controller = new AbortController()
    const socket = dgram.createSocket('udp4')
    await bound(socket, () => bindReusePort(socket, { signal: controller.signal }))
    controller.abort()
    await once(socket, 'close')
    controller.abort()
  })

  test('aborted already or during the lookup: no listening, one close', async () => {
    for (const aborted of [true, false]) {
      const controller = new AbortController()
      if (aborted) controller.abort()
      const socket = dgram.createSocket('udp4')
      const events: string[] = []
      for (const event of ['listening', 'error', 'close'] as const) socket.on(event, () => void events.push(event))
      bindReusePort(socket, { address: 'localhost', signal: controller.signal })
      controller.abort()
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(events).toEqual(['close'])
    }
  })

  test('means nothing once the socket has been closed', async () => {
    const controller = new AbortController()
    const socket = dgram.createSocket('udp4')
    await bound(socket, () => bindReusePort(socket, { signal: controller.signal }))
    socket.close()
    controller.abort()
    await once(socket, 'close')
  })
})

describe('onSocket', () => {
  test('has the options and no address, and sets more', async () => {
    const seen: unknown[] = []
    const kept: UnboundDatagramSocket[] = []
    const socket = dgram.createSocket('udp6')
    using _bound = await bind(socket, {
      socketOptions: { multicastTtl: 4 },
      onSocket(unbound: UnboundDatagramSocket) {
        seen.push(unbound.transport, unbound.family, unbound.getOption('multicastTtl'))
        unbound.setOption('broadcast', true)
        kept.push(unbound)
      },
    })
    expect(seen).toEqual(['udp', 6, 4])
    expect(effectiveSocketOptions(socket)).toMatchObject({ multicastTtl: 4, broadcast: true })
    expect(() => kept[0]?.fd).toThrow(expect.objectContaining({ code: 'ERR_REUSEPORT_SOCKET_BOUND' }))
  })

  test('what it throws is the error, and the socket can be bound again', async () => {
    for (const thrown of [new Error('not today'), undefined]) {
      const socket = dgram.createSocket('udp4')
      const failed = new Promise((resolve) => socket.once('error', (error) => resolve({ error })))
      bindReusePort(socket, {
        onSocket: () => {
          throw thrown
        },
      })
      expect(await failed).toEqual({ error: thrown })
      using _bound = await bind(socket, 0)
    }
  })

  test('it may close the socket', async () => {
    const socket = dgram.createSocket('udp4')
    const events: string[] = []
    for (const event of ['listening', 'error'] as const) socket.on(event, () => void events.push(event))
    bindReusePort(socket, { onSocket: () => void socket.close() })
    await once(socket, 'close')
    expect(events).toEqual([])
  })

  test('it cannot bind the socket elsewhere', async () => {
    const socket = dgram.createSocket('udp4')
    using _bound = await bind(socket, {
      onSocket: () => {
        expect(() => socket.bind(0)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_ALREADY_BOUND' }))
      },
    })
  })
})

test.each([
  [{ socketOptions: { bindToDevice: 'none0' } }, 'ERR_REUSEPORT_OPTION_REFUSED'],
  [{ address: '127.0.0.1', socketOptions: { hopLimit: 5 } }, 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
  [{ rawSocketOptions: [{ level: 17, name: 9999, value: 1 }] }, 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
  [
    { rawSocketOptions: [{ level: 17, name: 9999, value: 1, stage: 'after-bind' }] },
    'ERR_REUSEPORT_OPTION_UNSUPPORTED',
  ],
])('an option that cannot be set is an error, and the socket can be bound again: %o', async (options, code) => {
  const socket = dgram.createSocket('udp4')
  const error = await bound(socket, () => Reflect.apply(bindReusePort, undefined, [socket, options]))
  expect(error).toMatchObject({ code })
  expect(openSockets()).toEqual(before)
  using _bound = await bind(socket, 0)
})

test('options after bind are set before listening', async () => {
  const socket = dgram.createSocket('udp4')
  using _bound = await bind(socket, {
    socketOptions: { ttl: 7 },
    rawSocketOptions: [{ level: 0, name: 2, value: 8, stage: 'after-bind' }],
    onSocket: (unbound: UnboundDatagramSocket) => expect(unbound.getOption('ttl')).toBe(7),
  })
  expect(effectiveSocketOptions(socket)).toMatchObject({ ttl: 8 })
})

describe('where dgram is not what it is today', () => {
  type Handle = { open(fd: number): number; bind(): number }

  function handleOf(socket: dgram.Socket): Handle {
    const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
    return Object.getPrototypeOf(Reflect.get(Reflect.get(socket, symbol as symbol), 'handle')) as Handle
  }

  /** A socket whose state cannot be found. */
  function hiding(socket: dgram.Socket): dgram.Socket {
    const isState = (key: string | symbol) => typeof key === 'symbol' && key.description === 'state symbol'
    return new Proxy(socket, { ownKeys: (target) => Reflect.ownKeys(target).filter((key) => !isState(key)) })
  }

  test('a handle that cannot be opened is an error, and the descriptor is closed', async () => {
    const socket = dgram.createSocket('udp4')
    vi.spyOn(handleOf(socket), 'open').mockReturnValue(-24)
    const error = await bound(socket, () => bindReusePort(socket, 7, '127.0.0.1'))
    expect(error).toMatchObject({ code: 'EMFILE', syscall: 'bind', address: '127.0.0.1', port: 7 })
    expect(openSockets()).toEqual(before)
    vi.restoreAllMocks()
    using _bound = await bind(socket, 0)
  })

  test('without its state the documented bind({ fd }) serves, and strangers are kept out', async () => {
    const socket = hiding(dgram.createSocket('udp4'))
    socket.on('message', (_message, client) => socket.send('served', client.port, client.address))
    using there = await bind(socket, { address: '127.0.0.1', socketOptions: { ttl: 5 } })
    expect(await exchange(there.port, ['x'])).toEqual(['served'])
    expect(strangerBinds(there.port)).toBe('Address already in use')
    const other = dgram.createSocket('udp4')
    expect(await bound(other, () => bindReusePort(other, there.port, '127.0.0.1'))).toBeUndefined()
    other.close()
  })

  test('with handles that open no descriptor it is refused, and nothing stays open', async () => {
    const socket = dgram.createSocket('udp4')
    const handle = handleOf(socket) as Partial<Handle>
    const { open } = handle
    delete handle.open
    try {
      const error = await bound(socket, () => bindReusePort(socket, 0))
      expect(error).toMatchObject({
        code: 'ERR_REUSEPORT_UNSUPPORTED',
        reason: expect.stringContaining('cannot open one'),
      })
    } finally {
      Object.assign(handle, { open })
    }
    expect(openSockets()).toEqual(before)
    using _bound = await bind(socket, 0)
  })

  test('without its state errors are the same', async () => {
    const socket = hiding(dgram.createSocket('udp4'))
    const error = await bound(socket, () => bindReusePort(socket, 9, '192.0.2.1'))
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'bind', address: '192.0.2.1', port: 9 })
    socket.close()
  })

  test.each([
    ['throws', () => expect.fail('no descriptors here'), /do not accept a descriptor \(.*no descriptors here/],
    ['ignores it', () => {}, /do not accept a descriptor \(/],
  ])('a runtime that %s: the reason, and nothing stays open', async (_what, own, message) => {
    const socket = hiding(dgram.createSocket('udp4'))
    vi.spyOn(socket, 'bind').mockImplementation(own as never)
    const error = await bound(socket, () => bindReusePort(socket, 0))
    expect(error).toMatchObject({ code: 'ERR_REUSEPORT_UNSUPPORTED', message: expect.stringMatching(message) })
    expect(socket.listenerCount('listening')).toBe(0)
    socket.close()
  })
})

test('what a listener throws is its own, and the socket stays bound', async () => {
  const socket = dgram.createSocket({
    type: 'udp4',
    // So that the listener is called, and throws, inside this call.
    lookup: (_name, family, found) => Reflect.apply(found, undefined, [null, '127.0.0.1', family]),
  })
  socket.on('listening', () => {
    throw new Error('of the listener')
  })
  const controller = new AbortController()
  expect(() => bindReusePort(socket, { signal: controller.signal })).toThrow('of the listener')
  expect(socket.address().address).toBe('127.0.0.1')
  expect(() => socket.bind(0)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_ALREADY_BOUND' }))
  controller.abort()
  await once(socket, 'close')
})

test('a listener may close the socket and open another with the same descriptor number', async () => {
  const socket = dgram.createSocket('udp4')
  const next = await new Promise<ReusePortSocket>((resolve) => {
    socket.on('listening', () => {
      const fd = descriptorOf(socket)
      socket.close()
      const opened = openReusePortSocket()
      expect(opened.fd).toBe(fd)
      resolve(opened)
    })
    bindReusePort(socket, 0)
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(next.address().port).toBeGreaterThan(0)
  next.close()
})

test('closed during a lookup that fails, it says nothing more', async () => {
  let fail = (): void => {}
  const socket = dgram.createSocket({
    type: 'udp4',
    lookup: (_name, _family, found) => {
      fail = () => found(new Error('too late') as NodeJS.ErrnoException, '', 0)
    },
  })
  const events: string[] = []
  for (const event of ['listening', 'error', 'close'] as const) socket.on(event, () => void events.push(event))
  bindReusePort(socket, 0, 'somewhere')
  socket.close()
  fail()
  await once(socket, 'close')
  expect(events).toEqual(['close'])
})
