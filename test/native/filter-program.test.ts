// Programs: what they choose, by an interpreter and by the kernel.
import { createSocket, type Socket } from 'node:dgram'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bindReusePort } from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import { datagramDescriptor } from '../../src/node/datagram-internals.js'
import { interpret, type Packet } from '../support/classic-bpf.js'
import { bound } from '../support/datagrams.js'
import { ERRNO, loadFaultyAddon } from '../support/faults.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state
const faulty = loadFaultyAddon()

const NOTHING: Packet = { network: new Uint8Array(40), payload: new Uint8Array() }

function build(
  kind: 'uniform' | 'weighted' | 'cpu',
  slots: readonly number[],
  weights = slots.map(() => 1),
): Uint32Array {
  const program = addon.buildProgram(kind, Float64Array.from(slots), Float64Array.from(weights))
  if ('errno' in program) throw Object.assign(new Error(program.syscall), program)
  return program
}

const slotSets = fc.uniqueArray(fc.nat(300), { minLength: 1, maxLength: 80 })

describe('uniform', () => {
  test('each slot of the set is chosen for the same part of the random numbers, no other ever', () => {
    fc.assert(
      fc.property(slotSets, (slots) => {
        const program = build('uniform', slots)
        const chosen = slots.map((_, random) => interpret(program, { ...NOTHING, random }))
        expect(chosen).toEqual(slots.toSorted((a, b) => a - b))
        const random = 0xffff_fff0
        expect(interpret(program, { ...NOTHING, random })).toBe(chosen[random % slots.length])
      }),
    )
  })

  test('one left out of many takes few instructions', () => {
    for (const left of [0, 1, 500, 999]) {
      const slots = Array.from({ length: 1000 }, (_, slot) => slot).filter((slot) => slot !== left)
      expect(build('uniform', slots).length / 4).toBeLessThanOrEqual(6)
    }
  })

  test('more than the kernel takes is refused', () => {
    const slots = Array.from({ length: 1400 }, (_, index) => 2 * index)
    expect(addon.buildProgram('uniform', Float64Array.from(slots), Float64Array.from(slots))).toMatchObject({
      errno: -ERRNO.E2BIG,
    })
    expect(addon.buildProgram('uniform', new Float64Array(), new Float64Array())).toMatchObject({
      errno: -ERRNO.EINVAL,
    })
  })
})

describe('weighted', () => {
  test('each slot gets its part of the random numbers, to within one', () => {
    const shares = fc.array(fc.tuple(fc.nat(300), fc.double({ min: 0, max: 1000, noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    })
    fc.assert(
      fc.property(shares, (given) => {
        const total = given.reduce((sum, [, weight]) => sum + weight, 0)
        fc.pre(total > 1e-3)
        const program = build(
          'weighted',
          given.map(([slot]) => slot),
          given.map(([, weight]) => weight),
        )
        let below = 0
        for (const [slot, weight] of given) {
          const [from, upto] = [below, below + weight]
          below = upto
          // Somewhere inside of its part, where that is wide enough to have an inside.
          if (weight / total < 1e-8) continue
          const random = Math.floor(((from + upto) / 2 / total) * 2 ** 32)
          expect(interpret(program, { ...NOTHING, random })).toBe(slot)
        }
      }),
    )
  })

  test('a weight of 0 is never chosen, not even at the ends', () => {
    const program = build('weighted', [5, 6, 7, 8], [0, 1, 1, 0])
    for (const random of [0, 1, 2 ** 31 - 1]) expect(interpret(program, { ...NOTHING, random })).toBe(6)
    for (const random of [2 ** 31, 2 ** 32 - 1]) expect(interpret(program, { ...NOTHING, random })).toBe(7)
  })

  test.each([[[0, 0]], [[-1, 2]], [[Number.NaN, 1]], [[Number.POSITIVE_INFINITY, 1]]])('%j is refused', (weights) => {
    const answer = addon.buildProgram('weighted', Float64Array.of(0, 1), Float64Array.from(weights))
    expect(answer).toMatchObject({ errno: -ERRNO.EINVAL })
  })
})

test('cpu: the CPU modulo the number of members', () => {
  const program = build('cpu', [0, 1, 2])
  for (let cpu = 0; cpu < 10; cpu++) expect(interpret(program, { ...NOTHING, cpu })).toBe(cpu % 3)
})

/** A packet of IP whose transport header begins with this source port. */
function ipPacket(version: 4 | 6, source: number, { options = 0, next = 6, payload = new Uint8Array() } = {}): Packet {
  const size = version === 4 ? 20 + 4 * options : 40
  const network = new Uint8Array(size + 20).fill(0xee)
  network[0] = version === 4 ? 0x40 + 5 + options : 0x60
  if (version === 6) network[6] = next
  network.set([source >> 8, source & 255], size)
  return { network, payload }
}

test('probe: a port of its own goes to its slot, in every form of header; everything else to the hash', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  fc.assert(
    fc.property(fc.uniqueArray(port, { minLength: 1, maxLength: 64 }), port, fc.nat(10), (ports, other, options) => {
      const program = faulty.buildProbe('port', ports) as Uint32Array
      for (const [slot, source] of ports.entries()) {
        expect(interpret(program, ipPacket(4, source, { options }))).toBe(slot)
        expect(interpret(program, ipPacket(6, source))).toBe(slot)
        expect(interpret(program, ipPacket(6, source, { next: 17 }))).toBe(0xffff_ffff)
      }
      const slot = ports.indexOf(other)
      expect(interpret(program, ipPacket(4, other))).toBe(slot === -1 ? 0xffff_ffff : slot)
    }),
  )
  expect(
    faulty.buildProbe(
      'port',
      Array.from({ length: 2043 }, (_, index) => index),
    ),
  ).toMatchObject({
    errno: -ERRNO.E2BIG,
  })
})

test('probe by payload: from a port of its own the slot in the payload; everything else to the hash', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  const ports = fc.uniqueArray(port, { minLength: 1, maxLength: 3 })
  const payloads = fc.uint8Array({ maxLength: 4 })
  fc.assert(
    fc.property(ports, port, payloads, fc.nat(10), (own, other, payload, options) => {
      const program = faulty.buildProbe('payload', own) as Uint32Array
      const slot = payload.length < 2 ? 0xffff_ffff : Buffer.from(payload).readUInt16BE()
      for (const source of own) {
        expect(interpret(program, ipPacket(4, source, { options, payload }))).toBe(slot)
        expect(interpret(program, ipPacket(6, source, { payload }))).toBe(slot)
        expect(interpret(program, ipPacket(6, source, { next: 17, payload }))).toBe(0xffff_ffff)
      }
      if (!own.includes(other)) expect(interpret(program, ipPacket(4, other, { payload }))).toBe(0xffff_ffff)
    }),
  )
})

/** An instruction that the kernel takes, and that ends: jumps go forward, and the last returns. */
const instruction = (left: number): fc.Arbitrary<readonly number[]> => {
  const k = fc.oneof(fc.nat(64), fc.nat(0xffff_ffff))
  const plain = (codes: readonly number[], value: fc.Arbitrary<number>): fc.Arbitrary<readonly number[]> =>
    fc.tuple(fc.constantFrom(...codes), value).map(([code, number]) => [code, 0, 0, number])
  // Of the UDP header not the checksum, which the loopback device leaves to be computed.
  const source = fc.constantFrom(0, 1, 2, 8, 9).map((offset) => 0x1_0000_0000 - 0x10_0000 + 20 + offset)
  const jump = fc.nat(Math.min(255, left - 1))
  return fc.oneof(
    plain([0x00, 0x01], k),
    plain([0x20, 0x28, 0x30], fc.oneof(fc.nat(12), source)),
    plain([0x40, 0x48, 0x50], fc.nat(8)),
    plain([0x80, 0x81], fc.constant(0)),
    plain([0x60, 0x61, 0x02, 0x03], fc.nat(15)),
    plain([0x04, 0x14, 0x24, 0x44, 0x54, 0xa4], k),
    plain([0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x9c, 0xac, 0x84, 0x07, 0x87], fc.constant(0)),
    plain([0x34, 0x94], fc.integer({ min: 1, max: 1000 })),
    plain([0x64, 0x74], fc.nat(31)),
    fc.tuple(fc.constantFrom(0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d), jump, jump, fc.nat(80)),
    jump.map((over) => [0x05, 0, 0, over]),
    // Mostly of some use.
    plain([0x94], fc.constantFrom(3, 4, 5)),
  )
}

// The kernel refuses a load from memory that was not stored before: begin by storing all.
const MEMORY = Array.from({ length: 16 }, (_, word) => [0x02, 0, 0, word]).flat()

const programs = fc
  .integer({ min: 1, max: 24 })
  .chain((length) => fc.tuple(...Array.from({ length }, (_, index) => instruction(length - index))))
  .map((body) => Uint32Array.from([...MEMORY, ...body.flat(), 0x16, 0, 0, 0]))

describe('the kernel and the interpreter agree', () => {
  const MEMBERS = 4
  const members: Socket[] = []
  let onMessage: (member: number) => void = () => {}
  let client: Socket
  let port = 0

  beforeAll(async () => {
    for (let member = 0; member < MEMBERS; member++) {
      const socket = createSocket('udp4')
      const error = await bound(socket, () => bindReusePort(socket, port, '127.0.0.1'))
      if (error !== undefined) throw error
      socket.on('message', () => onMessage(member))
      port = socket.address().port
      members.push(socket)
    }
    client = createSocket('udp4')
    await bound(client, () => client.bind(0, '127.0.0.1'))
  })

  afterAll(() => {
    for (const socket of [...members, client]) socket?.close()
  })

  function network(payload: Uint8Array): Uint8Array {
    const source = client.address().port
    const udp = [
      source >> 8,
      source & 255,
      port >> 8,
      port & 255,
      (8 + payload.length) >> 8,
      (8 + payload.length) & 255,
    ]
    const packet = new Uint8Array(28 + payload.length)
    // Of the IP header only the length matters to these programs.
    packet.set([0x45], 0)
    packet.set(udp, 20)
    packet.set(payload, 28)
    return packet
  }

  test('about what happens to a datagram, for any program', async () => {
    const payloads = fc.uint8Array({ minLength: 0, maxLength: 16 })
    let decided = 0
    await fc.assert(
      fc.asyncProperty(programs, payloads, async (program, payload) => {
        const fd = datagramDescriptor(members[0] as Socket) as number
        expect(faulty.checkProgram(program)).toBe(undefined)
        expect(addon.attachProgram(fd, program)).toBe(undefined)
        const got = new Promise<number>((resolve) => {
          onMessage = resolve
        })
        client.send(payload, port, '127.0.0.1')
        const member = await got
        const expected = interpret(program, { network: network(payload), payload })
        if (expected !== undefined && expected < MEMBERS) {
          decided++
          expect(member).toBe(expected)
        }
      }),
      { numRuns: 2000 },
    )
    // Out of range is the hash's business: a test of nothing.
    expect(decided).toBeGreaterThan(300)
    const fd = datagramDescriptor(members[0] as Socket) as number
    expect(addon.detachProgram(fd)).toBe(undefined)
    expect(addon.detachProgram(fd), 'a second time').toBe(undefined)
  })

  test.each([
    ['nothing was stored in', [0x60, 0, 0, 3], false],
    ['the accumulator was stored in', [0x02, 0, 0, 3, 0x60, 0, 0, 3], true],
    ['the index was stored in', [0x03, 0, 0, 3, 0x61, 0, 0, 3], true],
    ['another word was stored in', [0x02, 0, 0, 2, 0x60, 0, 0, 3], false],
    ['was stored in on one of two ways', [0x15, 1, 0, 0, 0x02, 0, 0, 3, 0x60, 0, 0, 3], false],
    ['was stored in on both ways', [0x02, 0, 0, 3, 0x15, 1, 0, 0, 0x02, 0, 0, 3, 0x60, 0, 0, 3], true],
    [
      'was stored in on the one way to it, which is not the way before it',
      [
        [0x15, 3, 0, 0],
        [0x02, 0, 0, 3],
        [0x15, 2, 0, 0],
        [0x05, 0, 0, 2],
        [0x05, 0, 0, 1],
        [0x60, 0, 0, 3],
      ].flat(),
      true,
    ],
    ['is stored in by what is passed over', [0x05, 0, 0, 1, 0x02, 0, 0, 3, 0x60, 0, 0, 3], false],
  ])('about memory that %s', (_what, body, isRun) => {
    const program = Uint32Array.from([...body, 0x06, 0, 0, 0])
    const fd = datagramDescriptor(members[0] as Socket) as number
    expect(setRaw(fd, 1, 51, program) === undefined).toBe(isRun)
    expect(faulty.checkProgram(program) === undefined).toBe(isRun)
    addon.detachProgram(fd)
  })

  test('about which programs there can be', () => {
    const words = fc.array(
      fc.tuple(
        fc.oneof(fc.nat(0xbf), fc.nat(0xffff)),
        fc.oneof(fc.constant(0), fc.nat(6)),
        fc.oneof(fc.constant(0), fc.nat(6)),
        fc.oneof(fc.nat(40), fc.nat(0xffff_ffff)),
      ),
      { minLength: 0, maxLength: 4 },
    )
    const fd = datagramDescriptor(members[0] as Socket) as number
    const SOL_SOCKET = 1
    const SO_ATTACH_REUSEPORT_CBPF = 51
    let taken = 0
    fc.assert(
      fc.property(words, (body) => {
        for (const stored of [MEMORY, []]) {
          const program = Uint32Array.from([...stored, ...body.flat(), 0x06, 0, 0, 0])
          const ours = faulty.checkProgram(program)
          const kernels = setRaw(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program)
          if (ours === undefined) taken++
          expect(ours === undefined, JSON.stringify([stored, body])).toBe(kernels === undefined)
        }
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(100)
    addon.detachProgram(fd)
  })

  /** To the kernel as it is, unchecked. */
  function setRaw(fd: number, level: number, name: number, program: Uint32Array): unknown {
    return faulty.attachUnchecked(fd, level, name, program)
  }
})

describe('what is no program', () => {
  test.each([
    ['nothing', []],
    ['no return at the end', [0x00, 0, 0, 1]],
    ['a jump over the end', [0x05, 0, 0, 1, 0x06, 0, 0, 0]],
    ['a jump where true over the end', [0x15, 1, 0, 1, 0x06, 0, 0, 0]],
    ['a jump where false over the end', [0x15, 0, 1, 1, 0x06, 0, 0, 0]],
    ['a division by 0', [0x34, 0, 0, 0, 0x06, 0, 0, 0]],
    ['a remainder of 0', [0x94, 0, 0, 0, 0x06, 0, 0, 0]],
    ['a shift by 32', [0x74, 0, 0, 32, 0x06, 0, 0, 0]],
    ['memory that there is not', [0x02, 0, 0, 16, 0x06, 0, 0, 0]],
    ['an unknown instruction', [0xff, 0, 0, 0, 0x06, 0, 0, 0]],
  ])('%s', (_what, words) => {
    const program = Uint32Array.from(words)
    expect(faulty.checkProgram(program)).toEqual({ errno: -ERRNO.EINVAL, syscall: 'program' })
    expect(addon.attachProgram(0, program)).toEqual({ errno: -ERRNO.EINVAL, syscall: 'program' })
  })

  test('more than 4,096 instructions', () => {
    const program = Uint32Array.from(Array.from({ length: 4097 }, () => [0x06, 0, 0, 0]).flat())
    expect(faulty.checkProgram(program)).toMatchObject({ errno: -ERRNO.E2BIG })
    expect(faulty.checkProgram(program.subarray(4))).toBe(undefined)
  })

  test('numbers that fit no instruction', () => {
    for (const words of [
      [0x1_0006, 0, 0, 0],
      [0x06, 256, 0, 0],
      [0x06, 0, 256, 0],
    ]) {
      expect(() => addon.attachProgram(0, Uint32Array.from(words))).toThrow(TypeError)
    }
    expect(() => addon.attachProgram(0, [6, 0, 0, 0] as unknown as Uint32Array)).toThrow(TypeError)
  })
})
