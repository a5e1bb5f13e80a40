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
