import { describe, expect, test } from 'vitest'
import { bytesProgram, clientAddressProgram } from '../../src/steering/bucket-program.js'
import { BUCKETS, slotsOfBuckets, slotsWithout } from '../../src/steering/buckets.js'
import type { FilterInstruction } from '../../src/steering/steering-types.js'
import { interpret } from '../support/classic-bpf.js'

function sizes(slots: readonly number[], members: number): readonly number[] {
  return Array.from({ length: members }, (_, slot) => slots.filter((one) => one === slot).length)
}

function moved(some: readonly number[], others: readonly number[]): number {
  return some.filter((slot, bucket) => slot !== others[bucket]).length
}

describe('buckets', () => {
  test('the shares of two members differ by one bucket at most', () => {
    for (let members = 1; members <= BUCKETS; members += members < 70 ? 1 : 13) {
      const shares = sizes(slotsOfBuckets(members), members)
      expect(shares.reduce((sum, one) => sum + one)).toBe(BUCKETS)
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
    }
  })

  test('one member more moves its own share only', () => {
    for (let members = 1; members < 100; members++) {
      const [before, after] = [slotsOfBuckets(members), slotsOfBuckets(members + 1)]
      expect(moved(before, after)).toBe(Math.floor(BUCKETS / (members + 1)))
      expect(after.filter((slot, bucket) => slot !== before[bucket]).every((slot) => slot === members)).toBe(true)
    }
  })

  test.each([
    [4, [3]],
    [4, [0]],
    [8, [2, 7]],
    [8, [1, 3, 6]],
    [2, [0]],
  ])('of %i members those in %j leave: nobody goes to them, and clients move once', (members, leaving) => {
    const during = slotsWithout(members, leaving)
    expect(during.some((slot) => leaving.includes(slot))).toBe(false)
    // As the kernel does, for one after the other: the last member moves to the slot of the one that leaves.
    const array = Array.from({ length: members }, (_, slot) => slot)
    for (const one of [...leaving].sort((a, b) => b - a)) {
      const last = array.pop() as number
      if (last !== one) array[array.indexOf(one)] = last
    }
    const after = slotsOfBuckets(members - leaving.length).map((slot) => array[slot])
    expect(sizes(during, members)).toEqual(sizes(after as number[], members))
    if (leaving.length === 1) expect(during).toEqual(after)
    // Those of the slots that are gone, and of the slots that moved.
    expect(moved(slotsOfBuckets(members), during)).toBeLessThanOrEqual(
      Math.ceil((2 * leaving.length * BUCKETS) / members),
    )
  })
})

function words(program: readonly FilterInstruction[]): readonly number[] {
  return program.flatMap(({ code, jt = 0, jf = 0, k = 0 }) => [code, jt, jf, k])
}

const IPV4 = (address: readonly number[]): Uint8Array =>
  Uint8Array.of(0x45, ...Array(11).fill(0), ...address, 0, 0, 0, 0)
const IPV6 = (address: readonly number[]): Uint8Array => Uint8Array.of(0x60, ...Array(7).fill(0), ...address)

function slotOf(program: readonly FilterInstruction[], network: Uint8Array, payload = new Uint8Array()): number {
  return interpret(words(program), { network, payload }) as number
}

/** Addresses in a row, which a bad hash puts into few buckets. */
function shares(program: readonly FilterInstruction[], addresses: readonly Uint8Array[], members: number): number[] {
  const count = Array<number>(members).fill(0)
  for (const address of addresses) count[slotOf(program, address)] = (count[slotOf(program, address)] ?? 0) + 1
  return count
}

describe('by the address of the client', () => {
  const rows: readonly (readonly [string, readonly Uint8Array[]])[] = [
    ['10.0.x.y', Array.from({ length: 8192 }, (_, at) => IPV4([10, 0, at >> 8, at & 255]))],
    ['x.y.0.1', Array.from({ length: 8192 }, (_, at) => IPV4([at >> 8, at & 255, 0, 1]))],
    [
      '2001:db8::x',
      Array.from({ length: 8192 }, (_, at) => IPV6([32, 1, 13, 184, ...Array(10).fill(0), at >> 8, at & 255])),
    ],
    [
      '2001:db8:x::1',
      Array.from({ length: 8192 }, (_, at) => IPV6([32, 1, 13, 184, at >> 8, at & 255, ...Array(9).fill(0), 1])),
    ],
  ]

  test.each(rows)('%s: each member of four has its share', (_, addresses) => {
    for (const count of shares(clientAddressProgram({ by: 'client-address' }, slotsOfBuckets(4)), addresses, 4)) {
      // Six standard deviations of a binomial distribution are 235.
      expect(Math.abs(count - 2048)).toBeLessThan(235)
    }
  })

  test('a prefix: the bits behind it do not count, the last bit of it does', () => {
    const program = clientAddressProgram({ by: 'client-address', ipv4: 24, ipv6: 56 }, slotsOfBuckets(BUCKETS))
    const of4 = (third: number, last: number): number => slotOf(program, IPV4([192, 0, third, last]))
    expect(of4(2, 200)).toBe(of4(2, 1))
    expect(of4(3, 1)).not.toBe(of4(2, 1))
    const of6 = (seventh: number, eighth: number): number =>
      slotOf(program, IPV6([32, 1, 13, 184, 0, 0, seventh, eighth, 1, 2, 3, 4, 5, 6, 7, 8]))
    expect(of6(1, 200)).toBe(of6(1, 1))
    expect(of6(2, 1)).not.toBe(of6(1, 1))
  })
})

describe('by bytes', () => {
  const of = (program: readonly FilterInstruction[], ...payload: number[]): number =>
    slotOf(program, IPV4([127, 0, 0, 1]), Uint8Array.from(payload))
  const BY_HASH = 0xffff_ffff

  test.each([1, 2, 3, 4])('a table of %i bytes', (length) => {
    const value = 256 ** length - 2
    const table = [
      { value, slot: 7 },
      { value: value + 1, slot: 1 },
      { value: 0, slot: 3 },
      { value: 2, slot: 9 },
    ]
    const program = bytesProgram({ by: 'bytes', offset: 1, length, table }, [])
    const bytes = (number: number): number[] =>
      Array.from({ length }, (_, at) => Math.floor(number / 256 ** (length - 1 - at)) % 256)
    const slots = [0, 1, 2, 3, value - 1, value, value + 1].map((number) => of(program, 99, ...bytes(number)))
    expect(slots).toEqual([3, BY_HASH, 9, BY_HASH, BY_HASH, 7, 1])
    expect(of(program, 99, ...bytes(value).slice(1))).toBe(BY_HASH)
  })

  test('a hash of all bytes; too short and long headers are by the hash of the kernel', () => {
    for (let length = 1; length <= 20; length++) {
      const program = bytesProgram({ by: 'bytes', offset: 1, length, longHeaders: 'hash' }, slotsOfBuckets(BUCKETS))
      const bytes = Array.from({ length }, (_, at) => at)
      const slot = of(program, 0x40, ...bytes)
      expect(slot).toBeLessThan(BUCKETS)
      expect(of(program, 0x7f, ...bytes, 1, 2)).toBe(slot)
      const others = bytes.map((_, at) => of(program, 0x40, ...bytes.with(at, 200)))
      // Two values in one of 512 buckets may be chance, but not for most of the bytes.
      expect(others.filter((other) => other === slot).length).toBeLessThanOrEqual(1)
      expect(of(program, 0x40, ...bytes.slice(1))).toBe(BY_HASH)
      expect(of(program, 0xc0, ...bytes)).toBe(BY_HASH)
    }
  })

  test('the largest programs, 512 members and 512 values, have no more instructions than a program may have', () => {
    const table = Array.from({ length: 512 }, (_, slot) => ({ value: 2 * slot + 1, slot }))
    for (const program of [
      clientAddressProgram({ by: 'client-address' }, slotsOfBuckets(BUCKETS)),
      bytesProgram({ by: 'bytes', offset: 0, length: 20, longHeaders: 'hash' }, slotsOfBuckets(300)),
      bytesProgram({ by: 'bytes', offset: 0, length: 4, table }, []),
    ]) {
      expect(program.length).toBeLessThanOrEqual(4096)
    }
    const largest = bytesProgram({ by: 'bytes', offset: 0, length: 4, table }, [])
    for (let slot = 0; slot < 512; slot++) {
      expect(of(largest, 0, 0, (2 * slot + 1) >> 8, (2 * slot + 1) & 255)).toBe(slot)
      expect(of(largest, 0, 0, (2 * slot) >> 8, (2 * slot) & 255)).toBe(BY_HASH)
    }
  })
})
