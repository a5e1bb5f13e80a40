// Pure: when each request of an open loop begins, fixed before the first one.

/**
 * @param {number} rate a second
 * @param {number} seconds
 * @returns {number[]} ms after the beginning
 */
export function steady(rate, seconds) {
  return Array.from({ length: Math.round(rate * seconds) }, (_, index) => (index * 1000) / rate)
}

/**
 * Poisson arrivals: the same seed gives the same times.
 *
 * @param {number} rate a second
 * @param {number} seconds
 * @param {number} seed
 * @returns {number[]} ms after the beginning
 */
export function poisson(rate, seconds, seed) {
  const random = generator(seed)
  /** @type {number[]} */
  const times = []
  let time = 0
  while (true) {
    time += (-Math.log(1 - random()) * 1000) / rate
    if (time >= seconds * 1000) return times
    times.push(time)
  }
}

/** Numbers from 0 to below 1: a Weyl sequence whose terms are mixed (splitmix32). @param {number} seed */
function generator(seed) {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
}
