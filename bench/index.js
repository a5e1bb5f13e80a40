// `npm run bench`: the benchmarks of benchmarks.js by name, and two small ones that are here.
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bold, dim } from '../demo/format.js'
import { NODE_VERSIONS, nodeBinary } from '../scripts/nodes.mjs'
import { BENCHMARKS } from './benchmarks.js'
import { median, ratio } from './statistics.js'

const HERE = {
  listen: "the time from the call to 'listening'",
  import: 'the time and memory of the import',
}

const HELP = `Usage: npm run bench -- <benchmark> [options]
       npm run bench -- listen import [options]

Compares in interleaved rounds of one run, over loopback only.

${Object.entries({
  ...Object.fromEntries(Object.entries(BENCHMARKS).map(([name, { about }]) => [name, about])),
  ...HERE,
})
  .map(([name, about]) => `  ${name.padEnd(9)} ${about}`)
  .join('\n')}

npm run bench -- <benchmark> --help tells its options. Those of listen, import:

  -r, --rounds <1-50>   rounds                                (default 11)
      --json            print JSON (the default without a terminal)
  -h, --help            print this help`

/** The goals of this library. They are only reported, because machines differ. */
const GOALS = { listen: 1.25, importMilliseconds: 10 }

const [, , asked = ''] = process.argv
const registered = Object.hasOwn(BENCHMARKS, asked) ? BENCHMARKS[asked] : undefined
if (registered !== undefined) {
  await registered.run(process.argv.slice(3))
  process.exit()
}

// What is compared with `reusePort` needs a Node that has it.
const node = Number.parseInt(process.versions.node, 10) >= 22 ? process.execPath : nodeBinary(24)
const version = node === process.execPath ? process.versions.node : NODE_VERSIONS[24]

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url))

/** @type {(args: string[]) => any} */
function runJson(args) {
  return JSON.parse(execFileSync(node, args, { encoding: 'utf8' }))
}

/** @param {number} rounds */
function compareImports(rounds) {
  const kinds = { empty: [script('./empty.js')], imported: ['reuseport'], used: ['reuseport', 'use'] }
  /** @type {Record<string, { milliseconds: number, kilobytes: number }[]>} */
  const seen = { empty: [], imported: [], used: [] }
  for (let round = 0; round < rounds * 3; round++) {
    for (const [kind, args] of Object.entries(kinds)) seen[kind]?.push(runJson([script('./import.js'), ...args]))
  }
  return Object.fromEntries(
    Object.entries(seen).map(([kind, all]) => [
      kind,
      { milliseconds: median(all.map((one) => one.milliseconds)), kilobytes: median(all.map((one) => one.kilobytes)) },
    ]),
  )
}

/** @type {(ratio: { median: number, low: number, high: number }) => string} */
function text({ median, low, high }) {
  return `${median.toFixed(2)}  (${low.toFixed(2)} to ${high.toFixed(2)})`
}

/** @type {(name: string, fallback: string, high: number) => number} */
function wholeNumber(name, value, high) {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1 && number <= high) return number
  console.error(`--${name} takes a whole number from 1 to ${high}, not '${value}'\n\n${HELP}`)
  return process.exit(2)
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        rounds: { type: 'string', short: 'r', default: '11' },
        json: { type: 'boolean', default: process.stdout.isTTY !== true },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    })
    const stranger = positionals.find((name) => !Object.hasOwn(HERE, name))
    if (stranger !== undefined)
      throw new Error(`'${stranger}' is no benchmark that goes with others: ${Object.keys(HERE).join(', ')} do`)
    return { ...values, benchmarks: positionals }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    return process.exit(2)
  }
}

const values = readArguments()
if (values.help || values.benchmarks.length === 0) {
  console.log(HELP)
  process.exit()
}
const rounds = wholeNumber('rounds', values.rounds, 50)
if (!values.json) console.log(`Node ${version}, ${rounds} rounds, medians`)

function benchListen() {
  /** @type {Record<string, number>[]} */
  const listens = runJson([script('./listen.js'), JSON.stringify({ rounds, times: 1000 })])
  /** @type {(name: string) => number[]} */
  const elapsed = (name) => listens.map((round) => round[name] ?? Number.NaN)
  const rows = ['core', 'core reusePort'].map((name) => ({ name, ratio: ratio(elapsed('ours'), elapsed(name)) }))
  if (!values.json) {
    console.log(`\n${bold("From the call to 'listening'")}, ours ${median(elapsed('ours')).toFixed(1)} µs`)
    for (const { name, ratio } of rows) console.log(`  ours : ${name.padEnd(25)}${text(ratio)}`)
  }
  return rows
}

function benchImport() {
  const imports = compareImports(rounds)
  if (!values.json) {
    console.log(`\n${bold('Import')}${dim(' (an empty module for comparison)')}`)
    for (const [kind, { milliseconds, kilobytes }] of Object.entries(imports)) {
      console.log(
        `  ${kind.padEnd(10)}${milliseconds.toFixed(1).padStart(8)} ms${Math.round(kilobytes).toLocaleString('en-US').padStart(10)} kB`,
      )
    }
  }
  return imports
}

/** @param {string} name */
const isAsked = (name) => values.benchmarks.includes(name)

const result = {
  node: version,
  rounds,
  listen: isAsked('listen') ? benchListen() : undefined,
  imports: isAsked('import') ? benchImport() : undefined,
  goals: GOALS,
}
if (values.json) console.log(JSON.stringify(result, null, 2))
