// Pure: where a server's frames end in the bytes that it writes to a WebSocket (RFC 6455, 5.2), and whether the answer to
// an upgrade makes the connection a WebSocket. Both read bytes in any parts and keep a bounded number of them.

/**
 * `'unknown'`: the bytes are no frames of a server, so where one ends is not known. `'closed'`: a Close frame has been
 * written, after which no other frame may follow.
 */
export type FramePosition = 'boundary' | 'inside' | 'unknown' | 'closed'

const CLOSE = 0x8
const FIRST_CONTROL = 0x8

export class OutgoingFrames {
  #position: FramePosition = 'boundary'
  /** The bytes of a frame's header until it is complete: 14 at most. */
  #header: number[] = []
  /** Bytes of the payload that are still to come. */
  #left = 0
  #isClose = false

  get position(): FramePosition {
    return this.#position
  }

  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length && (this.#position === 'boundary' || this.#position === 'inside')) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at)
        this.#left -= taken
        at += taken
        if (this.#left === 0) this.#end()
      } else {
        this.#position = 'inside'
        this.#header.push(bytes[at++] as number)
        this.#read()
      }
    }
  }

  #read(): void {
    const header = readHeader(this.#header)
    if (header === 'incomplete') return
    if (header === 'invalid') {
      this.#position = 'unknown'
      return
    }
    this.#header = []
    this.#isClose = header.opcode === CLOSE
    this.#left = header.length
    if (header.length === 0) this.#end()
  }

  #end(): void {
    this.#position = this.#isClose ? 'closed' : 'boundary'
  }
}

interface Header {
  readonly opcode: number
  readonly length: number
}

function readHeader(bytes: readonly number[]): Header | 'incomplete' | 'invalid' {
  const [first = 0, second] = bytes
  const opcode = first & 0x0f
  const isControl = opcode >= FIRST_CONTROL
  // Compression uses the first of the reserved bits (RFC 7692), nothing uses the others.
  if ((first & 0x30) !== 0 || (opcode & 0x07) > 2) return 'invalid'
  if (isControl && (first & 0xc0) !== 0x80) return 'invalid'
  if (second === undefined) return 'incomplete'
  // A server does not mask.
  if ((second & 0x80) !== 0 || (isControl && second > 125)) return 'invalid'
  if (second < 126) return { opcode, length: second }
  const size = second === 126 ? 2 : 8
  if (bytes.length < 2 + size) return 'incomplete'
  const length = bytes.slice(2).reduce((sum, byte) => sum * 256 + byte, 0)
  const isShortest = size === 2 ? length > 125 : length > 0xffff
  return isShortest && length <= Number.MAX_SAFE_INTEGER ? { opcode, length } : 'invalid'
}

/** Bytes of the head of an answer that are read, at most. */
const LONGEST_HEAD = 16_384

/** The answer that a program writes to a request for an upgrade. */
export class UpgradeAnswer {
  #head = ''

  /** @returns `'unfinished'`; `'other'` where this is no WebSocket; the bytes after the head where it is one. */
  push(bytes: Uint8Array): 'unfinished' | 'other' | Uint8Array {
    const before = this.#head.length
    this.#head += Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, LONGEST_HEAD)).toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end === -1) return this.#head.length < LONGEST_HEAD ? 'unfinished' : 'other'
    const head = this.#head.slice(0, end)
    const isWebSocket = /^HTTP\/1\.1 101[ \r]/.test(head) && /\r\nsec-websocket-accept:/i.test(head)
    return isWebSocket ? bytes.subarray(end + 4 - before) : 'other'
  }
}

/** A Close frame: 1001, "going away" (RFC 6455, 7.4.1). */
export const GOING_AWAY: Uint8Array = Uint8Array.of(0x88, 2, 1001 >> 8, 1001 & 0xff)
