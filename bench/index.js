// Compares this library with core, cluster and one process, in interleaved rounds of one run. Reports ratios and
// spread. `tail` is a benchmark of its own.
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bold, dim, progress } from '../demo/format.js'
import { NODE_VERSIONS, nodeBinary } from '../scripts/nodes.mjs'
import { loadTool, measure } from './load.js'
import { median, ratio } from './statistics.js'

const HELP = `Usage: npm run bench -- [options] [benchmark ...] [competitor ...]
       npm run bench -- tail [options]

Measures in interleaved rounds of one run, over loopback only. Benchmarks, all
by default:
  requests  a second with 2 workers, a connection per request and keep-alive
  listen    the time from the call to 'listening'
  import    the time and memory of the import

How long connections wait while a worker is busy, stopped or killed is measured
by tail alone: npm run bench -- tail --help

Competitors of requests, all by default:
  ours control run core cluster-rr cluster-shared single

      --of <competitor>  compare this one to the others       (default ours)
  -r, --rounds <1-50>   rounds                                (default 11)
  -s, --seconds <1-30>  seconds of load for each measurement  (default 1)
      --json            print JSON (the default without a terminal)
  -h, --help            print this help`

/** The competitors and their descriptions. Ratios are ours divided by theirs. */
const COMPETITORS = {
  ours: 'listenReusePort, 2 processes',
  control: 'the same again, shows the noise',
  run: 'reuseport run -n 2',
  core: 'core reusePort, 2 processes',
  'cluster-rr': 'cluster, round robin',
  'cluster-shared': 'cluster, shared handle',
  single: 'one process',
}

/** The goals of this library. They are only reported, because machines differ. */
const GOALS = { core: 0.98, 'cluster-rr': 2.5, listen: 1.25, importMilliseconds: 10 }

const BENCHMARKS = ['requests', 'listen', 'import']

if (process.argv[2] === 'tail') {
  await import('./tail/index.js')
  process.exit()
}

const line = progress()
// The competitor `core` needs a Node that has `reusePort`.
const node = Number.parseInt(process.versions.node, 10) >= 22 ? process.execPath : nodeBinary(24)
const version = node === process.execPath ? process.versions.node : NODE_VERSIONS[24]

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url))

/** @type {(which: string, setting: { seconds: number, keepAlive: boolean }) => Promise<number>} */
async function measureServers(which, setting) {
  const servers = fork(script('./servers.js'), [which], { execPath: node })
  const exited = once(servers, 'exit')
  try {
    const [{ port }] = await once(servers, 'message')
    await measure(port, { ...setting, seconds: 1 })
    return await measure(port, setting)
  } finally {
    servers.disconnect()
    await exited
  }
}

/** @type {(names: string[], rounds: number, setting: { seconds: number, keepAlive: boolean }) => Promise<Record<string, number[]>>} */
async function compareServers(names, rounds, setting) {
  /** @type {Record<string, number[]>} */
  const rates = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    // Each round has another order, so that no competitor always runs after the same one.
    const order = names.toSorted(() => Math.random() - 0.5)
    for (const name of order) {
      line.show(
        `  round ${round + 1} of ${rounds}, ${setting.keepAlive ? 'keep-alive' : 'connection per request'}: ${name}`,
      )
      rates[name]?.push(await measureServers(name, setting))
    }
  }
  line.clear()
  return rates
}

/** @type {(args: string[]) => any} */
function runJson(args) {
  return JSON.parse(execFileSync(node, args, { encoding: 'utf8' }))
}

/** @param {number} rounds */
function compareImports(rounds) {
  const kinds = {
    empty: [script('./empty.js')],
    imported: ['reuseport'],
    used: ['reuseport', 'use'],
    'after node:http': ['reuseport', 'http'],
  }
  /** @type {Record<string, { milliseconds: number, kilobytes: number }[]>} */
  const seen = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]))
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

/** @param {Record<string, number[]>} rates */
function summarise(rates) {
  const own = rates[values.of] ?? []
  return Object.entries(rates).map(([name, all]) => ({
    name,
    rate: median(all),
    ...(name === values.of ? {} : { ratio: ratio(own, all) }),
  }))
}

/** @type {(ratio: { median: number, low: number, high: number }) => string} */
function text({ median, low, high }) {
  return `${median.toFixed(2)}  (${low.toFixed(2)} to ${high.toFixed(2)})`
}

/** @type {(title: string, rows: ReturnType<typeof summarise>) => void} */
function showRates(title, rows) {
  console.log(`\n${bold(title)}\n${dim(`  ${''.padEnd(32)}${'requests/s'.padStart(12)}   ${values.of} : theirs`)}`)
  for (const { name, rate, ratio } of rows) {
    const label = COMPETITORS[/** @type {keyof typeof COMPETITORS} */ (name)]
    console.log(
      `  ${label.padEnd(32)}${Math.round(rate).toLocaleString('en-US').padStart(12)}   ${ratio ? text(ratio) : ''}`.trimEnd(),
    )
  }
}

/** @type {(name: string, fallback: string, high: number) => number} */
function wholeNumber(name, value, high) {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1 && number <= high) return number
  console.error(`--${name} takes a whole number from 1 to ${high}, not '${value}'\n\n${HELP}`)
  return process.exit(2)
}

/** Those of `all` that are asked for; all of them where none is. @param {string[]} all @param {string[]} asked */
function chosen(all, asked) {
  const some = all.filter((name) => asked.includes(name))
  return some.length > 0 ? some : all
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        rounds: { type: 'string', short: 'r', default: '11' },
        seconds: { type: 'string', short: 's', default: '1' },
        of: { type: 'string', default: 'ours' },
        json: { type: 'boolean', default: process.stdout.isTTY !== true },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: true,
    })
    if (!(values.of in COMPETITORS)) throw new Error(`There is no competitor '${values.of}'`)
    const stranger = positionals.find((name) => !(name in COMPETITORS || BENCHMARKS.includes(name)))
    if (stranger !== undefined) throw new Error(`There is no benchmark and no competitor '${stranger}'`)
    const asked = chosen(Object.keys(COMPETITORS), positionals)
    return {
      ...values,
      names: asked.includes(values.of) ? asked : [values.of, ...asked],
      benchmarks: chosen(BENCHMARKS, positionals),
    }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`)
    return process.exit(2)
  }
}

const values = readArguments()
if (values.help) {
  console.log(HELP)
  process.exit()
}
const rounds = wholeNumber('rounds', values.rounds, 50)
const seconds = wholeNumber('seconds', values.seconds, 30)
if (!values.json) console.log(`Node ${version}, load by ${loadTool}, ${rounds} rounds of ${seconds} s, medians`)

/** @param {string} title @param {boolean} keepAlive */
async function benchRequests(title, keepAlive) {
  const rows = summarise(await compareServers(values.names, rounds, { seconds, keepAlive }))
  if (!values.json) showRates(title, rows)
  return rows
}

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
        `  ${kind.padEnd(16)}${milliseconds.toFixed(1).padStart(8)} ms${Math.round(kilobytes).toLocaleString('en-US').padStart(10)} kB`,
      )
    }
  }
  return imports
}

/** @param {string} name */
const isAsked = (name) => values.benchmarks.includes(name)

const result = {
  node: version,
  loadTool,
  rounds,
  seconds,
  perRequest: isAsked('requests') ? await benchRequests('A connection per request', false) : undefined,
  keepAlive: isAsked('requests') ? await benchRequests('Keep-alive', true) : undefined,
  listen: isAsked('listen') ? benchListen() : undefined,
  imports: isAsked('import') ? benchImport() : undefined,
  goals: GOALS,
}
if (values.json) console.log(JSON.stringify(result, null, 2))
