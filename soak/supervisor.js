// Reloads and kills the workers of a supervisor hundreds of times. The supervisor may keep neither descriptors nor memory.
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Supervisor } from 'reuseport/supervisor'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, progress, yellow } from '../demo/format.js'
import { descriptors, medianSlope, memory } from './slope.js'

const HELP = `Usage: npm run soak:supervisor -- [options]

Replaces the two workers of a supervisor again and again, kills (SIGKILL) one
of them now and then, and measures the descriptors and the memory of the
supervisor. The result is the median slope between any two of many
measurements, in bytes for each reload. A leak of 64 kB for each reload is added
at the end, for a tenth of the reloads, and must be seen.

  -r, --reloads <100-10000> rolling replacements of both workers  (default 500)
  -k, --kills <1-10000>     kills, at most one for each reload    (default 100)
      --json                print the result as JSON
  -h, --help                print this help

Exit codes: 0 no leak, 1 a descriptor was left, a reload kept 16 kB or more, or
the leak of the control was not seen, 2 wrong usage.`

const OPTIONS = /** @type {const} */ ({
  reloads: { type: 'string', short: 'r', default: '500' },
  kills: { type: 'string', short: 'k', default: '100' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

const WORKERS = 2
/** Reloads before the first measurement: until then the memory of any program grows that starts as many processes. */
const FIRST = 100
/** Measurements of each part. */
const LOOKS = 50
/** Bytes for each reload. */
const TOLERANCE = 16_384
/** Bytes for each reload of the control. */
const LEAK = 65_536
const script = fileURLToPath(new URL('./http-server.js', import.meta.url))
const line = progress()

/** @type {(supervisor: Supervisor) => Promise<void>} */
async function killOne(supervisor) {
  const [victim] = supervisor.workers
  if (victim === undefined) throw new Error('the supervisor has no worker')
  const isReady = new Promise((resolve) => supervisor.once('worker:ready', resolve))
  process.kill(victim.pid, 'SIGKILL')
  await isReady
}

/**
 * The bytes that this process keeps for each reload.
 *
 * @type {(supervisor: Supervisor, reloads: number, kills: number, name: string, leak?: number) => Promise<number>}
 */
async function costOf(supervisor, reloads, kills, name, leak = 0) {
  const seen = [{ at: 0, bytes: memory() }]
  /** @type {Buffer[]} */
  const leaked = []
  let killed = 0
  for (let turn = 1; turn <= reloads; turn++) {
    await supervisor.reload()
    // Spread evenly over the reloads.
    if (killed < Math.floor((turn * kills) / reloads)) {
      killed++
      await killOne(supervisor)
    }
    if (leak > 0) leaked.push(Buffer.alloc(leak, 1))
    if (turn % Math.ceil(reloads / LOOKS) === 0) seen.push({ at: turn, bytes: memory() })
    line.show(`${name}: ${count(turn)} of ${count(reloads)} reloads, ${count(killed)} kills`)
  }
  line.clear()
  return medianSlope(seen)
}

async function start() {
  const supervisor = new Supervisor({
    script,
    args: ['0'],
    workers: WORKERS,
    execArgv: [],
    grace: 0,
    maxRestarts: Number.POSITIVE_INFINITY,
  })
  process.once('exit', () => supervisor.kill())
  await supervisor.start()
  return supervisor
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const reloads = wholeNumber('reloads', values.reloads, 100, 10_000)
  const kills = Math.min(wholeNumber('kills', values.kills, 1, 10_000), reloads)
  // Node and the addon open some descriptors once.
  await (await start()).stop()
  const none = descriptors()
  const supervisor = await start()
  await costOf(supervisor, FIRST, 5, 'first')
  const before = descriptors()
  const cost = await costOf(supervisor, reloads, kills, 'measured')
  const grown = descriptors() - before
  const leaking = await costOf(supervisor, Math.ceil(reloads / 10), 0, 'with a leak', LEAK)
  await supervisor.stop()
  const left = descriptors() - none
  const isLeakSeen = leaking - Math.max(0, cost) >= TOLERANCE
  const passed = grown <= 0 && left <= 0 && cost < TOLERANCE && isLeakSeen
  if (values.json) console.log(JSON.stringify({ passed, reloads, kills, grown, left, cost, leaking }, undefined, 2))
  else {
    const bytes = (/** @type {number} */ number) => `${number.toFixed(0)} bytes`
    console.log(bold(`${count(reloads)} reloads and ${count(kills)} kills of ${WORKERS} workers`))
    console.log(`  ${grown <= 0 ? green('no descriptor more') : yellow(`${grown} descriptors more`)}`)
    console.log(`  ${left <= 0 ? green('none left after the end') : yellow(`${left} descriptors left after the end`)}`)
    const kept = `${bytes(cost)} kept for each reload`
    console.log(`  ${cost < TOLERANCE ? green(kept) : yellow(kept)}`, dim(`(less than ${bytes(TOLERANCE)} is none)`))
    const control = `a leak of ${bytes(LEAK)} each is seen as ${bytes(leaking)}`
    console.log(`  ${isLeakSeen ? green(control) : yellow(control)}`)
  }
  process.exitCode = passed ? 0 : 1
}

process.on('SIGINT', () => process.exit(130))
await main()
process.exit()
