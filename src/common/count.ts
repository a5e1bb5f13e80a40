// Pure: a number of things, as a message names it.

/** @param what In the singular: `count(2, 'connection')` is `'2 connections'`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** @param that Between the two: `countWere(1, 'connection', 'that ')` is `'1 connection that was'`. */
export function countWere(number: number, what: string, that = ''): string {
  return `${count(number, what)} ${that}${number === 1 ? 'was' : 'were'}`
}
