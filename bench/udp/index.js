// What a datagram costs an echo service.
import dgram from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { end, errorsOf, message, start } from '../common/children.js'
import { microsPer, timesOf } from '../common/processes.js'
import { node } from '../common/servers-node.js'
import { generator, prepareGenerator, send } from './send.js'

const WORKERS = 2

const competitors = {
  ours: { label: 'bindReusePort' },
  control: { label: 'the same again (the noise)' },
  core: { label: "Node's reusePort" },
  cluster: { label: 'cluster' },
  single: { label: 'one process' },
}

/** @param {string} name */
const file = (name) => fileURLToPath(new URL(name, import.meta.url))

/** A port that no UDP socket of 127.0.0.1 has at this moment. */
async function freePort() {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** @param {string} competitor */
async function startEcho(competitor) {
  const port = await freePort()
  const how = competitor === 'control' ? 'ours' : competitor
  const count = how === 'single' ? 1 : WORKERS
  const child = start(node, [file('./parent.js'), how, String(count), String(port)], { ipc: true })
  const errors = errorsOf(child)
  try {
    await message(child, { errors })
  } catch (error) {
    await end(child)
    throw error
  }
  return { port, root: child.pid ?? 0, end: () => end(child) }
}

/** @type {(name: string, title: string, rate: number, rounds: number) => import('../common/benchmark.js').Part} */
function part(name, title, rate, rounds) {
  return {
    name,
    title,
    note: `${WORKERS} workers, 64 senders, 64 bytes, at a rate that answers do not change. CPU: of all processes of the service, user and system`,
    ours: 'ours',
    competitors: Object.keys(competitors),
    columns: [
      { value: 'micros', heading: 'CPU µs/datagram', digits: 1 },
      { value: 'user', heading: 'user', digits: 1 },
      { value: 'system', heading: 'system', digits: 1 },
      { value: 'sent', heading: 'sent/s' },
      { value: 'rate', heading: 'answered/s' },
      { value: 'lost', heading: 'lost %', digits: 2 },
    ],
    compared: ['micros'],
    extent: (quick) => (quick ? { rounds: 1, seconds: 2.5 } : { rounds, seconds: 6.5 }),
    async measure({ competitor, quick }) {
      const echo = await startEcho(competitor)
      try {
        await send(echo.port, rate, quick ? 0.5 : 2)
        const before = timesOf(echo.root)
        const { sent, answered, elapsed } = await send(echo.port, rate, quick ? 1 : 3)
        const times = microsPer(before, timesOf(echo.root), answered)
        return { ...times, sent: sent / elapsed, rate: answered / elapsed, lost: (100 * (sent - answered)) / sent }
      } finally {
        await echo.end()
      }
    },
  }
}

/** @type {import('../common/benchmark.js').Benchmark} */
export const udp = {
  name: 'udp',
  help: `Compares what a datagram costs an echo service, in processor time of all its
processes. The datagrams come at a fixed rate, whether or not they are
answered; what the service cannot take is lost.`,
  competitors,
  prepare: prepareGenerator,
  versions: generator,
  parts: [part('steady', '4,000 datagrams a second', 4000, 9), part('full', '40,000 datagrams a second', 40_000, 9)],
}
