// Thousands of environments (worker threads) load the addon, own a socket, and end: none may leave anything behind.
import { readdirSync } from 'node:fs'
import process from 'node:process'
import { Worker } from 'node:worker_threads'
import { capabilities } from 'reuseport'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, progress, yellow } from '../demo/format.js'

const HELP = `Usage: npm run soak:environments -- [options]

Starts worker threads that load the addon, open a socket without closing it, and
end by themselves or by process.exit(). Counts descriptors before and after, and
how much memory each costs for good. Threads without the addon come first, so
that what Node itself keeps for later ones is there already.

  -e, --environments <5000-1000000>  how many              (default 10000)
      --json                        print the result as JSON
  -h, --help                        print this

Exit codes: 0 nothing is left, 1 a descriptor is, or more than 1 kB of memory for
each; 2 usage.`

const OPTIONS = /** @type {const} */ ({
  environments: { type: 'string', short: 'e', default: '10000' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

const AT_A_TIME = 2
/** In bytes: a page for every fourth. */
const TOLERANCE = 1024

const line = progress()

/** @type {(binary: string) => string} */
const withAddon = (binary) => `
  const addon = require(${JSON.stringify(binary)})
  const fd = addon.openSocket({ transport: 'tcp', family: 4, ipv6Only: false, multipath: false })
  if (typeof fd !== 'number') throw new Error('no socket')
  if (fd % 2 === 0) process.exit()`

const without = 'if (process.threadCpuUsage === null) process.exit()'

function descriptors() {
  return readdirSync('/proc/self/fd').length
}

/** @type {(code: string) => Promise<void>} */
function runOne(code) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true, stdout: true, stderr: true })
    worker.once('error', reject)
    worker.once('exit', () => resolve())
  })
}

/** @type {(code: string, environments: number, name: string) => Promise<void>} */
async function runMany(code, environments, name) {
  let begun = 0
  async function take() {
    while (begun < environments) {
      begun++
      if (begun % 50 === 0) line.show(`${name}: ${count(begun)} of ${count(environments)}`)
      await runOne(code)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, take))
  line.clear()
}

/**
 * Bytes that each costs for good. The first tenth fills what is kept for the next ones.
 *
 * @type {(code: string, environments: number, name: string) => Promise<number>}
 */
async function costOf(code, environments, name) {
  const first = Math.ceil(environments / 10)
  await runMany(code, first, name)
  const before = process.memoryUsage.rss()
  await runMany(code, environments - first, name)
  return (process.memoryUsage.rss() - before) / (environments - first)
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const environments = wholeNumber('environments', values.environments, 5_000, 1_000_000)
  const { binary, reasons } = capabilities()
  if (binary === null) throw new Error(`there is no addon: ${reasons.addon}`)
  const before = descriptors()
  const control = await costOf(without, Math.min(environments, 2_000), 'without the addon')
  const cost = await costOf(withAddon(binary), environments, 'with the addon')
  const left = descriptors() - before
  const passed = left === 0 && cost < TOLERANCE
  if (values.json) console.log(JSON.stringify({ passed, environments, left, cost, control }, undefined, 2))
  else {
    console.log(bold(`${count(environments)} environments`))
    console.log(`  ${left === 0 ? green('no descriptor is left') : yellow(`${left} descriptors are left`)}`)
    console.log(
      `  ${cost.toFixed(0)} bytes each for good`,
      dim(`(${control.toFixed(0)} those before, without the addon)`),
    )
  }
  process.exitCode = passed ? 0 : 1
}

process.on('SIGINT', () => process.exit(130))
await main()
