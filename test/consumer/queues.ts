// As usage.ts, for reuseport/queues.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import http from 'node:http'
import { type JoinedQueue, listenKept, QueueKeeper, type QueueKeeperStatus } from 'reuseport/queues'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

using keeper = new QueueKeeper({ keepTimeout: 1000 })
keeper.add(cluster.fork())
keeper.add(fork('worker.js'))
// @ts-expect-error no process
keeper.add('worker.js')
// @ts-expect-error a number
new QueueKeeper({ keepTimeout: '1s' })
keeper.on('queue:part', (pid, queue) => {
  same<typeof pid, number>(true)
  same<typeof queue, JoinedQueue & { readonly accepted: number }>(true)
})
const status: QueueKeeperStatus = keeper.status()
same<typeof status, ReturnType<QueueKeeper['status']>>(true)

const server: http.Server = listenKept(http.createServer(), { port: 8080, host: '::', backlog: 100 }, () => {})
same<typeof server, http.Server>(true)
// @ts-expect-error a misspelt option
listenKept(http.createServer(), { port: 8080, hots: '::' })
