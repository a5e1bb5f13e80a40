// Measures a benchmark, shows and saves what it gave.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { bold, dim, progress, yellow } from '../../demo/format.js'
import { helpOf, readArguments, WrongUsage } from './arguments.js'
import { plan, secondsOf } from './plan.js'
import { sheetOf } from './rows.js'
import { nodeVersion } from './servers-node.js'
import { machine, ownVersions } from './surroundings.js'
import { drawing } from './svg.js'
import { table } from './table.js'

/** @typedef {import('./benchmark.js').Benchmark} Benchmark */
/** @typedef {import('./benchmark.js').Result} Result */
/** @typedef {import('./plan.js').PlannedTurn} PlannedTurn */
/** @typedef {import('./rows.js').Entry} Entry */

export const RESULTS = fileURLToPath(new URL('../results/', import.meta.url))
/** A competitor that fails so often in a part is measured no more there. */
const MOST_FAILURES = 2

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error))

/** @param {Benchmark} benchmark @param {readonly string[]} args */
function setting(benchmark, args) {
  try {
    return readArguments(benchmark, args, { isTerminal: process.stdout.isTTY === true, results: RESULTS })
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error
    console.error(`${error.message}\n\n${helpOf(benchmark)}`)
    return process.exit(2)
  }
}

/** Who takes part, with the versions of their packages. @param {Benchmark} benchmark @param {readonly string[]} asked */
async function prepare({ competitors, prepare }, asked) {
  await prepare?.()
  /** @type {Record<string, string>} */
  const skipped = {}
  /** @type {Record<string, string>} */
  const versions = {}
  for (const name of asked) {
    try {
      const version = await competitors[name]?.prepare?.()
      if (version !== undefined) versions[name] = version
    } catch (error) {
      skipped[name] = messageOf(error)
    }
  }
  return { skipped, versions, present: asked.filter((name) => !(name in skipped)) }
}

/**
 * @param {readonly PlannedTurn[]} turns
 * @param {(name: string) => string} labelOf
 */
async function measureAll(turns, labelOf) {
  /** @type {Map<string, Entry[]>} */
  const entries = new Map()
  /** @type {Map<string, number>} */
  const failures = new Map()
  /** @type {string[]} */
  const errors = []
  const line = progress()
  const begun = performance.now()
  const whole = secondsOf(turns)
  for (const [done, turn] of turns.entries()) {
    const { part, competitor, round, rounds } = turn
    const key = `${part.name}, ${labelOf(competitor)}`
    if ((failures.get(key) ?? 0) >= MOST_FAILURES) continue
    // The forecast learns from what the turns before have taken.
    const rest = secondsOf(turns.slice(done))
    const pace = done === 0 ? 1 : (performance.now() - begun) / 1000 / (whole - rest)
    line.show(
      `  ${part.name}, round ${round + 1} of ${rounds}: ${labelOf(competitor)} ${dim(`(${timeText(pace * rest)} left)`)}`,
    )
    try {
      const values = await part.measure(turn)
      entries.set(part.name, [...(entries.get(part.name) ?? []), { competitor, round, values }])
    } catch (error) {
      failures.set(key, (failures.get(key) ?? 0) + 1)
      errors.push(`${key}, round ${round + 1}: ${messageOf(error)}`)
    }
  }
  line.clear()
  return { entries, errors }
}

/** @param {number} seconds */
function timeText(seconds) {
  return seconds > 90 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`
}

/** @param {Result} result */
function show({ machine, versions, quick, skipped, parts }) {
  const known = Object.entries(versions).flatMap(([name, version]) =>
    version === undefined ? [] : [`${name} ${version}`],
  )
  console.log(`${known.join(', ')}\nLinux ${machine.kernel}, ${machine.cores} x ${machine.cpu}`)
  console.log(`Load of the machine before the run: ${machine.load.toFixed(2)}`)
  if (quick) console.log(yellow('A trial: too short for numbers'))
  for (const sheet of Object.values(parts)) console.log(`\n${table(sheet, { bold, dim })}`)
  for (const [name, why] of Object.entries(skipped)) console.log(`\n${name} was left out: ${why}`)
}

/** @param {Result} result @param {string} folder */
export function save(result, folder) {
  const { name, date, versions, machine, parts } = result
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`)
  const note = `${date.slice(0, 10)}, Node ${versions['node']}, Linux ${machine.kernel}, ${machine.cores} x ${machine.cpu}`
  writeFileSync(
    path.join(folder, `${name}.svg`),
    drawing({ title: `npm run bench -- ${name}`, note }, Object.values(parts)),
  )
}

/**
 * Measures all that the arguments ask for, prints it, and sets the exit code.
 *
 * @param {Benchmark} benchmark
 * @param {readonly string[]} args what follows the name of the benchmark
 */
export async function measureAndShow(benchmark, args) {
  const asked = setting(benchmark, args)
  if (asked.help) return console.log(helpOf(benchmark))
  const begun = Date.now()
  const where = machine()
  const { skipped, versions, present } = await prepare(benchmark, asked.competitors)
  /** @param {string} name */
  const labelOf = (name) => benchmark.competitors[name]?.label ?? name
  const { entries, errors } = await measureAll(plan(asked.parts, { ...asked, competitors: present }), labelOf)
  await benchmark.finish?.()
  const labels = Object.fromEntries(Object.keys(benchmark.competitors).map((name) => [name, labelOf(name)]))
  /** @type {Result} */
  const result = {
    name: benchmark.name,
    date: new Date(begun).toISOString(),
    command: ['npm run bench --', benchmark.name, ...args].join(' '),
    machine: where,
    versions: { ...ownVersions(), node: nodeVersion, ...benchmark.versions, ...versions },
    seconds: Math.round((Date.now() - begun) / 1000),
    quick: asked.quick,
    skipped,
    errors,
    parts: Object.fromEntries(
      asked.parts.flatMap((part) => {
        const own = entries.get(part.name)
        return own === undefined ? [] : [[part.name, sheetOf(part, own, labels)]]
      }),
    ),
  }
  if (asked.folder !== undefined) save(result, asked.folder)
  if (asked.json) console.log(JSON.stringify(result, null, 2))
  else show(result)
  for (const error of errors) console.error(`Not measured: ${error}`)
  if (errors.length > 0) process.exitCode = 1
}
