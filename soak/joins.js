// Reloads, scales, stops (SIGSTOP) and ends workers of a supervisor at random moments, while other workers accept from the
// queues of those that stand still. No request may be lost. In the control, with server.close(), some must be.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Supervisor } from 'reuseport/supervisor'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, progress, yellow } from '../demo/format.js'
import { closing, freePort } from './closing.js'
import { failures, LoadProcess } from './load-process.js'
import { PROGRAMS } from './programs.js'

const HELP = `Usage: npm run soak:joins -- [options]

Sends requests to workers whose event loops are blocked now and then, so that
others join their queues. At random moments workers are replaced, added, taken
away and stopped (SIGSTOP), and all of them are ended and started again.
A request is lost if it fails, but for those that are refused (ECONNREFUSED)
while there are no workers. The control replaces processes by server.close().

      --requests <number>  requests, 1,000 to 100,000,000   (default 200000)
      --width <2-256>      requests at a time               (default 16)
      --json               print the result as JSON
  -h, --help               print this help

Exit codes: 0 no request was lost, queues were joined, and some requests failed
in the control, 1 otherwise, 2 wrong usage. The load uses loopback only.`

const MOST_WORKERS = 5
const LONGEST_STOP = 500 // ms of a SIGSTOP
const script = fileURLToPath(new URL('./blocking-server.js', import.meta.url))
const line = progress()

const OPTIONS = /** @type {const} */ ({
  requests: { type: 'string', default: '200000' },
  width: { type: 'string', default: '16' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

/** @type {(port: number) => Promise<Supervisor>} */
async function start(port) {
  const supervisor = new Supervisor({ script, args: [String(port)], workers: 3, execArgv: [] })
  process.once('exit', () => supervisor.kill())
  await supervisor.start()
  return supervisor
}

/** @type {(most: number) => number} */
const random = (most) => 1 + Math.floor(Math.random() * most)

/** @type {(supervisor: Supervisor) => Promise<void>} */
async function pauseWorker({ workers }) {
  const worker = workers[random(workers.length) - 1]
  if (worker?.state !== 'ready') return
  process.kill(worker.pid, 'SIGSTOP')
  await sleep(random(LONGEST_STOP))
  process.kill(worker.pid, 'SIGCONT')
}

/** How often each is done, of all. @type {readonly (readonly [number, string, (supervisor: Supervisor) => Promise<unknown>])[]} */
const DEEDS = [
  [5, 'SIGSTOP', pauseWorker],
  [3, 'reload', (supervisor) => supervisor.reload()],
  [3, 'scale', (supervisor) => supervisor.scale(random(MOST_WORKERS))],
  [1, 'stop', (supervisor) => supervisor.stop()],
]
const ALL = DEEDS.flatMap((deed) => Array.from({ length: deed[0] }, () => deed))

/** @type {(requests: number, width: number) => Promise<{ requests: number, lost: Record<string, number>, refused: number, joins: number, deeds: Record<string, number>, whileJoined: number }>} */
async function soak(requests, width) {
  const port = await freePort()
  let joins = 0
  let guests = 0
  let whileJoined = 0
  /** @type {Record<string, number>} */
  const deeds = {}
  const begin = async () => {
    const supervisor = await start(port)
    guests = 0
    supervisor.on('queue:join', () => {
      joins++
      guests++
    })
    supervisor.on('queue:part', () => void guests--)
    return supervisor
  }
  process.setMaxListeners(0)
  let supervisor = await begin()
  const load = await LoadProcess.start(PROGRAMS['plain']?.client ?? '', port, width)
  process.once('exit', () => load.kill())
  for (let counts = await load.counts(); counts.total < requests; counts = await load.counts()) {
    line.show(`${count(counts.total)} requests, ${count(joins)} joins, ${count(lostOf(counts).total)} lost`)
    await sleep(random(500))
    // Not all wait for one: those that are always done while a queue is joined would not meet the others.
    for (let looks = 0; guests === 0 && looks < 200; looks++) await sleep(1)
    if (guests > 0) whileJoined++
    const [, name, act] = /** @type {typeof ALL[number]} */ (ALL[random(ALL.length) - 1])
    deeds[name] = (deeds[name] ?? 0) + 1
    await act(supervisor)
    if (name === 'stop') supervisor = await begin()
  }
  const counts = await load.end()
  await supervisor.stop()
  line.clear()
  const { total: _, ...lost } = lostOf(counts)
  return { requests: counts.total, ...lost, joins, deeds, whileJoined }
}

/** @type {(counts: import('./load-process.js').Counts) => { total: number, lost: Record<string, number>, refused: number }} */
function lostOf(counts) {
  const isRefused = (/** @type {string} */ cause) => cause.endsWith('ECONNREFUSED')
  const lost = Object.fromEntries(Object.entries(counts.failed).filter(([cause]) => !isRefused(cause)))
  const total = failures({ ...counts, failed: lost })
  return { total, lost, refused: failures(counts) - total }
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const requests = wholeNumber('requests', values.requests, 1000, 100_000_000)
  const width = wholeNumber('width', values.width, 2, 256)
  const ours = await soak(requests, width)
  const control = await closing(
    /** @type {import('./programs.js').Program} */ (PROGRAMS['plain']),
    { pause: 200, width },
    line,
  )
  const lost = Object.values(ours.lost).reduce((sum, times) => sum + times, 0)
  const passed = lost === 0 && ours.joins > 0 && ours.whileJoined > 0 && control.failed > 0
  process.exitCode = passed ? 0 : 1
  if (values.json) return console.log(JSON.stringify({ passed, ...ours, control }, undefined, 2))
  console.log(
    `${bold('joined queues')}: ${lost === 0 ? green('0 requests lost') : yellow(`${count(lost)} requests lost`)}`,
  )
  const deeds = Object.entries(ours.deeds).map(([name, times]) => `${count(times)} × ${name}`)
  console.log(`  ${count(ours.requests)} requests, ${count(ours.joins)} joins, ${deeds.join(', ')},`)
  console.log(`  ${count(ours.whileJoined)} of these begun while a queue was joined`)
  for (const [cause, times] of Object.entries(ours.lost)) console.log(`  ${count(times).padStart(7)} × ${cause}`)
  console.log(dim(`  ${count(ours.refused)} were refused while there were no workers`))
  console.log(
    `${bold(PROGRAMS['plain']?.control.name ?? '')}: ${count(control.failed)} failed of ${count(control.requests)}`,
  )
  if (ours.joins === 0 || control.failed === 0)
    console.log(yellow('  This run proves nothing: no join, or no failure in the control.'))
}

process.on('SIGINT', () => process.exit(130))
await main()
process.exit()
