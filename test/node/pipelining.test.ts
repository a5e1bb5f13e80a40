// Whether a request is the last one in what the parser reads, against pipelines of every shape, cut anywhere.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { endsWith } from '../../src/node/pipelining.js'

interface Sent {
  readonly head: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

function sent(body: string, isChunked: boolean): Sent {
  const headers: Record<string, string> = { host: 'x' }
  if (isChunked) headers['transfer-encoding'] = 'chunked'
  else if (body !== '') headers['content-length'] = String(body.length)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const chunks = body === '' ? '0\r\n\r\n' : `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  return { head: `POST / HTTP/1.1\r\n${lines.join('')}\r\n`, body: isChunked ? chunks : body, headers }
}

const REQUEST = fc
  .record({ body: fc.constantFrom('', 'abc', '\r\n', 'a\r\n\r\nb', '\r\n\r\n'), isChunked: fc.boolean() })
  .map(({ body, isChunked }) => sent(body, isChunked))

/** For each head that ends in a part: what the answer is, and what is true of it. */
function judge(requests: readonly Sent[], cuts: readonly number[]): { said: boolean; isTrue: boolean }[] {
  const text = requests.map(({ head, body }) => head + body).join('')
  const ends = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b)
  const parts = [0, ...ends, text.length].map((end, index, all) => [all[index - 1] ?? 0, end] as const)
  const judged: { said: boolean; isTrue: boolean }[] = []
  for (const [from, to] of parts) {
    let heads = 0
    let at = 0
    for (const { head, body, headers } of requests) {
      const headEnd = at + head.length
      at = headEnd + body.length
      if (headEnd <= from || headEnd > to) continue
      heads++
      judged.push({ said: endsWith(Buffer.from(text.slice(from, to)), heads, { headers }), isTrue: to <= at })
    }
  }
  return judged
}

describe('the end of a buffer', () => {
  test('is never seen where another request has begun in it', () => {
    fc.assert(
      fc.property(
        fc.array(REQUEST, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (...given) => {
          for (const { said, isTrue } of judge(...given)) if (said) expect(isTrue).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('is seen at the last of requests without a body, and of those with a plain one', () => {
    const plain = [sent('', false), sent('abc', false), sent('', false), sent('abc', false)]
    for (let length = 1; length <= plain.length; length++) {
      expect(judge(plain.slice(0, length), []).map(({ said }) => said)).toEqual(
        plain.slice(0, length).map((_one, index) => index === length - 1),
      )
    }
  })

  test.each([
    ['a chunked body', 'POST / HTTP/1.1\r\n\r\n', { 'transfer-encoding': 'chunked' }],
    ['the rest of a head that was cut in its end', '\r\nGET / HTTP/1.1\r\n\r\n', {}],
    ['the same, one byte later', '\nGET / HTTP/1.1\r\n\r\n', {}],
    ['the beginning of another request', 'GET / HTTP/1.1\r\n\r\nG', {}],
    ['a length that is no number', 'POST / HTTP/1.1\r\n\r\nabc', { 'content-length': 'x' }],
  ])('is not seen: %s', (_what, text, headers) => {
    expect(endsWith(Buffer.from(text), 1, { headers })).toBe(false)
  })
})
