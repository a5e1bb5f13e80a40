// The primary of a cluster, as restart scripts usually are. argv[2]: the program. SIGHUP replaces one worker after the other: fork,
// wait for 'listening', disconnect the old one. Another worker is forked where one dies.
import cluster from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'

const WORKERS = 2
const PATIENCE = 10_000 // ms. What has not ended by then is killed.

/** @param {import('node:cluster').Worker} old */
async function replace(old) {
  await once(cluster.fork(), 'listening')
  if (old.isDead()) return
  const exited = once(old, 'exit')
  const timer = setTimeout(() => old.process.kill('SIGKILL'), PATIENCE)
  old.disconnect()
  await exited
  clearTimeout(timer)
}

let isEnding = false

function endAll() {
  isEnding = true
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
  process.exit()
}

cluster.setupPrimary({ exec: process.argv[2] ?? '', args: [] })
for (let started = 0; started < WORKERS; started++) cluster.fork()
cluster.on('exit', (worker) => {
  if (!worker.exitedAfterDisconnect && !isEnding) cluster.fork()
})
process.on('SIGHUP', async () => {
  for (const old of Object.values(cluster.workers ?? {})) if (old !== undefined) await replace(old)
})
process.on('SIGTERM', endAll)
// A benchmark that has died has closed this pipe.
process.stdin.resume().on('end', endAll)
