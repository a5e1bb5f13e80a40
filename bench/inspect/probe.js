// Fills a network namespace with sockets and measures there. argv[2]: { listeners, connections }. Then each message
// { how, times } is answered by { milliseconds, cpu }, both for one time. It ends with the benchmark.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import process from 'node:process'
import { inspectGroup, inspectGroups, listenReusePort } from 'reuseport'
import { command } from '../common/command.js'
import { parseStat } from '../common/processes.js'
import { median } from '../statistics.js'

const MEMBERS = 4
const { listeners, connections } = JSON.parse(process.argv[2] ?? '{}')
const host = '127.0.0.1'

/** @param {net.Server} server */
async function portOf(server) {
  if (!server.listening) await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

const first = listenReusePort(net.createServer(), { port: 0, host })
const port = await portOf(first)
for (let more = 1; more < MEMBERS; more++) await portOf(listenReusePort(net.createServer(), { port, host }))
const plain = Array.from({ length: listeners }, () => net.createServer().listen(0, host))
const ports = await Promise.all(plain.map(portOf))
for (let made = 0; made < connections; made++) {
  const socket = net.connect(ports[made % ports.length] ?? port, host)
  socket.on('error', () => {})
  await once(socket, 'connect')
}

/** @param {readonly string[]} args */
function run(...args) {
  const [program = '', ...rest] = args
  const { status, error, stderr } = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`${args.join(' ')}: ${error?.message ?? stderr}`)
}

/** @type {Readonly<Record<string, () => unknown>>} */
const ways = {
  group: () => inspectGroup({ port, host }),
  groups: () => inspectGroups(),
  'ls-port': () => run(process.execPath, command, 'ls', String(port)),
  ls: () => run(process.execPath, command, 'ls'),
  node: () => run(process.execPath, '-e', '0'),
  'ss-port': () => run('ss', '-lntp', `sport = :${port}`),
  ss: () => run('ss', '-lntp'),
  'ss-all': () => run('ss', '-antp'),
}

/** Milliseconds of processor time of this process and of the children that it has waited for. */
function processorTime() {
  const { user, system } = parseStat(readFileSync('/proc/self/stat', 'latin1'))
  return 1000 * (user + system)
}

process.on('message', async (/** @type {{ how: string, times: number }} */ { how, times }) => {
  try {
    const way = ways[how]
    // The first time only warms up.
    await way?.()
    /** @type {number[]} */
    const elapsed = []
    const before = processorTime()
    for (let time = 0; time < times; time++) {
      const begun = performance.now()
      await way?.()
      elapsed.push(performance.now() - begun)
    }
    process.send?.({ milliseconds: median(elapsed), cpu: (processorTime() - before) / times })
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) })
  }
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
