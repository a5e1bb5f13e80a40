// Starts a competitor: processes on one port. argv[2]: its name. Sends the port to its parent when all of them listen.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import http from 'node:http'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const [, self = '', which = '', port = ''] = process.argv
const host = '127.0.0.1'
const WORKERS = 2

if (cluster.isWorker) worker((server) => server.listen(0, host))
else if (port !== '') await member(Number(port))
else await start()

/** @param {(server: http.Server) => void} listen */
function worker(listen) {
  const server = http.createServer((_request, response) => response.end('ok'))
  server.on('listening', () => {
    const address = server.address()
    if (typeof address === 'object') process.send?.({ port: address?.port })
  })
  process.on('disconnect', () => process.exit())
  listen(server)
}

/** @param {number} port */
async function member(port) {
  if (which === 'ours' || which === 'control') {
    const { listenReusePort } = await import('reuseport')
    worker((server) => listenReusePort(server, { port, host }))
  } else {
    worker((server) => server.listen({ port, host, ...(which === 'core' ? { reusePort: true } : {}) }))
  }
}

async function start() {
  const clustered = which.startsWith('cluster')
  const bound = await (which === 'run'
    ? startSupervisor()
    : clustered
      ? startCluster()
      : startMembers(which === 'single' ? 1 : WORKERS))
  process.send?.({ port: bound })
  process.on('disconnect', () => process.exit())
}

async function startSupervisor() {
  const { Supervisor } = await import('reuseport/supervisor')
  const script = fileURLToPath(new URL('./plain-server.js', import.meta.url))
  const supervisor = new Supervisor({ script, workers: WORKERS, execArgv: [] })
  process.on('exit', () => supervisor.kill())
  let bound = 0
  supervisor.on('worker:listening', (_worker, where) => {
    bound = where.port
  })
  await supervisor.start()
  return bound
}

async function startCluster() {
  cluster.schedulingPolicy = which === 'cluster-shared' ? cluster.SCHED_NONE : cluster.SCHED_RR
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.url), args: [which] })
  const workers = Array.from({ length: WORKERS }, () => cluster.fork())
  const told = await Promise.all(workers.map((one) => once(one, 'message')))
  return told[0]?.[0].port
}

/** @param {number} count */
async function startMembers(count) {
  let bound = 0
  for (let started = 0; started < count; started++) {
    const child = fork(self, [which, String(bound)])
    const [{ port }] = await once(child, 'message')
    bound = port
  }
  return bound
}
