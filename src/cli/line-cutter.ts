// Pure: text that comes in pieces, cut into lines.

/** Characters of a line at most. What is longer becomes several lines. */
export const LONGEST_LINE = 65_536

/** The lines of one stream. It keeps at most one line that has no end yet. */
export class LineCutter {
  #line = ''

  /** @returns the lines that end in this text, without their ends. */
  add(text: string): readonly string[] {
    const lines: string[] = []
    // Only the new text is searched, so that many small pieces of a long line take no more time than one.
    for (let begin = 0; begin < text.length; ) {
      const room = LONGEST_LINE - this.#line.length
      const end = text.indexOf('\n', begin)
      const isWhole = end !== -1 && end - begin <= room
      const cut = isWhole ? end : wholeCharacters(text, begin, Math.min(text.length, begin + room))
      this.#line += text.slice(begin, cut)
      begin = isWhole ? cut + 1 : cut
      if (isWhole || begin < text.length) lines.push(this.#take())
    }
    return lines
  }

  /** @returns the line that has no end; undefined where there is none. */
  rest(): string | undefined {
    return this.#take() || undefined
  }

  #take(): string {
    const line = this.#line
    this.#line = ''
    return line
  }
}

/** `end`, or the place before it where a character of two units would be cut. */
function wholeCharacters(text: string, begin: number, end: number): number {
  if (end === text.length || end === begin) return end
  const isHalf = /[\uD800-\uDBFF]/.test(text.charAt(end - 1))
  return isHalf ? end - 1 : end
}
