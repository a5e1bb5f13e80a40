// Pure: numbers and their spread as text.

/** @typedef {import('./benchmark.js').Spread} Spread */

/** Four digits tell enough. @param {number} value @param {number} [digits] after the point */
export function number(value, digits = 0) {
  const count = Math.abs(value) >= 1000 ? 0 : digits
  return value.toLocaleString('en-US', { maximumFractionDigits: count, minimumFractionDigits: count })
}

/** @param {Spread} spread @param {number} [digits] @param {string} [separator] */
export function range({ low, high }, digits, separator = ' to ') {
  return `${number(low, digits)}${separator}${number(high, digits)}`
}

/** The median, and the quartiles where they differ. @param {Spread | undefined} spread @param {number} [digits] */
export function spreadText(spread, digits) {
  if (spread === undefined) return ''
  return spread.low === spread.high
    ? number(spread.median, digits)
    : `${number(spread.median, digits)} (${range(spread, digits)})`
}
