import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Holder } from './holder.js'
import { can, Servers } from './servers.js'

/** What the supervisor is told, after which the connections are looked at. @type {Record<string, (servers: Servers) => Promise<void>>} */
const EVENTS = {
  async kill(servers) {
    const { pid } = servers.oldest
    process.kill(pid, 'SIGKILL')
    await gone(servers, [pid])
  },
  async reload(servers) {
    const pids = servers.links.all.map(({ pid }) => pid)
    servers.tellParent('SIGHUP')
    await gone(servers, pids)
  },
  async scale(servers) {
    for (let started = servers.workers; started < SCALED; started++) {
      servers.tellParent('SIGTTIN')
      // Two signals that are not yet delivered are one.
      await sleep(100)
    }
    await servers.ready(SCALED)
  },
}
const SCALED = 8

/** Waits until these workers have ended and others listen. @param {Servers} servers @param {readonly number[]} pids */
async function gone(servers, pids) {
  const { links, workers } = servers
  await links.until(() => !links.all.some(({ pid }) => pids.includes(pid)), 20_000, 'the old workers are gone')
  await servers.ready(workers)
}

/** The largest count less the smallest one, once the workers have all connections. @param {Servers} servers @param {Holder} holder @param {number} connections */
async function difference(servers, holder, connections) {
  /** @type {number[]} */
  let counts = []
  for (let look = 0; look < 50; look++) {
    counts = await servers.links.counts()
    if (holder.count === connections && counts.reduce((sum, count) => sum + count, 0) === connections) break
    await sleep(100)
  }
  return Math.max(...counts) - Math.min(...counts)
}

/** @type {(servers: Servers, connections: number) => Promise<Record<string, number>>} */
async function differences(servers, connections) {
  const holder = new Holder(servers.port)
  try {
    await holder.open(connections)
    /** @type {Record<string, number>} */
    const values = { before: await difference(servers, holder, connections) }
    for (const [event, happen] of Object.entries(EVENTS)) {
      if (event === 'scale' && servers.workers >= SCALED) continue
      await happen(servers)
      // Nobody can move a connection that a worker has: each is closed and opened again.
      if (event === 'scale') await holder.turnOver()
      values[event] = await difference(servers, holder, connections)
    }
    return values
  } finally {
    holder.end()
  }
}

/** @type {import('./plan.js').Part} */
export const balance = {
  name: 'balance',
  title: () => 'Long connections: the largest count of a worker less the smallest one',
  compared: [],
  ways: ['hash', 'balance'],
  columns: [
    { value: 'before', heading: 'opened' },
    { value: 'kill', heading: 'kill' },
    { value: 'reload', heading: 'reload' },
    { value: 'scale', heading: '4 to 8' },
  ],
  note: 'After 4 to 8 each connection is closed and opened again.',
  workers: (_asked, quick) => (quick ? [4] : [4, SCALED]),
  skip: can.balance ? undefined : '`reuseport run` has no option --balance',
  extent: (quick) => (quick ? { rounds: 1, seconds: 4.5 } : { rounds: 1, seconds: 20 }),
  async measure({ way, workers, quick }) {
    /** @type {import('./plan.js').Measured[]} */
    const all = []
    for (const connections of quick ? [8] : [8, 32, 1000]) {
      const servers = await Servers.start(way, workers)
      try {
        all.push({ setting: `${connections}`, values: await differences(servers, connections) })
      } finally {
        await servers.end()
      }
    }
    return all
  },
}
