// How soon another worker listens where one is killed, and what clients notice of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Load } from '../managers/load.js'
import { Manager, WORKERS } from '../managers/manager.js'
import { killValues, sums } from '../managers/measured.js'
import { MANAGERS } from '../managers/ways.js'
import { median } from '../statistics.js'
import { now } from '../tail/clock.js'
import { steady } from '../tail/schedule.js'

const RATE = 400 // connections a second
const LIMIT = 60 // s of one run, at most
/** ms. Managers wait before they replace a worker that has lived for less than a second. */
const LEAST_AGE = 1300
const AFTER = 300 // ms after the successor listens

/** @param {boolean} quick */
const killsOf = (quick) => (quick ? 2 : 5)

/** @type {Load | undefined} */
let load

/** @param {Manager} manager @param {number} kills */
async function killAgainAndAgain(manager, kills) {
  const seen = []
  while (seen.length < kills) {
    const youngest = Math.max(...manager.workers.map(({ since }) => since))
    await sleep(Math.max(0, youngest + LEAST_AGE - now()))
    seen.push(await manager.killOldest())
    await sleep(AFTER)
  }
  return seen
}

/** @param {import('../common/benchmark.js').Turn} turn */
async function measure({ competitor, quick }) {
  const start = MANAGERS[competitor]?.start
  if (load === undefined || start === undefined) throw new Error(`There is no '${competitor}'`)
  const manager = await Manager.start(start, { tellsAccepted: true })
  try {
    /** @type {Awaited<ReturnType<typeof killAgainAndAgain>>} */
    let kills = []
    const { samples, lateness } = await load.run({ port: manager.port, times: steady(RATE, LIMIT) }, async () => {
      kills = await killAgainAndAgain(manager, killsOf(quick))
    })
    const seen = kills.map((kill) => killValues(samples, kill))
    const counts = sums(seen, ['failedAccepted', 'failedOthers'])
    return {
      kills: kills.length,
      successor: median(kills.map(({ from, to }) => to - from)),
      longest: Math.max(...seen.map(({ longest }) => longest)),
      usual: median(seen.map(({ longest }) => longest)),
      failedAccepted: counts['failedAccepted'] ?? 0,
      failedOthers: counts['failedOthers'] ?? 0,
      lateness,
    }
  } finally {
    await manager.end()
  }
}

/** @type {import('../common/benchmark.js').Benchmark} */
export const crash = {
  name: 'crash',
  help: `One of ${WORKERS} workers is killed (SIGKILL) again and again under ${RATE} connections a
second at times fixed beforehand: how soon its successor listens, and what
clients notice whose connection the killed worker had not accepted. All managers
run the same HTTP program with their default settings.`,
  competitors: {
    ...Object.fromEntries(Object.entries(MANAGERS).filter(([name]) => name !== 'nginx')),
    watt: {
      label: 'Platformatic Watt',
      prepare() {
        throw new Error('its workers are threads of one process, so SIGKILL ends all of them and the manager')
      },
    },
  },
  parts: [
    {
      name: 'kills',
      title: `One of ${WORKERS} workers is killed under ${RATE} connections/s`,
      note: `waits are those of answered requests under way between a kill and its successor whose connection the killed worker
  had not accepted: the longest of a round, and of the middle kill; failed: of all kills. A connection that it had accepted in
  the microseconds before its program heard of it counts as not accepted`,
      columns: [
        { value: 'kills', heading: 'kills' },
        { value: 'successor', heading: 'successor ms' },
        { value: 'longest', heading: 'longest wait ms' },
        { value: 'usual', heading: 'usual ms' },
        { value: 'failedOthers', heading: 'failed, not accepted' },
        { value: 'failedAccepted', heading: 'accepted' },
      ],
      compared: ['successor', 'longest'],
      plot: 'longest',
      ours: 'ours',
      competitors: ['ours', 'pm2', 'cluster-rr', 'cluster-shared'],
      extent: (quick) => (quick ? { rounds: 1, seconds: 6 } : { rounds: 3, seconds: 13 }),
      measure,
      pool: (rounds) => sums(rounds, ['kills', 'failedOthers', 'failedAccepted']),
    },
  ],
  async prepare() {
    load = await Load.start()
  },
  async finish() {
    await load?.end()
  },
}
