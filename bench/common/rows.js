// Pure: what all turns of a part say together.
import { quartiles } from '../statistics.js'

/** @typedef {import('./benchmark.js').Part} Part */
/** @typedef {import('./benchmark.js').Row} Row */
/** @typedef {import('./benchmark.js').Sheet} Sheet */
/** @typedef {{ competitor: string, round: number, values: Readonly<Record<string, number>> }} Entry */

/**
 * What is kept of a part.
 *
 * @param {Part} part
 * @param {readonly Entry[]} entries
 * @param {Readonly<Record<string, string>>} labels of the competitors
 * @returns {Sheet}
 */
export function sheetOf({ title, note, ours, columns, compared, plot, competitors, pool }, entries, labels) {
  return {
    title,
    ...(note === undefined ? {} : { note }),
    ours: labels[ours] ?? ours,
    columns,
    compared,
    ...(plot === undefined ? {} : { plot }),
    rows: rowsOf(entries, { competitors, ours, compared, labels, pool }),
  }
}

/**
 * A row for each competitor that was measured. A value that is no number, such as the longest of no waits, is left out.
 *
 * @param {readonly Entry[]} entries
 * @param {{ competitors: readonly string[], ours: string, compared: readonly string[], labels: Readonly<Record<string, string>>, pool?: Part['pool'] }} setting
 * @returns {Row[]}
 */
export function rowsOf(entries, { competitors, ours, compared, labels, pool = () => ({}) }) {
  /** @param {string} name */
  const of = (name) => entries.filter(({ competitor }) => competitor === name)
  const own = new Map(of(ours).map(({ round, values }) => [round, values]))
  return competitors.flatMap((competitor) => {
    const all = of(competitor)
    if (all.length === 0) return []
    const names = new Set(all.flatMap(({ values }) => Object.keys(values)))
    const pooled = pool(all.map((entry) => entry.values))
    const values = {
      ...spreads([...names], (name) => all.map((entry) => entry.values[name])),
      ...spreads(Object.keys(pooled), (name) => [pooled[name]]),
    }
    const ratios = spreads(competitor === ours ? [] : compared, (name) =>
      all.map((entry) => ratio(entry.values[name], own.get(entry.round)?.[name])),
    )
    return [{ competitor, label: labels[competitor] ?? competitor, rounds: all.length, values, ratios }]
  })
}

/** @param {number | undefined} theirs @param {number | undefined} ours */
function ratio(theirs = Number.NaN, ours = Number.NaN) {
  return theirs / ours
}

/** @param {readonly string[]} names @param {(name: string) => readonly (number | undefined)[]} valuesOf */
function spreads(names, valuesOf) {
  return Object.fromEntries(
    names.flatMap((name) => {
      const known = valuesOf(name).filter((value) => value !== undefined && Number.isFinite(value))
      return known.length === 0 ? [] : [[name, quartiles(/** @type {number[]} */ (known))]]
    }),
  )
}
