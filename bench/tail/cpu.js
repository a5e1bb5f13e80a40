import os from 'node:os'
import { latencies } from './samples.js'
import { poisson } from './schedule.js'
import { Servers } from './servers.js'

const WORK = [10, 30, 50] // ms of processor time
const SHARE = 0.7
/** Of a CPU: what the generator and the system take. */
const RESERVED = 0.15

/** @param {number} workers */
const usable = (workers) => Math.min(workers, os.availableParallelism() - RESERVED)

/** @type {import('./plan.js').Part} */
export const cpu = {
  name: 'cpu',
  title: () => `Requests of ${WORK.join(', ')} ms of processor time, Poisson arrivals (ms)`,
  note: `load: ${SHARE * 100} % of the workers, at most of ${os.availableParallelism()} CPUs less ${RESERVED} for the generator`,
  compared: ['p99'],
  ways: ['hash', 'joins', 'rr', 'shared'],
  columns: [
    { value: 'p50', heading: 'p50' },
    { value: 'p95', heading: 'p95' },
    { value: 'p99', heading: 'p99' },
    { value: 'longestFree', heading: 'longest' },
  ],
  extent: (quick) => (quick ? { rounds: 1, seconds: 2.6 } : { rounds: 3, seconds: 7 }),
  async measure({ way, workers, quick, round }, load) {
    const servers = await Servers.start(way, workers)
    /** @type {import('./plan.js').Measured[]} */
    const all = []
    try {
      for (const work of WORK) {
        const rate = (SHARE * usable(workers) * 1000) / work
        // The same seed in a round for all ways: all of them get the same requests.
        const times = poisson(rate, quick ? 0.5 : 2, 1000 * work + round)
        const { samples, lateness, cpu } = await load.run({ port: servers.port, path: `/?work=${work}`, times })
        all.push({ setting: `${work} ms`, values: { ...latencies(samples, []), rate }, lateness, cpu })
      }
      return all
    } finally {
      await servers.end()
    }
  },
}
