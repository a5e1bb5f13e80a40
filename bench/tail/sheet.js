// Pure: what all turns of a part say together.
import { quartiles } from '../statistics.js'

/** ms. Where the generator's p99 was later than this the round is left out. */
export const LATE = 10
/** The way to which the others are compared. */
const OURS = 'joins'

/** @typedef {import('./plan.js').Measured} Measured */
/** @typedef {{ workers: number, way: string, round: number } & Measured} Entry */
/** The median of the rounds and their quartiles. @typedef {{ median: number, low: number, high: number }} Spread */

/**
 * `late`: rounds in which the generator was late. They are left out, unless all of them were: then `isTimely` is false. `ratios`: ours to
 * this way in the same rounds, of each value that is compared.
 *
 * @typedef {object} Row
 * @property {number} workers
 * @property {string} way
 * @property {string} [setting]
 * @property {number} rounds
 * @property {number} late
 * @property {boolean} isTimely
 * @property {Spread} [lateness]
 * @property {Spread} [generator] Its share of a CPU.
 * @property {Record<string, Spread>} values
 * @property {Record<string, Spread>} ratios
 */

/**
 * A row for each number of workers, setting and way.
 *
 * @param {readonly Entry[]} entries
 * @param {readonly string[]} compared
 * @returns {Row[]}
 */
export function rowsOf(entries, compared) {
  const kinds = grouped(entries, ({ workers, setting, way }) => JSON.stringify([workers, setting, way]))
  const rows = [...kinds.values()].flatMap((all) => {
    const { workers, setting } = all[0] ?? {}
    const ours = kinds.get(JSON.stringify([workers, setting, OURS])) ?? []
    return all[0] === undefined ? [] : [rowOf(all, all[0], all === ours ? [] : usedOf(ours), compared)]
  })
  const settings = [...new Set(entries.map(({ setting }) => setting))]
  return rows.toSorted((a, b) => a.workers - b.workers || settings.indexOf(a.setting) - settings.indexOf(b.setting))
}

/** @param {{ lateness?: number }} entry */
const isTimely = ({ lateness = 0 }) => lateness <= LATE

/** @param {readonly Entry[]} all */
function usedOf(all) {
  return all.some(isTimely) ? all.filter(isTimely) : all
}

/** @type {(all: readonly Entry[], first: Entry, ours: readonly Entry[], compared: readonly string[]) => Row} */
function rowOf(all, { workers, way, setting, values }, ours, compared) {
  const used = usedOf(all)
  const pairs = used.flatMap((its) =>
    ours.filter(({ round }) => round === its.round).map((own) => [own.values, its.values]),
  )
  /** @param {string} name */
  const ratio = (name) =>
    quartiles(pairs.map(([own, its]) => (own?.[name] ?? Number.NaN) / (its?.[name] ?? Number.NaN)))
  return {
    workers,
    way,
    ...(setting === undefined ? {} : { setting }),
    rounds: used.length,
    late: all.filter((entry) => !isTimely(entry)).length,
    isTimely: all.some(isTimely),
    ...spreadOf('lateness', all),
    ...spreadOf(
      'generator',
      all.map(({ cpu }) => ({ generator: cpu })),
    ),
    values: Object.fromEntries(
      Object.keys(values).map((name) => [name, quartiles(used.map((entry) => entry.values[name] ?? Number.NaN))]),
    ),
    ratios: Object.fromEntries(pairs.length === 0 ? [] : compared.map((name) => [name, ratio(name)])),
  }
}

/** @type {<Name extends string>(name: Name, all: readonly { [key in Name]?: number | undefined }[]) => { [key in Name]?: Spread }} */
function spreadOf(name, all) {
  const values = all.flatMap((entry) => entry[name] ?? [])
  return /** @type {any} */ (values.length === 0 ? {} : { [name]: quartiles(values) })
}

/** @template Item @param {readonly Item[]} items @param {(item: Item) => string} keyOf */
function grouped(items, keyOf) {
  /** @type {Map<string, Item[]>} */
  const groups = new Map()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
