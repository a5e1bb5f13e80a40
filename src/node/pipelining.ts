// Pure: whether anything follows a request in the bytes that Node's HTTP parser reads at this moment.

/** The part of a request that is looked at. */
export interface ReadRequest {
  readonly headers: { readonly [name: string]: unknown }
}

const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a

/**
 * Whether the buffer ends with the request whose head the parser has just read. Where that cannot be told (a chunked
 * body, a body with an empty line in it, a head that is cut in its end) the answer is no, as where the body is still coming.
 *
 * @param heads How many heads the parser has read from this buffer until now, this one included.
 */
export function endsWith(buffer: Uint8Array, heads: number, { headers }: ReadRequest): boolean {
  if (headers['transfer-encoding'] !== undefined) return false
  // The end of an earlier head may have been cut in two.
  if (buffer[0] === CARRIAGE_RETURN || buffer[0] === LINE_FEED) return false
  const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  let ends = 0
  let end = 0
  for (let at = bytes.indexOf(END); at !== -1; at = bytes.indexOf(END, end)) {
    ends++
    end = at + END.length
    if (ends > heads) return false
  }
  const body = Number(headers['content-length'] ?? 0)
  return ends === heads && bytes.length - end === body
}

const END = '\r\n\r\n'
