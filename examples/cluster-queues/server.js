// A cluster whose workers accept from each other's queues: no client waits for a worker that computes or has died.
//   node examples/cluster-queues/server.js <port> <workers>
// GET /busy keeps the worker that gets it busy for a second, GET /die ends it at once.
import cluster from 'node:cluster'
import http from 'node:http'
import process from 'node:process'
import { drain } from 'reuseport'
import { listenKept, QueueKeeper } from 'reuseport/queues'

const [port = 8080, workers = 4] = process.argv.slice(2).map(Number)

if (cluster.isPrimary) {
  const keeper = new QueueKeeper()
  let isEnding = false
  const start = () => keeper.add(cluster.fork())
  keeper.on('queue:join', (pid, { of }) => console.log(`${pid} accepts for ${of}`))
  keeper.on('queue:part', (pid, { of, accepted }) => console.log(`${pid} has accepted ${accepted} for ${of}`))
  // The successor gets the socket of the dead worker, and what waits in its queue.
  cluster.on('exit', () => isEnding || start())
  for (let worker = 0; worker < workers; worker++) start()
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      isEnding = true
      for (const worker of Object.values(cluster.workers ?? {})) worker?.send('drain')
    })
  }
} else {
  const server = http.createServer((request, response) => {
    if (request.url === '/die') process.exit(1)
    for (const end = Date.now() + 1000; request.url === '/busy' && Date.now() < end; );
    response.end(`${process.pid}\n`)
  })
  process.on('SIGINT', () => {})
  process.once('message', async () => {
    await drain(server)
    process.exit()
  })
  listenKept(server, port, '127.0.0.1', () => console.log(`${process.pid} listens on port ${port}`))
}
