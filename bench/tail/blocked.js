import { setTimeout as sleep } from 'node:timers/promises'
import { now } from './clock.js'
import { latencies } from './samples.js'
import { steady } from './schedule.js'
import { Servers } from './servers.js'

const RATE = 600 // connections a second
const LENGTH = 400 // ms
const EVERY = 1000 // ms
/** s of requests before the first block: the first ones find code that is not compiled yet. */
const WARM = 0.6

/** @type {import('./plan.js').Part} */
export const blocked = {
  name: 'blocked',
  title: () => `Blocked worker: ${RATE} connections/s, one worker blocks ${LENGTH} ms each second (ms)`,
  compared: ['p99'],
  ways: ['hash', 'joins', 'rr', 'shared'],
  columns: [
    { value: 'p50', heading: 'p50', digits: 1 },
    { value: 'p95', heading: 'p95', digits: 1 },
    { value: 'p99', heading: 'p99', digits: 1 },
    { value: 'p999', heading: 'p99.9', digits: 1 },
    { value: 'free999', heading: 'p99.9*', digits: 1 },
    { value: 'deviation', heading: 'dev', digits: 1 },
  ],
  note: '* without connections that the blocked worker had accepted before it blocked',
  extent: (quick) => (quick ? { rounds: 1, seconds: 2.8 } : { rounds: 4, seconds: 4.5 }),
  async measure({ way, workers, quick }, load) {
    const servers = await Servers.start(way, workers)
    try {
      const { port, links } = servers
      const times = steady(RATE, WARM + (quick ? 1.5 : 3))
      let from = 0
      const { samples, lateness, cpu } = await load.run({ port, times }, async (begin) => {
        from = begin + WARM * 1000
        await sleep(from + 50 - now())
        links.tell(servers.oldest, { block: { length: LENGTH, every: EVERY } })
      })
      const measured = samples.filter(({ at }) => at >= from)
      return [{ values: latencies(measured, links.blocks), lateness, cpu }]
    } finally {
      await servers.end()
    }
  },
}
