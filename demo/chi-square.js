/**
 * Pearson's chi-square test of counts against equal shares.
 *
 * @param {readonly number[]} counts
 * @returns {{ statistic: number, degrees: number, probability: number }} `probability`: how often counts
 *   with equal shares deviate this much or more by chance.
 */
export function chiSquare(counts) {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  const degrees = counts.length - 1
  return { statistic, degrees, probability: upperGamma(degrees / 2, statistic / 2) }
}

/**
 * The regularised upper incomplete gamma function Q(s, x), by the series of its complement.
 *
 * @type {(s: number, x: number) => number}
 */
function upperGamma(s, x) {
  if (x > 700) return 0
  let term = 1 / s
  let sum = term
  for (let k = 1; term > sum * 1e-16; k++) {
    term *= x / (s + k)
    sum += term
  }
  return Math.max(0, 1 - sum * Math.exp(-x + s * Math.log(x) - logGamma(s)))
}

/**
 * ln Γ(s) for s a positive multiple of 1/2.
 *
 * @type {(s: number) => number}
 */
function logGamma(s) {
  let log = s % 1 === 0 ? 0 : Math.log(Math.PI) / 2
  for (let factor = s - 1; factor > 0; factor--) log += Math.log(factor)
  return log
}
