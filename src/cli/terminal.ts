// Pure: colours, bars and widths of text for a terminal, and plain text for any other output.

/** What an output stream can show. */
export interface Screen {
  /** Characters in a line. Undefined for a file or a pipe: its text is plain, and its lines have their full length. */
  readonly columns: number | undefined
  /** Lines of the terminal. Undefined for a file or a pipe. */
  readonly rows: number | undefined
  readonly coloured: boolean
}

/** A NO_COLOR that is not empty switches the colours off: https://no-color.org. */
export function screenOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number },
  env: Readonly<Record<string, string | undefined>>,
): Screen {
  const isTerminal = stream.isTTY === true
  return {
    columns: isTerminal ? (stream.columns ?? 80) : undefined,
    rows: isTerminal ? (stream.rows ?? 24) : undefined,
    coloured: isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
  }
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Colour = keyof typeof CODES

export function paint({ coloured }: Screen, colour: Colour, text: string): string {
  return coloured ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of `width` characters, filled to a share of 0 to 1. A share above 0 fills an eighth of a character or more. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  const shown = share > 0 ? Math.max(1, eighths) : 0
  return ('█'.repeat(Math.floor(shown / 8)) + (EIGHTHS[shown % 8] ?? '')).padEnd(width, '·')
}

/** Cuts text to a width in characters. An ellipsis marks the cut. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  return width <= 1 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}…`
}

/** The same, at the start. */
export function cutStart(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - Math.max(0, width - 1))}`
}

/** Characters that move the cursor, change the terminal or the direction of text, or are none. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/**
 * One line of text, without a control character. All text that another process may have written goes through here, or
 * through `printableLines` or `toJson`, on its way to a terminal.
 */
export function printable(text: string): string {
  return text.replaceAll(/\r?\n/g, ' ').replaceAll(CONTROL, '?')
}

/** The same where the text may have several lines. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join('\n')
}

/** JSON that is safe on a terminal: JSON itself escapes only the control characters below U+0020. */
export function toJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent)
  // The line breaks of the indentation are the only ones, and stay.
  return text.replaceAll(CONTROL, (character) => (character === '\n' ? character : escaped(character)))
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

/** The time since a date, as 45s, 3m, 2h or 9d. */
export function age(since: Date, now: number): string {
  return duration(Math.max(0, Math.floor((now - since.getTime()) / 1000)))
}

/** A time in whole seconds, minutes, hours or days; below 10 s with a tenth. */
export function duration(seconds: number): string {
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)}s`
  if (seconds < 60) return `${Math.floor(seconds)}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
