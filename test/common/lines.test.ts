import { once } from 'node:events'
import net from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { onLine } from '../../src/common/lines.js'
import { portOf } from '../support/listeners.js'

const LONGEST = 10
const TOO_LONG = `a line has more than ${LONGEST} characters`

let server: net.Server

beforeEach(async () => {
  server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  server.close()
  await once(server, 'close')
})

interface Heard {
  readonly lines: readonly string[]
  readonly error: string | undefined
}

/** A connection: `writer` to the other side of `reader`. */
async function connect(): Promise<{ writer: net.Socket; reader: net.Socket }> {
  const writer = net.connect({ port: portOf(server), host: '127.0.0.1', noDelay: true })
  // Where the reader ends the connection, a write fails.
  writer.on('error', () => {})
  const [reader] = (await once(server, 'connection')) as [net.Socket]
  return { writer, reader }
}

/**
 * What is told of a connection on which these chunks come.
 *
 * @param onTold Is called for each line, with its socket.
 */
async function hear(
  chunks: readonly (string | Uint8Array)[],
  onTold: (socket: net.Socket) => void = () => {},
): Promise<Heard> {
  const { reader, writer } = await connect()
  const lines: string[] = []
  let error: string | undefined
  let written = 0
  onLine(reader, LONGEST, (line) => {
    lines.push(line)
    onTold(reader)
  })
  reader.on('error', ({ message }) => {
    error = message
  })
  const closed = new Promise((resolve) => reader.once('close', resolve))
  for (const part of chunks) {
    if (reader.destroyed) break
    written += Buffer.byteLength(part)
    writer.write(part)
    // So that the next chunk is one of its own.
    while (reader.bytesRead < written && !reader.destroyed) await new Promise(setImmediate)
  }
  writer.end()
  await closed
  writer.destroy()
  return { lines, error }
}

describe('lines', () => {
  test.each<readonly [string, readonly (string | Uint8Array)[], readonly string[]]>([
    ['one', ['abc\n'], ['abc']],
    ['several in one chunk', ['a\nb\n\nc\n'], ['a', 'b', '', 'c']],
    ['split', ['a', 'b', 'c\nd', '\n', '\n', 'e\n'], ['abc', 'd', '', 'e']],
    ['the longest', ['0123456789\n', '01234', '56789', '\n'], ['0123456789', '0123456789']],
    ['without an end, which are none', ['abc\nd'], ['abc']],
    ['of no characters', ['\n\n'], ['', '']],
    ['with the end of other systems, of which one character stays', ['a\r\nb\r', '\n'], ['a\r', 'b\r']],
    ['with other line breaks, which are none here', ['a\rb\u2028c\u0085d\n'], ['a\rb\u2028c\u0085d']],
    ['of characters that are split between chunks', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], ['é']],
    ['that count UTF-16 units, not bytes', ['éééééééééé\n', '😀😀😀😀😀\n'], ['éééééééééé', '😀😀😀😀😀']],
    ['of bytes that are not UTF-8', [Buffer.from([0xff, 0x61, 0xc3, 0x0a, 0x62, 0x0a])], ['\ufffda\ufffd', 'b']],
  ])('%s', async (_what, chunks, lines) => {
    expect(await hear(chunks)).toStrictEqual({ lines, error: undefined })
  })

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['with its end', ['0123456789x\n'], []],
    ['without an end', ['0123456789x'], []],
    ['in parts', ['01234', '56789', 'x'], []],
    ['with the end of other systems', ['0123456789\r\n'], []],
    ['after others in one chunk', ['a\nb\n0123456789x\nc\n'], ['a', 'b']],
    ['after others in other chunks', ['a\n', 'b\n', '0123456789x\n', 'c\n'], ['a', 'b']],
    ['without an end, after others in one chunk', ['a\nb\n0123456789x'], ['a', 'b']],
    ['much', ['a\n', 'x'.repeat(1 << 20)], ['a']],
  ])('one that is too long ends the connection: %s', async (_what, chunks, lines) => {
    expect(await hear(chunks)).toStrictEqual({ lines, error: TOO_LONG })
  })

  test('nothing is told after the connection has been destroyed', async () => {
    const destroy = (socket: net.Socket): void => void socket.destroy()
    expect(await hear(['a\nb\nc\n'], destroy)).toStrictEqual({ lines: ['a'], error: undefined })
    expect(await hear(['a\nb\n', 'c\n'], destroy)).toStrictEqual({ lines: ['a'], error: undefined })
    // Nor is a line too long that nobody reads.
    expect(await hear(['a\n0123456789x\n'], destroy)).toStrictEqual({ lines: ['a'], error: undefined })
  })

  test('the error that a listener destroys the connection with stays', async () => {
    const refuse = (socket: net.Socket): void => void socket.destroy(new Error('refused'))
    expect(await hear(['a\n0123456789x\n'], refuse)).toStrictEqual({ lines: ['a'], error: 'refused' })
  })

  test('what is told does not depend on how the bytes arrive', async () => {
    const part = fc.oneof(
      fc.constantFrom('\n', 'a', 'é', '😀', '\r', '0123456789', '01234567'),
      fc.string({ maxLength: 3 }),
    )
    const bytes = fc.array(part, { maxLength: 12 }).map((parts) => Buffer.from(parts.join('')))
    let refused = 0
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.nat(), { maxLength: 4 }), async (all, cuts) => {
        const at = [0, ...cuts.map((one) => one % (all.length + 1)).sort((one, other) => one - other), all.length]
        const chunks = at.slice(1).map((end, index) => all.subarray(at[index], end))
        // All lines up to the first that is too long.
        const whole = all.toString().split('\n')
        const bad = whole.findIndex((line) => line.length > LONGEST)
        const lines = whole.slice(0, bad === -1 ? whole.length - 1 : bad)
        if (bad !== -1) refused++
        expect(await hear(chunks.filter((one) => one.length > 0))).toStrictEqual({
          lines,
          error: bad === -1 ? undefined : TOO_LONG,
        })
      }),
      { numRuns: 400 },
    )
    expect(refused).toBeGreaterThan(20)
  })

  test('a long line of single characters does not take the square of its length', () => {
    // Without a kernel, which would put characters together. 300,000 take a third of a second, and a search of the whole
    // line for each character takes minutes.
    const [length, most] = [300_000, 5000]
    const socket = new net.Socket()
    const told: number[] = []
    onLine(socket, length, (line) => told.push(line.length))
    const end = performance.now() + most
    for (let index = 0; index < length && performance.now() < end; index++) socket.emit('data', 'x')
    socket.emit('data', '\n')
    expect(told).toEqual([length])
  })
})
