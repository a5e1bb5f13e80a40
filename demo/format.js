import process from 'node:process'

const { stdout, env } = process

export const columns = Math.min(stdout.columns ?? 80, 100)

// A NO_COLOR that is not empty switches the colours off: https://no-color.org.
const coloured = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'

/** @type {(code: number) => (text: string) => string} */
const style = (code) => (text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text)

export const bold = style(1)
export const dim = style(2)
export const green = style(32)
export const yellow = style(33)
export const cyan = style(36)

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/**
 * @param {number} share of the width, 0 to 1
 * @param {number} width in characters
 */
export function bar(share, width) {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  return ('█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '')).padEnd(width)
}

/** @param {number} value */
export function count(value) {
  return value.toLocaleString('en-US')
}

/** @param {number} share */
export function percent(share, digits = 1) {
  return `${(100 * share).toFixed(digits)} %`
}

/** A status line that each call rewrites. Prints nothing where stdout is not a terminal. */
export function progress() {
  const live = stdout.isTTY === true
  return {
    /** @param {string} text */
    show(text) {
      if (live) stdout.write(`\r\x1b[2K${text}`)
    },
    clear() {
      if (live) stdout.write('\r\x1b[2K')
    },
  }
}
