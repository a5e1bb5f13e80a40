// What it takes to replace all workers, and what clients notice of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Load } from '../managers/load.js'
import { Manager, WORKERS } from '../managers/manager.js'
import { reloadValues, sums } from '../managers/measured.js'
import { MANAGERS } from '../managers/ways.js'
import { now } from '../tail/clock.js'
import { steady } from '../tail/schedule.js'
import { CACHED, cachedOf, VERSIONS } from './cached.js'

const COMPETITORS = { ...MANAGERS, ...CACHED }
const RATE = 400 // requests a second
const KEPT = 32 // connections
const LIMIT = 60 // s of one run, at most
const AFTER = 400 // ms after the reload

/** ms before anything is measured, and ms in which the load alone is measured. @param {boolean} quick */
const calmOf = (quick) => (quick ? { warm: 400, steady: 500 } : { warm: 1000, steady: 1500 })

/** @type {Load | undefined} */
let load

/** @param {import('../common/benchmark.js').Turn} turn @param {number} kept */
async function measure({ competitor, quick }, kept) {
  const start = COMPETITORS[competitor]?.start
  if (load === undefined || start === undefined) throw new Error(`There is no '${competitor}'`)
  const manager = await Manager.start(start)
  try {
    let span = { from: 0, to: 0 }
    let cpu = Number.NaN
    const times = steady(RATE, LIMIT)
    const { samples, lateness } = await load.run({ port: manager.port, times, kept }, async () => {
      const calm = calmOf(quick)
      await sleep(calm.warm)
      const first = { at: now(), used: manager.processorTime() }
      await sleep(calm.steady)
      const before = { at: now(), used: manager.processorTime() }
      span = await manager.reload()
      const after = { at: now(), used: manager.processorTime() }
      const usual = (before.used - first.used) / (before.at - first.at)
      cpu = after.used - before.used - usual * (after.at - before.at)
      await sleep(AFTER)
    })
    return { time: span.to - span.from, cpu, ...reloadValues(samples, span), lateness }
  } finally {
    await manager.end()
  }
}

/** @type {(name: string, title: string, kept: number, note: string) => import('../common/benchmark.js').Part} */
const part = (name, title, kept, note) => ({
  name,
  title: `${WORKERS} workers are replaced under ${RATE} requests/s, ${title}`,
  note,
  columns: [
    { value: 'time', heading: 'reload ms' },
    { value: 'cpu', heading: 'CPU ms' },
    { value: 'failed', heading: 'failed' },
    ...(kept === 0 ? [] : [{ value: 'raced', heading: 'of them raced' }]),
    { value: 'longest', heading: 'longest wait ms' },
    { value: 'p99', heading: 'p99 ms', digits: 1 },
  ],
  compared: ['time', 'cpu', 'longest'],
  plot: 'longest',
  ours: 'ours',
  competitors: Object.keys(MANAGERS),
  extent: (quick) => (quick ? { rounds: 1, seconds: 4 } : { rounds: 3, seconds: 6 }),
  measure: (turn) => measure(turn, kept),
  pool: (rounds) => sums(rounds, ['failed', 'timeouts', 'raced']),
})

/** @param {number} version @returns {import('../common/benchmark.js').Part} */
const cached = (version) => ({
  ...part(`cache-${version}`, `Node ${version}, a program of 440 modules`, 0, NOTE),
  ours: `cache-${version}`,
  competitors: cachedOf(version),
  plot: 'cpu',
  extent: (quick) => (quick ? { rounds: 1, seconds: 6 } : { rounds: 15, seconds: 7 }),
})

const NOTE = `reload: from the command until the new workers listen and the old ones have ended; CPU: of the manager, its workers
  and the command in that time, less what the load takes; waits are those of requests under way in that time`

/** @type {import('../common/benchmark.js').Benchmark} */
export const reload = {
  name: 'reload',
  help: `All workers are replaced, by each manager's own command, while requests come at
times fixed beforehand: time, processor time and what clients notice. All
managers run the same HTTP program with their default settings; pm2 with
wait_ready. nginx answers by itself, and stands for what a server in C does.
The parts cache-22, -24 and -26 compare reuseport run with its compile cache and
without, by a program of 440 modules.`,
  competitors: COMPETITORS,
  parts: [
    part('connections', 'a connection for each', 0, NOTE),
    part(
      'kept',
      `${KEPT} kept connections`,
      KEPT,
      `${NOTE}; raced: on a kept connection, so that a client that repeats would notice nothing`,
    ),
    ...VERSIONS.map(cached),
  ],
  async prepare() {
    load = await Load.start()
  },
  async finish() {
    await load?.end()
  },
}
