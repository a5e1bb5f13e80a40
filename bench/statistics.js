/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/**
 * The ratio of two competitors in the same rounds: the median, the lowest and the highest of all rounds.
 *
 * @param {readonly number[]} ours
 * @param {readonly number[]} theirs
 */
export function ratio(ours, theirs) {
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}

/**
 * The value that `percent` of the values do not exceed (the nearest rank). NaN of no values.
 *
 * @param {readonly number[]} values
 * @param {number} percent
 */
export function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** The standard deviation. @param {readonly number[]} values */
export function deviation(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

/**
 * The median and the quartiles, between neighbouring values where need be.
 *
 * @param {readonly number[]} values
 */
export function quartiles(values) {
  const sorted = values.toSorted((a, b) => a - b)
  /** @param {number} share */
  const at = (share) => {
    const place = share * (sorted.length - 1)
    const lower = sorted[Math.floor(place)] ?? Number.NaN
    const upper = sorted[Math.ceil(place)] ?? Number.NaN
    return lower + (upper - lower) * (place % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}
