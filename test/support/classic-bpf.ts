// Classic BPF as Documentation/networking/filter.rst of Linux describes it: what a program makes of a packet, to compare
// with what the kernel makes of it.

/** Four numbers for each instruction: code, jump where true, jump where false, k. */
export type Words = readonly number[] | Uint32Array

export interface Packet {
  /** From the network header on. */
  readonly network: Uint8Array
  /** From the payload of the transport protocol on, which is what absolute loads count from. */
  readonly payload: Uint8Array
  readonly cpu?: number
  readonly random?: number
}

const NETWORK = 0x1_0000_0000 - 0x10_0000
const ANCILLARY = 0x1_0000_0000 - 0x1000
/** The header of the link, of which a packet here has none. */
const LINK = 0x1_0000_0000 - 0x20_0000

/** Reads outside of the packet end the program with 0. */
class Outside extends Error {}

class OfLink extends Error {}

/** What it returns; undefined where that depends on the link. */
export function interpret(program: Words, packet: Packet): number | undefined {
  let accumulator = 0
  let index = 0
  const memory = new Uint32Array(16)
  try {
    for (let at = 0; ; at++) {
      const [code = 0, whereTrue = 0, whereFalse = 0, k = 0] = program.slice(4 * at, 4 * at + 4)
      switch (code & 7) {
        case 0:
          accumulator = load(code, k, index, memory, packet)
          break
        case 1:
          index = code === 0xb1 ? 4 * (read(packet, k, 1) & 15) : loadIndex(code, k, memory, packet)
          break
        case 2:
          memory[k] = accumulator
          break
        case 3:
          memory[k] = index
          break
        case 4:
          accumulator = compute(code, accumulator, code & 8 ? index : k)
          break
        case 5:
          if (code === 5) at += k
          else at += test(code, accumulator, code & 8 ? index : k) ? whereTrue : whereFalse
          break
        case 6:
          return code & 0x10 ? accumulator : k
        default:
          if (code & 0x80) accumulator = index
          else index = accumulator
      }
    }
  } catch (error) {
    if (error instanceof Outside) return 0
    if (error instanceof OfLink) return undefined
    throw error
  }
}

function load(code: number, k: number, index: number, memory: Uint32Array, packet: Packet): number {
  const size = { 0: 4, 8: 2, 16: 1 }[code & 0x18] ?? 4
  switch (code & 0xe0) {
    case 0x00:
      return k
    case 0x20:
      // Only by a number that the program names.
      if (k >= ANCILLARY) return { 36: packet.cpu, 56: packet.random }[k - ANCILLARY] ?? 0
      return read(packet, k, size)
    case 0x40:
      return read(packet, (k + index) >>> 0, size)
    case 0x60:
      return memory[k] ?? 0
    default:
      return packet.payload.length
  }
}

function loadIndex(code: number, k: number, memory: Uint32Array, packet: Packet): number {
  if ((code & 0xe0) === 0x00) return k
  return (code & 0xe0) === 0x60 ? (memory[k] ?? 0) : packet.payload.length
}

function read({ network, payload }: Packet, offset: number, size: number): number {
  if (offset >= LINK && offset < NETWORK) throw new OfLink()
  const [bytes, from] = offset >= NETWORK ? [network, offset - NETWORK] : [payload, offset]
  if (from + size > bytes.length) throw new Outside()
  let value = 0
  for (const byte of bytes.subarray(from, from + size)) value = value * 256 + byte
  return value
}

function compute(code: number, a: number, b: number): number {
  switch (code & 0xf0) {
    case 0x00:
      return (a + b) >>> 0
    case 0x10:
      return (a - b) >>> 0
    case 0x20:
      return Math.imul(a, b) >>> 0
    case 0x30:
      if (b === 0) throw new Outside()
      return Math.floor(a / b)
    case 0x40:
      return (a | b) >>> 0
    case 0x50:
      return (a & b) >>> 0
    case 0x60:
      return (a << (b & 31)) >>> 0
    case 0x70:
      return a >>> (b & 31)
    case 0x80:
      return -a >>> 0
    case 0x90:
      if (b === 0) throw new Outside()
      return a % b
    default:
      return (a ^ b) >>> 0
  }
}

function test(code: number, a: number, b: number): boolean {
  switch (code & 0xf0) {
    case 0x10:
      return a === b
    case 0x20:
      return a > b
    case 0x30:
      return a >= b
    default:
      return (a & b) !== 0
  }
}
