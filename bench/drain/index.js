// How many connections fail where the members of a group leave one after the other.
import { setTimeout as sleep } from 'node:timers/promises'
import { Load } from '../managers/load.js'
import { Manager, WORKERS } from '../managers/manager.js'
import { failures, losses } from '../managers/measured.js'
import { MANAGERS } from '../managers/ways.js'
import { now } from '../tail/clock.js'
import { poisson } from '../tail/schedule.js'
import { startGroup } from './group.js'

const RATE = 400 // connections a second
const LIMIT = 60 // s of one run, at most
const WARM = 500 // ms
const PAUSE = 300 // ms between two reloads, in which a queue of waiting clients can shrink
const AFTER = 200 // ms

/** ms in which members leave. @param {boolean} quick */
const lengthOf = (quick) => (quick ? 4000 : 8000)

const { pm2, 'cluster-rr': roundRobin, 'cluster-shared': shared } = MANAGERS

/** @type {Readonly<Record<string, import('../common/benchmark.js').Competitor & { start: import('../managers/manager.js').Starter }>>} */
const WAYS = {
  drain: { label: 'drain(server)', start: startGroup('drain') },
  close: { label: 'server.close()', start: startGroup('close') },
  empty: { label: 'accept until empty, then close', start: startGroup('empty') },
  ...(roundRobin && { 'cluster-rr': { ...roundRobin, label: 'worker.disconnect(), round robin' } }),
  ...(shared && { 'cluster-shared': { ...shared, label: 'worker.disconnect(), shared handle' } }),
  ...(pm2 && { pm2: { ...pm2, label: 'pm2 reload, cluster mode' } }),
}

/** @type {Load | undefined} */
let load

/** @param {import('../common/benchmark.js').Turn} turn */
async function measure({ competitor, quick, round }) {
  const start = WAYS[competitor]?.start
  if (load === undefined || start === undefined) throw new Error(`There is no '${competitor}'`)
  const manager = await Manager.start(start)
  try {
    let leaves = 0
    // All ways get the same connections in a round.
    const times = poisson(RATE, LIMIT, round)
    const { samples, lateness } = await load.run({ port: manager.port, times }, async () => {
      await sleep(WARM)
      const until = now() + lengthOf(quick)
      while (now() < until) {
        await manager.reload()
        leaves += WORKERS
        await sleep(PAUSE)
      }
      await sleep(AFTER)
    })
    const counts = { ...failures(samples), connections: samples.length, leaves }
    return { ...losses([counts]), lateness }
  } finally {
    await manager.end()
  }
}

/** @type {import('../common/benchmark.js').Benchmark} */
export const drain = {
  name: 'drain',
  help: `${WORKERS} processes share a port under ${RATE} new connections a second (Poisson
arrivals). Again and again one more starts, then an old one leaves: how many
connections fail. One that leaves by itself does so by
drain(server), by server.close(), or by server.close() in the turn of its event
loop in which it found its accept queue empty.`,
  competitors: WAYS,
  parts: [
    {
      name: 'leaves',
      title: `Members leave one after the other under ${RATE} connections/s`,
      note: 'of all rounds together; timeouts: failed because a client got no answer in 8 s; 0 of n says with 95 % that fewer than 3 of n fail',
      columns: [
        { value: 'connections', heading: 'connections' },
        { value: 'leaves', heading: 'leaves' },
        { value: 'failed', heading: 'failed' },
        { value: 'timeouts', heading: 'timeouts' },
        { value: 'perMillion', heading: 'per million' },
        { value: 'perThousandLeaves', heading: 'per 1,000 leaves', digits: 1 },
      ],
      compared: [],
      plot: 'perMillion',
      ours: 'drain',
      competitors: Object.keys(WAYS),
      extent: (quick) => (quick ? { rounds: 1, seconds: 6 } : { rounds: 3, seconds: 11 }),
      measure,
      pool: losses,
    },
  ],
  async prepare() {
    load = await Load.start()
  },
  async finish() {
    await load?.end()
  },
}
