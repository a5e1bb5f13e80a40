import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { median, percentile } from '../statistics.js'
import { now } from './clock.js'
import { during, failures, waits } from './samples.js'
import { steady } from './schedule.js'
import { Servers } from './servers.js'

const RATE = 400
/** ms. A supervisor waits before it replaces a worker that has lived for less than a second. */
const LEAST_AGE = 1200
/** ms between a successor and the next kill, so that each kill has its own waits. */
const REST = 200

const KILLS = 20
const ROUNDS = 2

/** Of a round. @param {boolean} quick */
const killsOf = (quick) => (quick ? 1 : KILLS / ROUNDS)

/** @param {Servers} servers @returns {Promise<{ from: number, to: number }>} The time without the worker. */
async function killOldest(servers) {
  const { workers, links } = servers
  await sleep(Math.max(REST, servers.oldest.since + LEAST_AGE - now()))
  const { pid } = servers.oldest
  process.kill(pid, 'SIGKILL')
  const from = now()
  await links.until(() => !links.all.some((link) => link.pid === pid), 5000, 'the killed worker is gone')
  await servers.ready(workers, 10_000)
  return { from, to: now() }
}

/** @type {import('./plan.js').Part} */
export const kill = {
  name: 'kill',
  title: (quick) => `A worker is killed ${quick ? killsOf(quick) : KILLS} times, ${RATE} connections/s (ms)`,
  compared: ['longest'],
  ways: ['hash', 'joins', 'rr', 'shared'],
  columns: [
    { value: 'longest', heading: 'longest*' },
    { value: 'usual', heading: 'of a kill' },
    { value: 'median', heading: 'p50*', digits: 1 },
    { value: 'failed', heading: 'failed' },
    { value: 'gap', heading: 'successor' },
  ],
  note: `* answered requests under way between a kill and its successor: the killed
  worker had not accepted them; "of a kill": the longest of each, median`,
  extent: (quick) => (quick ? { rounds: 1, seconds: 2.6 } : { rounds: ROUNDS, seconds: 8 }),
  async measure({ way, workers, quick }, load) {
    const servers = await Servers.start(way, workers)
    try {
      /** @type {{ from: number, to: number }[]} */
      const gaps = []
      const times = steady(RATE, 5 + 4 * killsOf(quick))
      const { samples, lateness, cpu } = await load.run({ port: servers.port, times }, async (_begin, finish) => {
        while (gaps.length < killsOf(quick)) gaps.push(await killOldest(servers))
        await sleep(REST)
        finish()
      })
      const affected = gaps.map((gap) => waits(during(samples, gap)))
      const longest = affected.map((all) => Math.max(...all))
      const values = {
        longest: Math.max(...longest),
        usual: median(longest),
        median: percentile(affected.flat(), 50),
        ...failures(samples),
        gap: median(gaps.map(({ from, to }) => to - from)),
      }
      return [{ values, lateness, cpu }]
    } finally {
      await servers.end()
    }
  },
}
