// A process of the soak test of drain(): keeps members in each group, and replaces them in turn until a message stops
// it. argv[2]: { groups: [{ name, host, port, members }], mode: 'drain' | 'close', pause }
import net from 'node:net'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { drain, listenReusePort } from 'reuseport'

/** @typedef {{ name: string, host: string, port: number, members: number, handshakeTimeout: number }} Group */
/** @type {{ groups: Group[], mode: 'drain' | 'close', pause: number }} */
const { groups, mode, pause } = JSON.parse(process.argv[2] ?? '')

let ending = false
/** @type {import('./members.js').MemberTotals} */
const totals = { restarts: 0, awaited: 0, notLossless: {} }

function serve() {
  return net.createServer((socket) => {
    // The server speaks first, then echoes the request.
    socket.on('error', () => {}).write('hello ')
    socket.once('data', (data) => socket.end(data))
  })
}

/** @type {(group: Group) => Promise<net.Server>} */
function open({ host, port }) {
  return new Promise((resolve, reject) => {
    const server = serve()
    server.once('error', reject)
    listenReusePort(server, { host, port, backlog: 511 }, () => resolve(server))
  })
}

/** @type {(server: net.Server, group: Group) => Promise<void>} */
async function retire(server, { handshakeTimeout }) {
  if (mode === 'close') {
    await new Promise((resolve) => server.close(resolve))
    return
  }
  const { handshakesAwaited, lossless, method, reason } = await drain(server, { handshakeTimeout })
  totals.awaited += handshakesAwaited
  if (lossless && method === 'steer') return
  const what = `${method}: ${reason}`
  totals.notLossless[what] = (totals.notLossless[what] ?? 0) + 1
}

/** @type {(group: Group) => Promise<net.Server[]>} */
async function run(group) {
  const servers = await Promise.all(Array.from({ length: group.members }, () => open(group)))
  process.send?.({ ready: true })
  for (let turn = 0; !ending; turn++) {
    const index = turn % servers.length
    const old = /** @type {net.Server} */ (servers[index])
    servers[index] = await open(group)
    await retire(old, group)
    totals.restarts++
    await sleep(pause)
  }
  return servers
}

const running = Promise.all(groups.map(run))
const telling = setInterval(() => process.send?.({ totals }), 200)
process.on('message', async (message) => {
  ending = true
  const servers = (await running).flat()
  clearInterval(telling)
  process.send?.({ totals, resting: true })
  if (message !== 'end') return
  // The clients have ended by now.
  for (const server of servers) server.close()
  process.disconnect()
})
running.catch((error) => {
  process.send?.({ failed: String(error) })
  process.exit(1)
})
