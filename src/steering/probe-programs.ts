// Pure: the classic BPF programs by which a supervisor steers UDP sockets whose slots it learns.
import { bytesProgram, flowProgram } from './bucket-program.js'
import { slotsOfBuckets } from './buckets.js'
import { BY_HASH, IF_EQUAL, JUMP, LOAD, LOAD_LENGTH, type Program, RETURN, RETURN_ACCUMULATOR } from './instructions.js'
import type { BytesPolicy, FilterInstruction } from './steering-types.js'

/** A filter of a socket returns the bytes that the socket takes. */
const ALL = 0xffff_ffff
const UDP_HEADER = 8

/** The kernel's hash chooses. */
export const HASH: Program = [{ code: RETURN, k: BY_HASH }]

/** Jumps over `then` where the datagram is no probe: 16 bytes of a nonce, and a slot in 4 bytes. */
function ifProbe(nonce: Buffer, from: number, then: Program): Program {
  const words = [0, 4, 8, 12].flatMap((at) => [
    { code: LOAD[4], k: from + at },
    { code: IF_EQUAL, k: nonce.readUInt32BE(at) },
  ])
  const test = [{ code: LOAD_LENGTH }, { code: IF_EQUAL, k: from + 20 }, ...words]
  const end = test.length + then.length
  return [...test.map((one, at) => (one.code === IF_EQUAL ? { ...one, jf: end - at - 1 } : one)), ...then]
}

/** The program of the group: a probe goes to the slot that it names. */
export function withProbes(nonce: Buffer, program: Program): Program {
  return [...ifProbe(nonce, 0, [{ code: LOAD[4], k: 16 }, { code: RETURN_ACCUMULATOR }]), ...program]
}

/** The filter of a socket: it takes no probe. The kernel runs it on a packet that begins with the header of UDP. */
export function filterOfProbes(nonce: Buffer): Program {
  return [...ifProbe(nonce, UDP_HEADER, [{ code: RETURN, k: 0 }]), { code: RETURN, k: ALL }]
}

/**
 * By bytes, and what has too few of them, or a long header, by its source address and port: nothing goes by the kernel's
 * hash, which knows no member that leaves.
 *
 * @param slots The slots of the members that stay, in the order of their workers.
 */
export function memberProgram(policy: BytesPolicy | undefined, slots: readonly number[]): Program {
  const ofBuckets = slotsOfBuckets(slots.length).map((at) => slots[at] as number)
  const flow = flowProgram(ofBuckets)
  if (policy === undefined) return flow
  const bytes = bytesProgram(policy, ofBuckets)
  const isByHash = ({ code, k }: FilterInstruction): boolean => code === RETURN && k === BY_HASH
  return [...bytes.map((one, at) => (isByHash(one) ? { code: JUMP, k: bytes.length - at - 1 } : one)), ...flow]
}
