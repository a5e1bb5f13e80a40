// Pure: classic BPF programs that choose a slot by what stays the same about a client: its address, or bytes that it sends.
// They are built here because the addon takes any program. The kernel runs them on a packet whose data begins behind the
// header of TCP or UDP (`reuseport_select_sock`).
import { BUCKETS } from './buckets.js'
import {
  AND,
  BY_HASH,
  IF_ANY_BIT,
  IF_AT_LEAST,
  IF_EQUAL,
  INDEX_IS,
  JUMP,
  LOAD,
  LOAD_LENGTH,
  MULTIPLY,
  OR_INDEX,
  type Program,
  RETURN,
  SHIFT_LEFT,
  SHIFT_RIGHT,
  TO_INDEX,
  XOR_INDEX,
} from './instructions.js'
import type { BytesPolicy, ClientAddressPolicy } from './steering-types.js'

/** SKF_NET_OFF: loads from here on read from the header of IP on. */
const NETWORK = 0xfff0_0000
const IPV4_SOURCE = 12
const IPV6_SOURCE = 8
/** Bytes. The header of UDP begins with the port of the sender. */
const IPV4_HEADER = 20
const IPV6_HEADER = 40

/** Of murmur3's finalizer, in which each bit of a word changes each bit of the result with a probability of one half. */
const MIX: Program = [
  ...folded(16),
  { code: MULTIPLY, k: 0x85eb_ca6b },
  ...folded(13),
  { code: MULTIPLY, k: 0xc2b2_ae35 },
  ...folded(16),
]

const TO_BUCKET: Program = [{ code: SHIFT_RIGHT, k: 32 - Math.log2(BUCKETS) }]

/** @param slots The slot of each bucket. */
export function clientAddressProgram(
  { ipv4 = 32, ipv6 = 128 }: ClientAddressPolicy,
  slots: readonly number[],
): Program {
  return bySource(hashed(masked(NETWORK + IPV4_SOURCE, ipv4)), hashed(masked(NETWORK + IPV6_SOURCE, ipv6)), slots)
}

/** By the address and port of a UDP datagram's sender. @param slots The slot of each bucket. */
export function flowProgram(slots: readonly number[]): Program {
  const by4 = hashed([...masked(NETWORK + IPV4_SOURCE, 32), [{ code: LOAD[2], k: NETWORK + IPV4_HEADER }]])
  const by6 = hashed([...masked(NETWORK + IPV6_SOURCE, 128), [{ code: LOAD[2], k: NETWORK + IPV6_HEADER }]])
  return bySource(by4, by6, slots)
}

function bySource(by4: Program, by6: Program, slots: readonly number[]): Program {
  return [
    { code: LOAD[1], k: NETWORK },
    { code: SHIFT_RIGHT, k: 4 },
    { code: IF_EQUAL, k: 6, jf: by6.length + 1 },
    ...by6,
    { code: JUMP, k: by4.length },
    ...by4,
    ...TO_BUCKET,
    ...chosen(rangesOf(slots)),
  ]
}

/** @param slots The slot of each bucket, for a policy without a table. */
export function bytesProgram({ length, longHeaders, offset, table }: BytesPolicy, slots: readonly number[]): Program {
  return [
    { code: LOAD_LENGTH },
    // A load beyond the end would choose slot 0.
    { code: IF_AT_LEAST, k: offset + length, jt: 1 },
    { code: RETURN, k: BY_HASH },
    ...(longHeaders === 'hash' ? LONG_HEADERS : []),
    ...(table === undefined
      ? [...hashed(bytes(offset, length)), ...TO_BUCKET, ...chosen(rangesOf(slots))]
      : [...numberAt(offset, length), ...chosen(rangesOfTable(table))]),
  ]
}

/** The first bit of a QUIC packet tells (RFC 8999). */
const LONG_HEADERS: Program = [
  { code: LOAD[1], k: 0 },
  { code: IF_ANY_BIT, k: 0x80, jf: 1 },
  { code: RETURN, k: BY_HASH },
]

function folded(bits: number): Program {
  return [{ code: TO_INDEX }, { code: SHIFT_RIGHT, k: bits }, { code: XOR_INDEX }]
}

/** The accumulator becomes a hash of the words that these loads bring. */
function hashed(loads: readonly Program[]): Program {
  const words = loads.map((load) => [...load, { code: XOR_INDEX }, ...MIX])
  return [{ code: INDEX_IS, k: 0 }, ...words.flatMap((word, at) => (at === 0 ? word : [{ code: TO_INDEX }, ...word]))]
}

/** The first bits of an address, by words. */
function masked(from: number, bits: number): readonly Program[] {
  return Array.from({ length: Math.ceil(bits / 32) }, (_, at) => {
    const left = bits - 32 * at
    const load = { code: LOAD[4], k: from + 4 * at }
    return left >= 32 ? [load] : [load, { code: AND, k: (-1 << (32 - left)) >>> 0 }]
  })
}

function bytes(offset: number, length: number): readonly Program[] {
  if (length === 0) return []
  const size = length >= 4 ? 4 : length >= 2 ? 2 : 1
  return [[{ code: LOAD[size], k: offset }], ...bytes(offset + size, length - size)]
}

/** The accumulator becomes the number that 1 to 4 bytes are, the first one the highest. */
function numberAt(offset: number, length: number): Program {
  if (length !== 3) return [{ code: LOAD[length as 1 | 2 | 4], k: offset }]
  return [
    { code: LOAD[2], k: offset },
    { code: SHIFT_LEFT, k: 8 },
    { code: TO_INDEX },
    { code: LOAD[1], k: offset + 2 },
    { code: OR_INDEX },
  ]
}

/** Numbers from `from` on, until the next range begins, go to this slot. */
interface Range {
  readonly from: number
  readonly slot: number
}

function rangesOf(slots: readonly number[]): readonly Range[] {
  return slots.flatMap((slot, from) => (slot === slots[from - 1] ? [] : [{ from, slot }]))
}

function rangesOfTable(table: NonNullable<BytesPolicy['table']>): readonly Range[] {
  const ranges: Range[] = [{ from: 0, slot: BY_HASH }]
  for (const { slot, value } of [...table].sort((a, b) => a.value - b.value)) {
    if (ranges.at(-1)?.from === value) ranges.pop()
    ranges.push({ from: value, slot }, { from: value + 1, slot: BY_HASH })
  }
  return ranges.filter(({ from }) => from <= 0xffff_ffff)
}

/** Finds the range of the accumulator by halves. */
function chosen(ranges: readonly Range[]): Program {
  const [first] = ranges
  if (ranges.length <= 1) return [{ code: RETURN, k: first?.slot ?? BY_HASH }]
  const half = ranges.length >> 1
  const low = chosen(ranges.slice(0, half))
  const high = chosen(ranges.slice(half))
  const k = ranges[half]?.from ?? 0
  // A conditional jump goes 255 instructions at most.
  if (low.length <= 0xff) return [{ code: IF_AT_LEAST, k, jt: low.length }, ...low, ...high]
  return [{ code: IF_AT_LEAST, k, jf: 1 }, { code: JUMP, k: low.length }, ...low, ...high]
}
