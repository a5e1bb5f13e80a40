// Kills (SIGKILL) workers of a supervisor again and again while clients connect, wait and ask. The connections that a
// worker has accepted die with it. The successor must serve those that still wait in the accept queue.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import net from 'node:net'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Supervisor } from 'reuseport/supervisor'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, progress, yellow } from '../demo/format.js'

const HELP = `Usage: npm run soak:kill -- [options]

Kills (SIGKILL) a worker of a supervisor again and again, at random moments,
while many clients wait in accept queues. Only connections that the killed
worker had accepted may fail: those of which it held a descriptor when it died.

  -k, --kills <1-10000>  number of kills                 (default 200)
      --width <2-1000>   clients at a time               (default 60)
      --json             print the result as JSON
  -h, --help             print this help

Exit codes: 0 no waiting connection failed, 1 one failed, or none waited in the
queue of a killed worker (then the run proves nothing), 2 wrong usage.`

const WORKERS = 2
const TIMEOUT = 20_000
const script = fileURLToPath(new URL('./busy-server.js', import.meta.url))
const line = progress()

const OPTIONS = /** @type {const} */ ({
  kills: { type: 'string', short: 'k', default: '200' },
  width: { type: 'string', default: '60' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

/** The connections of this process, by their local port, and what became of them. */
class Clients {
  ending = false
  total = 0
  /** @type {{ port: number, cause: string }[]} */
  failed = []
  /** @type {Map<string, number>} */
  answered = new Map()
  /** @type {Set<number>} */
  open = new Set()

  /** @type {(port: number) => Promise<void>} */
  #connect(port) {
    return new Promise((resolve) => {
      let said = ''
      let local = 0
      const socket = net.connect(port, '127.0.0.1')
      const timer = setTimeout(() => done(`no answer in ${TIMEOUT} ms`), TIMEOUT)
      /** @type {(cause?: string) => void} */
      const done = (cause) => {
        clearTimeout(timer)
        this.total++
        this.open.delete(local)
        if (cause !== undefined) this.failed.push({ port: local, cause })
        socket.destroy()
        resolve()
      }
      socket.once('connect', () => {
        local = socket.localPort ?? 0
        this.open.add(local)
        socket.write(`${local}`)
      })
      socket.setEncoding('utf8').on('data', (text) => {
        said += text
      })
      socket.on('end', () => {
        const [pid = '', asked] = said.split(' ')
        if (asked !== `${local}`) return done(`ended after '${said}'`)
        this.answered.set(pid, (this.answered.get(pid) ?? 0) + 1)
        done()
      })
      socket.on('error', (error) => done('code' in error ? String(error.code) : error.message))
    })
  }

  /** @type {(port: number, width: number) => Promise<unknown>} */
  run(port, width) {
    return Promise.all(
      Array.from({ length: width }, async () => {
        while (!this.ending) await this.#connect(port)
      }),
    )
  }
}

/** @type {(pid: number) => Set<string>} */
function socketsOf(pid) {
  return new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? []
        return inode === undefined ? [] : [inode]
      } catch {
        return []
      }
    }),
  )
}

const LISTEN = '0A'

/** The sockets on a port that have one of these inodes. proc_net_tcp(5) @type {(inodes: Set<string>, port: number) => { peer: number, state: string, queued: number }[]} */
function rows(inodes, port) {
  const local = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .filter(([, at = '', , , , , , , , inode = '']) => at.endsWith(`:${local}`) && inodes.has(inode))
    .map(([, , peer = '', state = '', queues = '']) => ({
      peer: Number.parseInt(peer.split(':')[1] ?? '', 16),
      state,
      queued: Number.parseInt(queues.split(':')[1] ?? '0', 16),
    }))
}

/** The remote ports of these sockets. @type {(inodes: Set<string>, port: number) => Set<number>} */
function accepted(inodes, port) {
  return new Set(rows(inodes, port).map(({ peer }) => peer))
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const kills = wholeNumber('kills', values.kills, 1, 10_000)
  const width = wholeNumber('width', values.width, 2, 1000)
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  await new Promise((resolve) => server.close(resolve))

  const supervisor = new Supervisor({
    script,
    args: [String(port)],
    workers: WORKERS,
    execArgv: [],
    maxRestarts: Number.POSITIVE_INFINITY,
  })
  process.once('exit', () => supervisor.kill())
  await supervisor.start()
  const clients = new Clients()
  const running = clients.run(port, width)
  let lost = 0
  let waiting = 0
  /** @type {Record<string, number>} */
  const strangers = {}
  for (let turn = 1; turn <= kills; turn++) {
    await sleep(20 + Math.random() * 200)
    while (supervisor.workers.some(({ state }) => state !== 'ready') || supervisor.workers.length < WORKERS)
      await sleep(10)
    const victim = supervisor.workers[Math.floor(Math.random() * WORKERS)]
    if (victim === undefined) throw new Error('the supervisor has no worker')
    clients.failed.length = 0
    // A stopped worker accepts no connection between the look at its sockets and its death.
    process.kill(victim.pid, 'SIGSTOP')
    await stopped(victim.pid)
    const inodes = socketsOf(victim.pid)
    const had = accepted(inodes, port)
    const queued = queuedOn(inodes, port)
    const exited = new Promise((resolve) => supervisor.once('worker:exit', resolve))
    process.kill(victim.pid, 'SIGKILL')
    await exited
    waiting += queued
    // Accepted connections fail at once. Waiting ones have an answer soon after the successor is ready.
    while (supervisor.workers.filter(({ state }) => state === 'ready').length < WORKERS) await sleep(10)
    await sleep(100)
    for (const { port: peer, cause } of clients.failed) {
      if (had.has(peer)) lost++
      else strangers[cause] = (strangers[cause] ?? 0) + 1
    }
    line.show(`${turn} of ${kills} kills, ${count(clients.total)} connections, ${count(lost)} died with their worker`)
  }
  clients.ending = true
  clients.failed.length = 0
  await running
  for (const { cause } of clients.failed) strangers[cause] = (strangers[cause] ?? 0) + 1
  await supervisor.stop()
  line.clear()
  const failed = Object.values(strangers).reduce((sum, times) => sum + times, 0)
  const passed = failed === 0 && waiting > 0
  if (values.json)
    console.log(
      JSON.stringify(
        { passed, kills, connections: clients.total, lost, waiting, failed, causes: strangers },
        undefined,
        2,
      ),
    )
  else {
    console.log(
      `${bold(`${count(kills)} × SIGKILL`)}: ${failed === 0 ? green('0 waiting connections failed') : yellow(`${failed} connections failed that no killed worker had accepted`)}`,
    )
    console.log(
      `  ${count(clients.total)} connections, ${count(waiting)} of them waited in a queue when its worker was killed`,
    )
    console.log(dim(`  ${count(lost)} were accepted by a worker and died with it`))
    for (const [cause, times] of Object.entries(strangers)) console.log(`  ${count(times).padStart(7)} × ${cause}`)
    if (waiting === 0) console.log(yellow('  No connection waited: this run proves nothing.'))
  }
  process.exitCode = passed ? 0 : 1
}

/** @type {(pid: number) => Promise<void>} */
async function stopped(pid) {
  while (!/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await sleep(1)
}

/** The connections in the accept queues of the listeners among these sockets. @type {(inodes: Set<string>, port: number) => number} */
function queuedOn(inodes, port) {
  return rows(inodes, port)
    .filter(({ state }) => state === LISTEN)
    .reduce((sum, { queued }) => sum + queued, 0)
}

process.on('SIGINT', () => process.exit(130))
await main()
process.exit()
