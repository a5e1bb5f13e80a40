// Replaces the workers of a supervisor again and again while requests go on. No request may fail. In the control, with
// server.close(), some must fail: otherwise the run proves nothing.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Supervisor } from 'reuseport/supervisor'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, percent, progress, yellow } from '../demo/format.js'
import { closing, freePort, WORKERS } from './closing.js'
import { failures, LoadProcess } from './load-process.js'
import { PROGRAMS } from './programs.js'

const HELP = `Usage: npm run soak:restart -- [options]

Sends requests to two workers of a supervisor, on kept connections and with a
connection per request, while the workers are replaced again and again. Counts
the requests that fail and compares the throughput. Then does the same with
server.close() as a control. Does so for each kind of program.

      --program <name>     plain, detect-port (tries its port first), graceful
                           (shuts down by itself) or grpc     (default all)
  -r, --reloads <1-10000>  rolling replacements of all workers, for each kind of
                           program                            (default 25)
      --pause <0-60000>    ms between two replacements        (default 1500)
      --width <2-256>      requests at a time                 (default 16)
      --json               print the result as JSON
  -h, --help               print this help

Exit codes: 0 no request failed with reload, no worker ended with an exit code
other than 0, and some requests failed with server.close(), 1 otherwise,
2 wrong usage. The load uses loopback only.`

const STEADY = 2000 // ms of measuring without reloads, before and after them
const line = progress()

const OPTIONS = /** @type {const} */ ({
  program: { type: 'string', default: 'all' },
  reloads: { type: 'string', short: 'r', default: '25' },
  pause: { type: 'string', default: '1500' },
  width: { type: 'string', default: '16' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

/** The requests per second while `work` is under way. @type {(load: LoadProcess, work: () => Promise<unknown>) => Promise<number>} */
async function throughput(load, work) {
  const before = await load.counts()
  const begun = performance.now()
  await work()
  const seconds = (performance.now() - begun) / 1000
  return ((await load.counts()).total - before.total) / seconds
}

/** @typedef {import('./programs.js').Program} Program */
/** @typedef {{ reloads: number, pause: number, width: number }} Settings */
/** @typedef {import('./closing.js').Outcome} Outcome */
/** `badExits`: workers that ended with an exit code other than 0. @typedef {Outcome & { badExits: number, steady: number, reloading: number, while: number }} Supervised */

/** @type {(program: Program, settings: Settings) => Promise<Supervised>} */
async function supervised({ script, client }, { reloads, pause, width }) {
  const port = await freePort()
  const supervisor = new Supervisor({ script, args: [String(port)], workers: WORKERS, execArgv: [] })
  let badExits = 0
  supervisor.on('worker:exit', (_worker, { code }) => {
    // A program that does not listen for SIGTERM has no exit code.
    if (code !== 0 && code !== null) badExits++
  })
  await supervisor.start()
  const load = await LoadProcess.start(client, port, width)
  const end = () => {
    load.kill()
    supervisor.kill()
  }
  process.once('exit', end)
  await sleep(1000) // V8 has compiled the hot code by then
  const before = await throughput(load, () => sleep(STEADY))
  /** @type {number[]} */
  const inReload = []
  const reloading = await throughput(load, async () => {
    for (let turn = 1; turn <= reloads; turn++) {
      line.show(`reload ${turn} of ${reloads}, ${count(failures(await load.counts()))} failed`)
      inReload.push(await throughput(load, () => supervisor.reload()))
      await sleep(pause)
    }
  })
  const after = await throughput(load, () => sleep(STEADY))
  const counts = await load.end()
  await supervisor.stop()
  process.off('exit', end)
  line.clear()
  const during = inReload.reduce((sum, one) => sum + one, 0) / inReload.length
  const steady = (before + after) / 2
  return {
    requests: counts.total,
    failed: failures(counts),
    causes: counts.failed,
    reloads,
    badExits,
    steady,
    reloading,
    while: during,
  }
}

/** @type {(name: string, outcome: Outcome) => void} */
function report(name, { requests, failed, causes, reloads }) {
  console.log(`${bold(name)}: ${failed === 0 ? green('0 failed') : yellow(`${count(failed)} failed`)}`)
  console.log(`  ${count(requests)} requests, ${count(reloads)} rolling replacements of ${WORKERS} workers`)
  for (const [cause, times] of Object.entries(causes)) console.log(`  ${count(times).padStart(7)} × ${cause}`)
}

/** @type {(name: string, ours: Supervised) => void} */
function reportSupervised(name, ours) {
  report(`reuseport run, ${name}`, ours)
  const { badExits, steady, reloading, while: during } = ours
  if (badExits > 0) console.log(yellow(`  ${count(badExits)} workers ended with an exit code other than 0`))
  console.log(
    dim(
      `  ${steady.toFixed(0)} requests a second before and after; with reloads ${percent(reloading / steady)} of that,`,
    ),
  )
  console.log(dim(`  and ${percent(during / steady)} while a reload is under way`))
}

async function main() {
  const { values, wholeNumber, oneOf } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const settings = {
    reloads: wholeNumber('reloads', values.reloads, 1, 10_000),
    pause: wholeNumber('pause', values.pause, 0, 60_000),
    width: wholeNumber('width', values.width, 2, 256),
  }
  const name = oneOf('program', values.program, ['all', ...Object.keys(PROGRAMS)])
  const chosen = Object.entries(PROGRAMS).filter(([own]) => name === 'all' || name === own)
  /** @type {Record<string, Supervised>} */
  const run = {}
  for (const [own, program] of chosen) {
    const ours = await supervised(program, settings)
    run[own] = ours
    if (!values.json) reportSupervised(own, ours)
  }
  /** @type {Record<string, Outcome>} */
  const close = {}
  for (const [, program] of chosen) {
    const { name: control } = program.control
    if (control in close) continue
    const theirs = await closing(program, settings, line)
    close[control] = theirs
    if (!values.json) report(control, theirs)
  }
  const counts = Object.values(close).every(({ failed }) => failed > 0)
  const passed = counts && Object.values(run).every(({ failed, badExits }) => failed === 0 && badExits === 0)
  if (values.json) console.log(JSON.stringify({ passed, counts, run, close }, undefined, 2))
  else if (!counts) console.log(yellow('No request failed in a control: this run proves nothing.'))
  process.exitCode = passed ? 0 : 1
}

process.on('SIGINT', () => process.exit(130))
await main()
process.exit()
