// Where a server's frames end, against frames that are made here, in any parts; and the answer to an upgrade.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GOING_AWAY, OutgoingFrames, UpgradeAnswer } from '../../src/node/websocket-frames.js'

/** A frame of a server (RFC 6455, 5.2). */
function frame(opcode: number, length: number, { fin = true, compressed = false } = {}): Buffer {
  const first = (fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode
  const size = length < 126 ? [length] : length < 0x10000 ? [126, length >> 8, length & 0xff] : undefined
  const header = size ?? [
    127,
    0,
    0,
    0,
    0,
    (length >>> 24) & 0xff,
    (length >> 16) & 0xff,
    (length >> 8) & 0xff,
    length & 0xff,
  ]
  return Buffer.concat([Buffer.from([first, ...header]), Buffer.alloc(length, 0x88)])
}

const LENGTH = fc.oneof(fc.nat(130), fc.constantFrom(0, 125, 126, 127, 0xffff, 0x10000, 70_000))
const FRAME = fc.oneof(
  fc.record({ opcode: fc.constantFrom(0, 1, 2), length: LENGTH, fin: fc.boolean(), compressed: fc.boolean() }),
  fc.record({ opcode: fc.constantFrom(9, 10), length: fc.nat(125) }),
)

function read(...parts: readonly Uint8Array[]): OutgoingFrames {
  const frames = new OutgoingFrames()
  for (const part of parts) frames.push(part)
  return frames
}

describe('frames', () => {
  test('a boundary is seen after each frame, and nowhere else, in whatever parts they are written', () => {
    fc.assert(
      fc.property(
        fc.array(FRAME, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (given, cuts) => {
          const all = given.map(({ opcode, length, ...how }) => frame(opcode, length, how))
          const bytes = Buffer.concat(all)
          const ends = new Set([0])
          let end = 0
          for (const { length } of all) {
            end += length
            ends.add(end)
          }
          const positions = [...new Set([...cuts.map((cut) => cut % bytes.length), ...ends])].toSorted((a, b) => a - b)
          const frames = new OutgoingFrames()
          let from = 0
          for (const to of positions) {
            frames.push(bytes.subarray(from, to))
            expect(frames.position).toBe(ends.has(to) ? 'boundary' : 'inside')
            from = to
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('byte by byte, too', () => {
    const bytes = Buffer.concat([frame(1, 300, { fin: false }), frame(9, 3), frame(0, 0)])
    const boundaries = [...bytes.keys()].filter((at) => {
      const frames = read(...[...bytes.subarray(0, at + 1)].map((byte) => Uint8Array.of(byte)))
      return frames.position === 'boundary'
    })
    expect(boundaries).toEqual([303, 308, 310])
  })

  test('after a Close frame nothing follows', () => {
    expect(read(GOING_AWAY).position).toBe('closed')
    expect(read(frame(1, 5), GOING_AWAY, frame(1, 5)).position).toBe('closed')
    expect(read(frame(8, 0)).position).toBe('closed')
    expect(read(GOING_AWAY.subarray(0, 3)).position).toBe('inside')
  })

  test.each([
    ['an opcode that nothing uses', [0x83, 0]],
    ['a control opcode that nothing uses', [0x8b, 0]],
    ['reserved bits', [0xa1, 0]],
    ['a compressed control frame', [0xc9, 0]],
    ['a control frame in parts', [0x09, 0]],
    ['a long control frame', [0x89, 126, 0, 200]],
    ['a masked frame', [0x81, 0x80]],
    ['a length that is not the shortest', [0x81, 126, 0, 5]],
    ['a long length that is not the shortest', [0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff]],
    ['a length beyond any', [0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]],
    ['text', [...Buffer.from('hello')]],
  ])('no frame of a server: %s', (_what, bytes) => {
    const frames = read(frame(1, 3), Uint8Array.from(bytes), frame(1, 3))
    expect(frames.position).toBe('unknown')
  })

  test('any bytes: it ends, and keeps few of them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (parts) => {
        expect(['boundary', 'inside', 'unknown', 'closed']).toContain(read(...parts).position)
      }),
    )
  })
})

describe('the answer to an upgrade', () => {
  const HEAD = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nsec-websocket-accept: x=\r\n\r\n'

  test('makes it a WebSocket, in whatever parts it is written', () => {
    for (let cut = 0; cut < HEAD.length; cut++) {
      const answer = new UpgradeAnswer()
      if (cut > 0) expect(answer.push(Buffer.from(HEAD.slice(0, cut)))).toBe('unfinished')
      expect(Buffer.from(answer.push(Buffer.from(`${HEAD.slice(cut)}rest`)) as Uint8Array).toString()).toBe('rest')
    }
  })

  test.each([
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n'],
    ['a refusal', 'HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Accept: x\r\n\r\n'],
    ['another status that begins alike', 'HTTP/1.1 1010 x\r\nSec-WebSocket-Accept: x\r\n\r\n'],
    ['a header in the body', 'HTTP/1.1 101 x\r\n\r\nx\r\nSec-WebSocket-Accept: x\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 101 x\r\n${'x'.repeat(20_000)}`],
  ])('does not: %s', (_what, text) => {
    expect(new UpgradeAnswer().push(Buffer.from(text))).toBe('other')
  })
})
