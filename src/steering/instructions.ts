// Pure: the instructions of classic BPF that the programs of this library use. linux/bpf_common.h, bpf(4)
import type { FilterInstruction } from './steering-types.js'

export type Program = readonly FilterInstruction[]

/** Load so many bytes of the packet. */
export const LOAD = { 4: 0x20, 2: 0x28, 1: 0x30 } as const
export const LOAD_LENGTH = 0x80
export const INDEX_IS = 0x01
export const TO_INDEX = 0x07
export const MULTIPLY = 0x24
export const OR_INDEX = 0x4c
export const AND = 0x54
export const SHIFT_LEFT = 0x64
export const SHIFT_RIGHT = 0x74
export const XOR_INDEX = 0xac
export const JUMP = 0x05
export const IF_EQUAL = 0x15
export const IF_AT_LEAST = 0x35
export const IF_ANY_BIT = 0x45
export const RETURN = 0x06
export const RETURN_ACCUMULATOR = 0x16

/** No slot: the kernel then chooses by its hash. */
export const BY_HASH = 0xffff_ffff
