// System calls that fail while a socket is configured, and while a UDP socket is bound.
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { bound } from '../support/datagrams.js'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { freePort, once } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
vi.mock('../../src/native/addon.js', () => ({ loadAddon: () => ({ loaded: true, addon: faulty }) }))

const { capabilities } = await import('../../src/system/capabilities.js')
const { openReusePortSocket } = await import('../../src/listen/open-socket.js')
const { effectiveSocketOptions } = await import('../../src/options/effective-options.js')
const { bindReusePort } = await import('../../src/datagram/bind.js')

const port = await freePort()

function inject(call: SystemCall, code: keyof typeof ERRNO, after = 0, times = 1): void {
  faulty.injectFault(call, ERRNO[code], after, times)
}

describe('options', () => {
  /** The calls of openSocket come first: SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY. */
  const OWN = 3

  test.each([
    ['EPERM', 'ERR_REUSEPORT_OPTION_DENIED'],
    ['EACCES', 'ERR_REUSEPORT_OPTION_DENIED'],
    ['ENOPROTOOPT', 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
    ['EOPNOTSUPP', 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
    ['EINVAL', 'ERR_REUSEPORT_OPTION_REFUSED'],
    ['ENOMEM', 'ERR_REUSEPORT_OPTION_REFUSED'],
  ] as const)('each stage: setsockopt answering %s is %s, and nothing stays open', (code, expected) => {
    capabilities()
    faulty.takeCalls()
    const before = openSockets()
    const options = {
      host: '::1',
      socketOptions: { hopLimit: 5, noDelay: true, quickAck: true },
      rawSocketOptions: [
        { level: 1, name: 9, value: 1 },
        { level: 1, name: 9, value: 1, stage: 'before-listen' },
        { level: 1, name: 9, value: 1, stage: 'after-listen' },
      ],
    } as const
    const labels = ['hopLimit', 'raw 0', 'noDelay', 'raw 1', 'quickAck', 'raw 2']
    for (const index of labels.keys()) {
      inject('setsockopt', code, OWN + index)
      const option = labels[index]?.replace(/^raw (.)/, 'rawSocketOptions[$1]') ?? ''
      expect(() => openReusePortSocket(options)).toThrow(
        expect.objectContaining({
          code: expected,
          option: option.startsWith('raw') ? option : `socketOptions.${option}`,
        }),
      )
      expect(faulty.takeCalls().filter((call) => call === 'close')).toHaveLength(1)
      expect(openSockets()).toEqual(before)
    }
    openReusePortSocket(options).close()
    faulty.takeCalls()
  })

  test('the calls of a listen with an option at each stage, in order', () => {
    capabilities()
    faulty.takeCalls()
    openReusePortSocket({
      socketOptions: { ttl: 5, noDelay: true, quickAck: true },
      onSocket: (socket) => void socket.getOption('ttl'),
    }).close()
    expect(faulty.takeCalls()).toEqual([
      ...['socket', 'setsockopt', 'setsockopt', 'setsockopt', 'fstat'],
      ...['setsockopt', 'getsockopt', 'bind', 'setsockopt', 'listen', 'setsockopt', 'fstat', 'close'],
    ])
  })

  test.each([
    ['EPERM', true],
    ['ENOPROTOOPT', true],
    ['EINVAL', false],
  ] as const)('optional, %s is left out: %s', (code, leftOut) => {
    capabilities()
    inject('setsockopt', code, OWN)
    const open = (): void => openReusePortSocket({ socketOptions: { ttl: 5, optional: ['ttl'] } }).close()
    if (leftOut) open()
    else expect(open).toThrow()
    faulty.takeCalls()
  })

  test('optional, an option is left out with its parts', () => {
    capabilities()
    inject('setsockopt', 'ENOPROTOOPT', OWN + 1, 3)
    const keepAlive = { idle: 50, interval: 11, count: 4 }
    using socket = openReusePortSocket({ socketOptions: { keepAlive, optional: ['keepAlive'] } })
    expect(socket.getOption('keepAlive')).not.toMatchObject({ idle: 50 })
    faulty.takeCalls()
    inject('setsockopt', 'ENOPROTOOPT', OWN + 2)
    expect(() => openReusePortSocket({ socketOptions: { keepAlive } })).toThrow(
      expect.objectContaining({ option: 'socketOptions.keepAlive.interval' }),
    )
  })

  test('a part that cannot be read is left out of what is read', () => {
    capabilities()
    using socket = openReusePortSocket({ socketOptions: { keepAlive: true } })
    inject('getsockopt', 'ENOPROTOOPT', 2)
    expect(Object.keys(socket.getOption('keepAlive'))).toEqual(['idle', 'count'])
  })

  test.each([
    ['EPROTONOSUPPORT', 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
    ['ENOPROTOOPT', 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
    ['EPERM', 'ERR_REUSEPORT_OPTION_DENIED'],
    // What plain TCP would have met as well.
    ['EMFILE', 'EMFILE'],
  ] as const)('mptcp: socket answering %s is %s', (code, expected) => {
    capabilities()
    const before = openSockets()
    inject('socket', code)
    expect(() => openReusePortSocket({ host: '::1', socketOptions: { mptcp: true } })).toThrow(
      expect.objectContaining({ code: expected }),
    )
    faulty.takeCalls()
    inject('socket', code)
    const optional = (): boolean => {
      using socket = openReusePortSocket({ host: '::1', socketOptions: { mptcp: true, optional: ['mptcp'] } })
      return socket.getOption('mptcp')
    }
    if (expected === 'EMFILE') expect(optional).toThrow(expect.objectContaining({ code }))
    else expect(optional()).toBe(false)
    expect(openSockets()).toEqual(before)
    faulty.takeCalls()
  })

  test('mptcp without IPv6 falls back to 0.0.0.0 as MPTCP', () => {
    capabilities()
    inject('socket', 'EAFNOSUPPORT')
    using socket = openReusePortSocket({ socketOptions: { mptcp: true, optional: ['mptcp'] } })
    expect(socket.address().address).toBe('0.0.0.0')
    faulty.takeCalls()
  })

  test('onSocket is called again where :: cannot be bound', () => {
    capabilities()
    inject('bind', 'EADDRNOTAVAIL')
    const families: number[] = []
    using socket = openReusePortSocket({ onSocket: ({ family }) => void families.push(family) })
    expect(families).toEqual([6, 4])
    expect(socket.address().address).toBe('0.0.0.0')
  })

  test.each(['noDelay', 'linger'] as const)('%s: a value of another size than asked for is no value', (name) => {
    capabilities()
    using socket = openReusePortSocket({ host: '::1' })
    faulty.injectFault('short', 0, 0, 1)
    const refused = expect.objectContaining({ code: 'ERR_REUSEPORT_OPTION_REFUSED', errno: -ERRNO.EINVAL })
    expect(() => socket.getOption(name)).toThrow(refused)
  })

  test('getsockopt that fails is thrown by getOption, by its kind, and left out of effectiveSocketOptions', async () => {
    capabilities()
    const socket = openReusePortSocket({ host: '::1' })
    for (const [code, expected] of [
      ['ENOPROTOOPT', 'ERR_REUSEPORT_OPTION_UNSUPPORTED'],
      ['EPERM', 'ERR_REUSEPORT_OPTION_DENIED'],
      ['ENOMEM', 'ERR_REUSEPORT_OPTION_REFUSED'],
    ] as const) {
      inject('getsockopt', code)
      expect(() => socket.getOption('noDelay')).toThrow(expect.objectContaining({ code: expected }))
    }
    const server = socket.listen(createServer())
    inject('getsockopt', 'ENOPROTOOPT', 0, 1)
    expect(effectiveSocketOptions(server)).not.toHaveProperty('receiveBufferSize')
    expect(effectiveSocketOptions(server)).toHaveProperty('receiveBufferSize')
    inject('getsockname', 'ENOBUFS')
    expect(() => effectiveSocketOptions(server)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    server.close()
    await once(server, 'close')
  })
})

describe('a UDP bind', () => {
  /** Each call of ours, in order, with how many of its name come before; libuv makes the others. */
  const UDP_PATH: readonly (readonly [SystemCall, number, keyof typeof ERRNO])[] = [
    ['socket', 0, 'EMFILE'],
    ['setsockopt', 0, 'ENOPROTOOPT'],
    ['setsockopt', 1, 'EINVAL'],
    ['fstat', 0, 'EOVERFLOW'],
    // Taking back the SO_REUSEADDR that libuv has set.
    ['setsockopt', 2, 'ENOMEM'],
  ]

  test('the path is complete', async () => {
    capabilities()
    faulty.takeCalls()
    const socket = createSocket('udp6')
    await bound(socket, () => bindReusePort(socket, port, '::1'))
    expect(faulty.takeCalls()).toEqual(UDP_PATH.map(([call]) => call))
    socket.close()
  })

  test.each(['socket', 'setsockopt', 'bind', 'fstat', 'getsockname'] as const)(
    'where no port can be reserved (%s), the kernel chooses one when it binds',
    async (call) => {
      capabilities()
      const before = openSockets()
      const socket = createSocket('udp6')
      // Those of the socket itself come first.
      inject(call, 'EADDRNOTAVAIL', { socket: 1, setsockopt: 2, bind: 0, fstat: 1, getsockname: 0 }[call])
      expect(await bound(socket, () => bindReusePort(socket, 0, '::1'))).toBeUndefined()
      expect(socket.address().port).toBeGreaterThan(0)
      socket.close()
      expect(openSockets()).toEqual(before)
    },
  )

  test.each(UDP_PATH)(
    "%s (call %i) failing with %s is an error in Node's shape, and nothing stays open",
    async (call, after, code) => {
      capabilities()
      const before = openSockets()
      const socket = createSocket('udp6')
      inject(call, code, after)
      const error = await bound(socket, () => bindReusePort(socket, port, '::1'))
      expect(Object.entries(error as object)).toEqual([
        ['errno', -ERRNO[code]],
        ['code', code],
        ['syscall', 'bind'],
        ['address', '::1'],
        ['port', port],
      ])
      expect(openSockets()).toEqual(before)
      faulty.takeCalls()
      expect(await bound(socket, () => bindReusePort(socket, 0, '::1'))).toBeUndefined()
      socket.close()
      expect(openSockets()).toEqual(before)
    },
  )
})
