// Pure: which competitor has its turn when.

/** @typedef {import('./benchmark.js').Part} Part */
/** @typedef {import('./benchmark.js').Turn} Turn */
/** @typedef {{ part: Part, seconds: number } & Turn} PlannedTurn */

/**
 * The order of a round. In as many rounds as there are items (twice as many where their number is odd) each of them comes at each
 * place as often as the others, and after each of the others as often as after any: a Latin square as E. J. Williams built it.
 *
 * @template Item
 * @param {readonly Item[]} items
 * @param {number} round from 0
 * @returns {Item[]}
 */
export function orderOf(items, round) {
  const count = items.length
  const order = items.map((_, place) => {
    const zigzag = place % 2 === 1 ? (place + 1) / 2 : (count - place / 2) % count
    return /** @type {Item} */ (items[(zigzag + round) % count])
  })
  const isReversed = count % 2 === 1 && Math.floor(round / count) % 2 === 1
  return isReversed ? order.reverse() : order
}

/**
 * All turns of all parts.
 *
 * @param {readonly Part[]} parts
 * @param {{ competitors: readonly string[], quick: boolean, rounds?: number | undefined }} setting
 * @returns {PlannedTurn[]}
 */
export function plan(parts, { competitors, quick, rounds: asked }) {
  return parts.flatMap((part) => {
    const { rounds: usual, seconds } = part.extent(quick)
    const rounds = asked ?? usual
    const some = part.competitors.filter((name) => competitors.includes(name))
    return Array.from({ length: rounds }, (_, round) =>
      orderOf(some, round).map((competitor) => ({ part, competitor, round, rounds, quick, seconds })),
    ).flat()
  })
}

/** @param {readonly PlannedTurn[]} turns */
export function secondsOf(turns) {
  return turns.reduce((sum, { seconds }) => sum + seconds, 0)
}
