// Compares how long connections wait while a worker cannot accept them.
import { mkdirSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { bold, dim, progress, yellow } from '../../demo/format.js'
import { readTailArguments } from './arguments.js'
import { now } from './clock.js'
import { Load } from './load.js'
import { surroundings } from './machine.js'
import { plan } from './plan.js'
import { can, WAYS } from './servers.js'
import { LATE, rowsOf } from './sheet.js'
import { drawing } from './svg.js'
import { table } from './table.js'

/** @typedef {import('./plan.js').Turn} Turn */
/** @typedef {import('./sheet.js').Entry} Entry */

const RESULTS = new URL('../results/', import.meta.url)
const setting = readTailArguments(process.argv.slice(3))
const line = progress()
/** @type {Record<string, string>} */
const skipped = {}
/** @type {string[]} */
const errors = []

/** @param {Turn[]} turns @returns {Promise<Map<string, Entry[]>>} */
async function measureAll(turns) {
  /** @type {Map<string, Entry[]>} */
  const entries = new Map()
  const load = await Load.start()
  const begun = now()
  const whole = secondsOf(turns)
  try {
    for (const [done, turn] of turns.entries()) {
      const { part, workers, way, round } = turn
      // The forecast learns from what the turns before have taken.
      const pace = done === 0 ? 1 : (now() - begun) / 1000 / (whole - secondsOf(turns.slice(done)))
      showTurn(turn, pace * secondsOf(turns.slice(done)))
      try {
        const measured = await part.measure(turn, load)
        const own = entries.get(part.name) ?? []
        entries.set(part.name, [...own, ...measured.map((one) => ({ workers, way, round, ...one }))])
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error)
        errors.push(`${part.name}, ${workers} workers, ${WAYS[way]}: ${what}`)
      }
    }
  } finally {
    line.clear()
    load.end()
  }
  return entries
}

/** @param {readonly Turn[]} turns */
function secondsOf(turns) {
  return turns.reduce((sum, { seconds }) => sum + seconds, 0)
}

/** @param {Turn} turn @param {number} left s */
function showTurn({ part, workers, way, round, rounds }, left) {
  const time = left > 90 ? `${Math.round(left / 60)} min` : `${Math.round(left)} s`
  line.show(
    `  ${part.name}, round ${round + 1} of ${rounds}: ${workers} workers, ${WAYS[way]} ${dim(`(${time} left)`)}`,
  )
}

function partsToMeasure() {
  for (const { name, skip } of setting.parts) if (skip !== undefined) skipped[name] = skip
  return setting.parts.filter(({ skip }) => skip === undefined)
}

const begun = now()
const about = surroundings()
const entries = await measureAll(plan(partsToMeasure(), setting))
const parts = setting.parts.flatMap((part) => {
  const own = entries.get(part.name)
  return own === undefined ? [] : [{ part, title: part.title(setting.quick), rows: rowsOf(own, part.compared) }]
})
const result = {
  ...about,
  seconds: Math.round((now() - begun) / 1000),
  quick: setting.quick,
  noJoin: can.join,
  late: LATE,
  skipped,
  errors,
  parts: Object.fromEntries(parts.map(({ part, title, rows }) => [part.name, { title, rows }])),
}

function showTables() {
  const { machine, versions } = about
  console.log(`Node ${versions.node}, Linux ${machine.kernel}, ${machine.cores} x ${machine.cpu}`)
  console.log(`Load of the machine before the run: ${machine.load?.toFixed(2)}`)
  console.log(dim('Medians of the rounds, below them their quartiles'))
  if (!can.join) console.log(yellow('This build has no --no-join: hash and joins are the same program'))
  for (const { part, title, rows } of parts) console.log(`\n${table({ ...part, title }, rows, WAYS, { bold, dim })}`)
  for (const [name, why] of Object.entries(skipped)) console.log(`\n${name} was left out: ${why}`)
}

function save() {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(new URL('tail.json', RESULTS), `${JSON.stringify(result, null, 2)}\n`)
  const drawn = parts.find(({ part }) => part.name === 'blocked')
  if (drawn === undefined) return
  const { machine, versions, date } = about
  const note = `${date.slice(0, 10)}, Node ${versions.node}, Linux ${machine.kernel}, ${machine.cores} x ${machine.cpu}`
  writeFileSync(new URL('tail.svg', RESULTS), drawing({ title: drawn.title, note }, drawn.rows, WAYS))
}

if (setting.save) save()
if (setting.json) console.log(JSON.stringify(result, null, 2))
else showTables()
for (const error of errors) console.error(`Not measured: ${error}`)
process.exitCode = errors.length > 0 ? 1 : 0
