// What a connection and a request cost the server's processes.
import { microsPer, timesOf } from '../common/processes.js'
import { load, loadTool } from '../load.js'
import { compileCeiling } from './ceiling.js'
import { NODE_UNIX_SOCKET, PM2, pm2Command, unixSocketPackage } from './packages.js'
import { startServers, WORKERS } from './servers.js'

const competitors = {
  ours: { label: 'listenReusePort' },
  control: { label: 'the same again (the noise)' },
  core: { label: "Node's reusePort" },
  run: { label: 'reuseport run' },
  cpu: { label: 'reuseport run --steering cpu --pin' },
  'node-unix-socket': {
    label: 'node-unix-socket',
    prepare() {
      unixSocketPackage()
      return NODE_UNIX_SOCKET
    },
  },
  'cluster-rr': { label: 'cluster, round robin' },
  'cluster-shared': { label: 'cluster, shared handle' },
  pm2: {
    label: 'pm2, cluster mode',
    prepare() {
      pm2Command()
      return PM2
    },
  },
  single: { label: 'one process' },
  c: { label: 'a server in C (the ceiling)', prepare: compileCeiling },
}

/** Requests after which V8 has compiled what is run often. */
const WARM = 20_000

/** As many requests for each competitor, so that a slow one is measured in the same state. @type {(port: number, keepAlive: boolean, requests: number) => Promise<void>} */
async function warmUp(port, keepAlive, requests) {
  let done = 0
  for (let second = 0; second < 8 && done < requests; second++)
    done += (await load(port, { seconds: 1, keepAlive })).count
}

/** @type {(name: string, title: string, keepAlive: boolean, rounds: number) => import('../common/benchmark.js').Part} */
function part(name, title, keepAlive, rounds) {
  return {
    name,
    title,
    note: `${WORKERS} workers, 32 connections at a time by ${loadTool}. CPU: of all processes of the server, user and system`,
    ours: 'ours',
    competitors: Object.keys(competitors),
    columns: [
      { value: 'micros', heading: 'CPU µs/req', digits: 1 },
      { value: 'user', heading: 'user', digits: 1 },
      { value: 'system', heading: 'system', digits: 1 },
      { value: 'rate', heading: 'req/s' },
    ],
    compared: ['micros', 'rate'],
    extent: (quick) => (quick ? { rounds: 1, seconds: 2.5 } : { rounds, seconds: 8 }),
    async measure({ competitor, quick }) {
      const servers = await startServers(competitor)
      try {
        await warmUp(servers.port, keepAlive, quick ? 1 : WARM)
        const before = timesOf(servers.root)
        const { rate, count } = await load(servers.port, { seconds: quick ? 1 : 3, keepAlive })
        return { ...microsPer(before, timesOf(servers.root), count), rate }
      } finally {
        await servers.end()
      }
    },
  }
}

/** @type {import('../common/benchmark.js').Benchmark} */
export const accept = {
  name: 'accept',
  help: `Compares what a connection and a request cost, in processor time of all
processes of a server, and how many there are a second. All competitors have
the same server, on the same version of Node. The load shares the machine with
them, so that the requests a second say little; the processor time does not
depend on it.`,
  competitors,
  versions: { load: loadTool },
  parts: [part('connections', 'A connection per request', false, 11), part('requests', 'Kept connections', true, 6)],
}
