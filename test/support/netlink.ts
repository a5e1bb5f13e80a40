// Replies of NETLINK_SOCK_DIAG as the kernel writes them (linux/netlink.h, linux/inet_diag.h; little-endian machines).
const DONE = 3
const ERROR = 2
const SOCKET = 20
export const INTERRUPTED = 0x10

export const MESSAGE = { DONE, ERROR, SOCKET } as const

/** A message with its header; `length` only to lie about it. */
export function message(
  type: number,
  payload: Uint8Array,
  { sequence = 1, flags = 2, length = 16 + payload.length } = {},
): Buffer {
  const header = Buffer.alloc(16)
  header.writeUInt32LE(length >>> 0, 0)
  header.writeUInt16LE(type, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt32LE(sequence, 8)
  return Buffer.concat([header, payload, Buffer.alloc((4 - (payload.length % 4)) % 4)])
}

export function attribute(type: number, payload: Uint8Array, length = 4 + payload.length): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt16LE(length, 0)
  header.writeUInt16LE(type, 2)
  return Buffer.concat([header, payload, Buffer.alloc((4 - (payload.length % 4)) % 4)])
}

export function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number >>> 0, 4 * index)
  return bytes
}

/** An inet_diag_msg of a listener at 127.0.0.1, and its attributes. */
export function socket({ port = 8080, inode = 77, attributes = [] as readonly Buffer[] } = {}): Buffer {
  const bytes = Buffer.alloc(72)
  bytes[0] = 2 // AF_INET
  bytes[1] = 10 // LISTEN
  bytes.writeUInt16BE(port, 4)
  bytes.set([127, 0, 0, 1], 8)
  bytes.writeUInt32LE(3, 40) // interface
  bytes.writeUInt32LE(0xdead_beef, 44) // cookie, low and high
  bytes.writeUInt32LE(0x1, 48)
  bytes.writeUInt32LE(5, 56) // queued
  bytes.writeUInt32LE(511, 60) // limit
  bytes.writeUInt32LE(1000, 64) // uid
  bytes.writeUInt32LE(inode, 68)
  return Buffer.concat([bytes, ...attributes])
}

/** A unix_diag_msg of a stream socket that is bound, and its attributes. */
export function unixSocket({ family = 1, type = 1, state = 7, attributes = [] as readonly Buffer[] } = {}): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.set([family, type, state])
  bytes.writeUInt32LE(77, 4) // inode
  return Buffer.concat([bytes, ...attributes])
}

/** What Linux 6.18 answered for an accepted connection, a socket that was only bound, and a listener. */
export const RECORDED_NAMES: Buffer = Buffer.from(
  [
    '500000001400020001000000ee3400000101010008440e00d24a00000000000020000000007265757365706f72742d726563',
    '6f726465642d6c697374656e657205000600000000000800070000000000480000001400020001000000ee34000001010700',
    '05440e00d54a00000000000017000000007265757365706f72742d7265636f72646564000500060000000000080007000000',
    '0000500000001400020001000000ee34000001010a0006440e00d64a00000000000020000000007265757365706f72742d72',
    '65636f726465642d6c697374656e657205000600000000000800070000000000',
  ].join(''),
  'hex',
)

/** What Linux 6.18 answered for two listeners on [::1]:46553, and how it ended. */
export const RECORDED: readonly Buffer[] = [
  Buffer.from(
    [
      'ac0000001400020001000000085700000a0a0000b5d900000000000000000000000000000000000100000000000000000000',
      '0000000000000000000013b80000000000000000000000000000070000000000000068613200050008000000000005000b00',
      '0100000008000f00000000000c00150001000000000000000600160012000000280007000000000000000200000000000040',
      '00000000000000000000000000000000000000000000ac0000001400020001000000085700000a0a0000b5d9000000000000',
      '000000000000000000000001000000000000000000000000000000000000000014b800000000000000000000000000000900',
      '00000000000069613200050008000000000005000b000100000008000f00000000000c001500010000000000000006001600',
      '1200000028000700000000000000020000000000004000000000000000000000000000000000000000000000',
    ].join(''),
    'hex',
  ),
  Buffer.from('1400000003000200010000000857000000000000', 'hex'),
]
