// Pure: which measurement comes when. Each way gets its turn in short rounds, and no way always follows the same one.

/** @typedef {import('./servers.js').Way} Way */

/**
 * What one turn gave. `setting` tells apart what one turn measures of several. `lateness`: the generator's p99, in ms.
 *
 * @typedef {{ setting?: string, values: Readonly<Record<string, number>>, lateness?: number, cpu?: number }} Measured
 */

/**
 * A column of a table: the name of a value, its heading, and how many digits it has after the point.
 *
 * @typedef {{ value: string, heading: string, digits?: number }} Column
 */

/**
 * One thing that is measured. `rounds` and `seconds` (of a turn, for the forecast) are of a full and of a quick run.
 *
 * @typedef {object} Part
 * @property {string} name
 * @property {(quick: boolean) => string} title
 * @property {readonly Column[]} columns
 * @property {readonly string[]} compared The values by which the ways are compared.
 * @property {readonly Way[]} ways
 * @property {string} [note]
 * @property {string | undefined} [skip] Why this cannot be measured.
 * @property {(asked: readonly number[], quick: boolean) => readonly number[]} [workers]
 * @property {(quick: boolean) => { rounds: number, seconds: number }} extent
 * @property {(turn: Turn, load: import('./load.js').Load) => Promise<readonly Measured[]>} measure
 */

/** @typedef {{ part: Part, workers: number, way: Way, round: number, rounds: number, quick: boolean, seconds: number }} Turn */

/**
 * @param {readonly Part[]} parts
 * @param {{ workers: readonly number[], quick: boolean }} setting
 * @returns {Turn[]}
 */
export function plan(parts, { workers, quick }) {
  return parts.flatMap((part) => {
    const { rounds, seconds } = part.extent(quick)
    const counts = part.workers?.(workers, quick) ?? workers
    return Array.from({ length: rounds }, (_, round) =>
      counts.flatMap((count) =>
        rotated(part.ways, round).map((way) => ({ part, workers: count, way, round, rounds, quick, seconds })),
      ),
    ).flat()
  })
}

/** @template Item @param {readonly Item[]} items @param {number} by */
function rotated(items, by) {
  const first = by % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
