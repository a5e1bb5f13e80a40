// Replies of the kernel as they come, and as they should never come.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openReusePortSocket } from '../../src/index.js'
import { ERRNO, loadFaultyAddon } from '../support/faults.js'
import { attribute, INTERRUPTED, MESSAGE, message, RECORDED, socket, words } from '../support/netlink.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
const { SOCKET, DONE, ERROR } = MESSAGE
const done = message(DONE, words(0))
const MEMORY = attribute(7, words(0, 131_072, 0, 16_384, 0, 0, 0, 0, 9))
const IPV6_ONLY = attribute(11, Uint8Array.of(1))

function parse(...messages: readonly Uint8Array[]): unknown {
  return faulty.parseDump(Buffer.concat(messages), 1)
}

const row = {
  state: 10,
  port: 8080,
  address: '127.0.0.1',
  device: 3,
  inode: 77,
  cookie: '1deadbeef',
  uid: 1000,
  queued: 5,
  limit: 511,
  receiveBuffer: null,
  drops: null,
  ipv6Only: null,
}

describe('what the kernel sends', () => {
  test('as recorded', () => {
    const [sockets, end] = RECORDED as readonly [Buffer, Buffer]
    const same = { state: 10, port: 46_553, address: '::1', device: 0, uid: 0, queued: 0, drops: 0, ipv6Only: true }
    const rows = [
      { ...same, inode: 3_301_736, cookie: 'b813', limit: 7, receiveBuffer: 131_072 },
      { ...same, inode: 3_301_737, cookie: 'b814', limit: 9, receiveBuffer: 131_072 },
    ]
    expect(parse(sockets)).toEqual({ progress: 'more', rows })
    expect(parse(end)).toEqual({ progress: 'done', rows: [] })
    for (let length = 0; length < sockets.length; length++) {
      const { progress } = faulty.parseDump(sockets.subarray(0, length), 1) as { progress: string }
      expect(progress).toBe(length % (sockets.length / 2) === 0 ? 'more' : 'malformed')
    }
  })

  test('a socket without attributes, and more to come', () => {
    expect(parse(message(SOCKET, socket()))).toEqual({ progress: 'more', rows: [row] })
  })

  test('attributes, known and unknown, in any order', () => {
    const attributes = [attribute(99, words(1, 2, 3)), IPV6_ONLY, MEMORY, attribute(7 | 0x8000, words(0, 1))]
    expect(parse(message(SOCKET, socket({ attributes })))).toEqual({
      progress: 'more',
      rows: [{ ...row, receiveBuffer: 1, drops: 9, ipv6Only: true }],
    })
  })

  test('memory without drops, of an older kernel', () => {
    const attributes = [attribute(7, words(0, 4096, 0, 0, 0, 0, 0, 0))]
    expect(parse(message(SOCKET, socket({ attributes })))).toMatchObject({
      rows: [{ receiveBuffer: 4096, drops: null }],
    })
  })

  test('many sockets and the end in one datagram', () => {
    const sockets = Array.from({ length: 100 }, (_, index) =>
      message(SOCKET, socket({ port: index + 1, inode: index })),
    )
    expect(parse(...sockets, done)).toMatchObject({ progress: 'done', rows: { length: 100 } })
  })

  test('an end without an error', () => {
    expect(parse(message(DONE, new Uint8Array()))).toEqual({ progress: 'done', rows: [] })
  })

  test('a dump that sockets changed under', () => {
    expect(parse(message(SOCKET, socket(), { flags: 2 | INTERRUPTED }))).toMatchObject({ progress: 'interrupted' })
    expect(parse(message(SOCKET, socket()), message(DONE, words(0), { flags: 2 | INTERRUPTED }))).toMatchObject({
      progress: 'interrupted',
    })
  })

  test('messages of another request in between', () => {
    const other = { sequence: 2 }
    const foreign = [message(SOCKET, socket({ port: 9 }), other), message(DONE, words(0), other)]
    expect(parse(foreign[0] as Buffer, message(SOCKET, socket()), foreign[1] as Buffer)).toEqual({
      progress: 'more',
      rows: [row],
    })
    expect(parse(message(ERROR, words(-1), { sequence: 0 }))).toEqual({ progress: 'more', rows: [] })
  })

  test('an error, in either place', () => {
    expect(parse(message(ERROR, words(-ERRNO.EPERM, 0, 0, 0, 0)))).toEqual({ errno: -ERRNO.EPERM, syscall: 'recvfrom' })
    expect(parse(message(DONE, words(-ERRNO.ENOENT)))).toEqual({ errno: -ERRNO.ENOENT, syscall: 'recvfrom' })
  })

  test('nothing', () => {
    expect(parse()).toEqual({ progress: 'more', rows: [] })
  })
})

describe('what it never should', () => {
  test.each([
    ['a header that is cut', message(SOCKET, socket()).subarray(0, 15)],
    ['a message longer than the datagram', message(SOCKET, socket(), { length: 5000 })],
    ['a message shorter than its header', message(SOCKET, socket(), { length: 15 })],
    ['a message of length 0', message(SOCKET, socket(), { length: 0 })],
    ['a message of the greatest length', message(SOCKET, socket(), { length: 0xffff_ffff })],
    ['a socket that is cut', message(SOCKET, socket().subarray(0, 71))],
    ['a socket of another family', message(SOCKET, Uint8Array.of(1, ...socket().subarray(1)))],
    ['an attribute shorter than its header', message(SOCKET, socket({ attributes: [attribute(7, words(1), 3)] }))],
    ['an attribute of length 0', message(SOCKET, socket({ attributes: [attribute(7, words(1), 0)] }))],
    ['an attribute longer than the message', message(SOCKET, socket({ attributes: [attribute(7, words(1), 9)] }))],
    ['an error without a number', message(ERROR, new Uint8Array(2))],
    ['an error that is positive', message(ERROR, words(5))],
    ['an error that is no errno', message(ERROR, words(-2_147_483_648))],
  ])('%s is malformed', (_what, datagram) => {
    expect(parse(datagram)).toMatchObject({ progress: 'malformed' })
    expect(parse(message(SOCKET, socket()), datagram)).toMatchObject({ progress: 'malformed' })
  })

  test('every cut of a good reply is parsed to some end', () => {
    const whole = Buffer.concat([message(SOCKET, socket({ attributes: [MEMORY, IPV6_ONLY] })), done])
    for (let length = 0; length < whole.length; length++) {
      const { progress } = faulty.parseDump(whole.subarray(0, length), 1) as { progress: string }
      expect(['more', 'malformed', 'done']).toContain(progress)
    }
  })

  test('any bytes in any place of a good reply', () => {
    const whole = Buffer.concat([message(SOCKET, socket({ attributes: [MEMORY, IPV6_ONLY] })), done])
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
        const hostile = Uint8Array.from(whole)
        hostile.set(bytes.subarray(0, whole.length - at), at)
        expect(faulty.parseDump(hostile, 1)).toBeTypeOf('object')
      }),
      { numRuns: 5000 },
    )
  })
})

describe('the dump itself', () => {
  const request = { transport: 'tcp', family: 4, states: 1 << 10, port: 0 } as const

  test.each([
    ['socket', 'EMFILE'],
    ['socket', 'EPERM'],
    ['sendto', 'ECONNREFUSED'],
    ['recvfrom', 'ENOBUFS'],
  ] as const)('%s failing with %s is a failure, and nothing stays open', (call, code) => {
    const before = openSockets()
    faulty.injectFault(call, ERRNO[code], 0, 1)
    expect(faulty.dumpSockets(request)).toEqual({ errno: -ERRNO[code], syscall: call })
    expect(openSockets()).toEqual(before)
    faulty.takeCalls()
  })

  test('recvfrom interrupted by a signal goes on', () => {
    faulty.injectFault('recvfrom', ERRNO.EINTR, 0, 3)
    expect(faulty.dumpSockets(request)).toBeInstanceOf(Array)
  })

  test('what another process sends is passed over', () => {
    using socket = openReusePortSocket({ host: '127.0.0.1' })
    faulty.injectFault('foreign', 0, 0, 1)
    expect(faulty.dumpSockets({ ...request, port: socket.address().port })).toHaveLength(1)
  })

  test.each([
    ['nothing', []],
    ['a transport that is none', [{ ...request, transport: 'sctp' }]],
    ['a family that is none', [{ ...request, family: 5 }]],
    ['states beyond 32 bits', [{ ...request, states: 2 ** 32 }]],
    ['a port beyond its range', [{ ...request, port: 65_536 }]],
  ])('refuses %s with a TypeError', (_what, args) => {
    expect(() => Reflect.apply(faulty.dumpSockets, faulty, args)).toThrow(TypeError)
    expect(() => Reflect.apply(faulty.dumpConnections, faulty, args)).toThrow(TypeError)
  })

  test('numbers of sockets and processes are checked', () => {
    for (const args of [[], [[1]], [new Uint8Array(1)], [new Float64Array(), 1]]) {
      expect(() => Reflect.apply(faulty.findHolders, faulty, args)).toThrow(TypeError)
    }
    expect(() => faulty.heldBy(0, new Float64Array())).toThrow(TypeError)
    expect(() => Reflect.apply(faulty.heldBy, faulty, [1, [1]])).toThrow(TypeError)
    const odd = Float64Array.of(-1, Number.NaN, Number.POSITIVE_INFINITY, 0.5)
    expect([...faulty.findHolders(odd)]).toEqual([])
    expect([...faulty.heldBy(process.pid, odd)]).toEqual([])
    expect([...faulty.heldBy(2 ** 31 - 1, Float64Array.of(1))]).toEqual([])
  })
})
