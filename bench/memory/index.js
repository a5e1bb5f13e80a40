// What the process above the workers takes while nothing happens.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { PM2, pm2Command } from '../accept/packages.js'
import { startServers, WORKERS } from '../accept/servers.js'
import { parseStat, pidsBelow } from '../common/processes.js'

/** MB. @param {string} text of /proc/<pid>/smaps_rollup @param {string} field */
export function megabytes(text, field) {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024
}

/** @param {number} pid */
const rollup = (pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')

/** Seconds of processor time of this process alone. @param {number} pid */
function seconds(pid) {
  const { user, system } = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  return user + system
}

/** @type {import('../common/benchmark.js').Part} */
const idle = {
  name: 'idle',
  title: 'The process above the workers, after a time without requests',
  note: `${WORKERS} workers. PSS: pages that several processes have count in shares. Private: pages that only it has. Whole: PSS with the workers`,
  ours: 'run',
  competitors: ['run', 'cluster-rr', 'pm2'],
  columns: [
    { value: 'pss', heading: 'PSS MB', digits: 1 },
    { value: 'rss', heading: 'RSS MB', digits: 1 },
    { value: 'own', heading: 'private MB', digits: 1 },
    { value: 'whole', heading: 'whole MB', digits: 1 },
    { value: 'cpu', heading: 'CPU ms/s', digits: 2 },
  ],
  compared: ['pss', 'own'],
  extent: (quick) => (quick ? { rounds: 1, seconds: 4 } : { rounds: 5, seconds: 34 }),
  async measure({ competitor, quick }) {
    const servers = await startServers(competitor)
    try {
      // Right after its start a process has not given back what the start took.
      await sleep(quick ? 500 : 10_000)
      const period = quick ? 2 : 20
      const before = seconds(servers.root)
      await sleep(period * 1000)
      const cpu = (1000 * (seconds(servers.root) - before)) / period
      const text = rollup(servers.root)
      const own = megabytes(text, 'Private_Clean') + megabytes(text, 'Private_Dirty')
      const whole = pidsBelow(servers.root).reduce((sum, pid) => sum + megabytes(rollup(pid), 'Pss'), 0)
      return { pss: megabytes(text, 'Pss'), rss: megabytes(text, 'Rss'), own, whole, cpu }
    } finally {
      await servers.end()
    }
  },
}

/** @type {import('../common/benchmark.js').Benchmark} */
export const memory = {
  name: 'memory',
  help: `Compares the memory and the processor time that the process above the workers
takes while nothing happens: the supervisor, the primary of a cluster, and the
daemon of pm2.`,
  competitors: {
    run: { label: 'reuseport run' },
    'cluster-rr': { label: "cluster's primary" },
    pm2: {
      label: "pm2's daemon",
      prepare() {
        pm2Command()
        return PM2
      },
    },
  },
  parts: [idle],
}
