// Pure: the answer of bench/managers/program.js, and that of nginx.

/**
 * @param {string} text what has arrived of it
 * @returns {{ pid: number, isKept: boolean } | undefined} undefined where it is not complete.
 */
export function readAnswer(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN)
  const body = text.slice(end + 4)
  if (body.length < length) return undefined
  return { pid: Number.parseInt(body, 10), isKept: !/\r\nconnection: *close/i.test(head) }
}
