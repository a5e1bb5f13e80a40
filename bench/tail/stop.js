import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { signal } from './children.js'
import { now } from './clock.js'
import { heldPorts } from './held.js'
import { latencies } from './samples.js'
import { steady } from './schedule.js'
import { Servers } from './servers.js'

const RATE = 400
/** s before the stop and after it. */
const AROUND = 0.6

/** @param {boolean} quick */
const lengthOf = (quick) => (quick ? 1 : 5)

/** @type {import('./plan.js').Part} */
export const stop = {
  name: 'stop',
  title: (quick) => `A worker is stopped (SIGSTOP) for ${lengthOf(quick)} s, ${RATE} connections/s (ms)`,
  compared: ['longestFree'],
  ways: ['hash', 'joins', 'rr', 'shared'],
  columns: [
    { value: 'longestFree', heading: 'longest*' },
    { value: 'free999', heading: 'p99.9*', digits: 1 },
    { value: 'p99', heading: 'p99', digits: 1 },
    { value: 'caught', heading: 'caught' },
    { value: 'failed', heading: 'failed' },
  ],
  note: '* without connections that the stopped worker had accepted (caught)',
  extent: (quick) => (quick ? { rounds: 1, seconds: 2.9 } : { rounds: 2, seconds: 7.2 }),
  async measure({ way, workers, quick }, load) {
    const servers = await Servers.start(way, workers)
    const { pid } = servers.oldest
    try {
      const times = steady(RATE, lengthOf(quick) + 2 * AROUND)
      let from = 0
      let held = new Set()
      const { samples, lateness, cpu } = await load.run({ port: servers.port, times }, async (begin) => {
        await sleep(begin + AROUND * 1000 - now())
        process.kill(pid, 'SIGSTOP')
        from = now()
        held = heldPorts(pid)
        await sleep(lengthOf(quick) * 1000)
        process.kill(pid, 'SIGCONT')
      })
      const measured = samples.filter(({ at }) => at >= from - (AROUND / 2) * 1000)
      return [{ values: latencies(measured, [{ pid, from, held }]), lateness, cpu }]
    } finally {
      signal(pid, 'SIGCONT')
      await servers.end()
    }
  },
}
