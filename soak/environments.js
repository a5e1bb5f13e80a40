// Thousands of environments (worker threads) load the addon, open a socket, and end. None may leak a descriptor or
// memory.
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { capabilities } from 'reuseport'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, progress, yellow } from '../demo/format.js'
import { descriptors, medianSlope, memory } from './slope.js'

const HELP = `Usage: npm run soak:environments -- [options]

Starts worker threads that load the addon, open a socket without closing it, and
end by themselves or by process.exit(). Counts descriptors before and after, and
measures how much memory the process keeps for each thread. The result is the
median slope between any two of many measurements: Node itself takes and frees
more memory than thousands of leaks would. Threads without the addon run first,
as a control. Threads that leak 4 kB each run last, and that leak must be seen.

  -e, --environments <5000-1000000>  how many              (default 10000)
      --json                        print the result as JSON
  -h, --help                        print this help

Exit codes: 0 no leak, 1 a descriptor was left, a thread kept 1 kB of memory or
more, or the leak of the control was not seen, 2 wrong usage.`

const OPTIONS = /** @type {const} */ ({
  environments: { type: 'string', short: 'e', default: '10000' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

const AT_A_TIME = 2
/** Bytes for each environment. */
const TOLERANCE = 1024
const LOOKS = 40
/** The environments of each control: without the addon, and with a leak that must be seen. */
const CONTROLS = 2_000
/** Bytes for each environment of the second control. */
const LEAK = 4096

const line = progress()

/** @type {(binary: string) => string} */
const withAddon = (binary) => `
  const addon = require(${JSON.stringify(binary)})
  const fd = addon.openSocket({ transport: 'tcp', family: 4, ipv6Only: false, multipath: false })
  if (typeof fd !== 'number') throw new Error('no socket')
  if (fd % 2 === 0) process.exit()`

const WITHOUT = 'if (process.threadCpuUsage === null) process.exit()'

/** @type {(code: string) => Promise<void>} */
function runOne(code) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, stdout: true, stderr: true })
    worker.once('error', reject)
    worker.once('exit', () => resolve())
  })
}

/** @type {(code: string, environments: number) => Promise<void>} */
async function runMany(code, environments) {
  let begun = 0
  async function take() {
    while (begun < environments) {
      begun++
      await runOne(code)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, take))
}

/**
 * The bytes that this process keeps for each environment: the median slope between two looks (Theil and Sen).
 *
 * @type {(code: string, environments: number, name: string, kept?: number) => Promise<number>}
 */
async function costOf(code, environments, name, kept = 0) {
  /** @type {{ at: number, bytes: number }[]} */
  const seen = []
  /** @type {Buffer[]} */
  const leaked = []
  for (let look = 0; look <= LOOKS; look++) {
    const at = Math.round((environments * look) / LOOKS)
    const more = at - (seen.at(-1)?.at ?? 0)
    await runMany(code, more)
    leaked.push(Buffer.alloc(more * kept, 1))
    seen.push({ at, bytes: memory() })
    line.show(`${name}: ${count(at)} of ${count(environments)}`)
  }
  line.clear()
  return medianSlope(seen)
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const environments = wholeNumber('environments', values.environments, 5_000, 1_000_000)
  const { binary, reasons } = capabilities()
  if (binary === null) throw new Error(`the addon does not load: ${reasons.addon}`)
  const before = descriptors()
  const without = await costOf(WITHOUT, CONTROLS, 'without the addon')
  const cost = await costOf(withAddon(binary), environments, 'with the addon')
  const leaking = await costOf(WITHOUT, CONTROLS, 'with a leak', LEAK)
  const left = descriptors() - before
  const isLeakSeen = leaking >= TOLERANCE
  const passed = left === 0 && cost < TOLERANCE && isLeakSeen
  if (values.json) console.log(JSON.stringify({ passed, environments, left, cost, without, leaking }, undefined, 2))
  else {
    const bytes = (/** @type {number} */ number) => `${number.toFixed(0)} bytes`
    console.log(bold(`${count(environments)} environments`))
    console.log(`  ${left === 0 ? green('no descriptor is left') : yellow(`${left} descriptors are left`)}`)
    console.log(`  ${bytes(cost)} kept for each`, dim(`(${bytes(without)} without the addon)`))
    const control = `a leak of ${bytes(LEAK)} each is seen as ${bytes(leaking)}`
    console.log(`  ${isLeakSeen ? green(control) : yellow(control)}`)
  }
  process.exitCode = passed ? 0 : 1
}

process.on('SIGINT', () => process.exit(130))
await main()
