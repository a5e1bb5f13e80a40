// A server on several processes by `cluster`: it forks its workers, starts another where one dies, and replaces them on SIGHUP.
// after.js is the same server by `reuseport run`.
//
//   node examples/cluster-migration/before.js 8080 4
//
// A first step that changes no line: the supervisor runs the whole cluster as its worker, and a reload replaces it without a
// failed request. (By the SIGHUP below some fail: `disconnect()` closes connections on which the next request is under way.)
//
//   npx reuseport run -n 1 examples/cluster-migration/before.js 8080 4
import cluster from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'
import { createApp } from './app.js'

const [port = 8080, count = 4] = process.argv.slice(2).map(Number)

if (cluster.isPrimary) {
  let isEnding = false
  cluster.on('exit', (worker) => {
    if (!isEnding && !worker.exitedAfterDisconnect) cluster.fork()
  })
  for (let index = 0; index < count; index++) cluster.fork()

  process.on('SIGHUP', async () => {
    for (const old of Object.values(cluster.workers ?? {})) {
      await once(cluster.fork(), 'listening')
      old?.disconnect()
    }
    console.log('all workers are new')
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      isEnding = true
      cluster.disconnect(() => process.exit())
    })
  }
} else {
  createApp().listen(port, '127.0.0.1', () => console.log(`${process.pid} listens on port ${port}`))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {})
}
