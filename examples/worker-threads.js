// Threads that share one port, in one process and without a supervisor. SIGHUP replaces them one after the other: each new one
// listens before the old one drains. (`reuseport run --threads` does all that for an unmodified program.)
//
//   node examples/worker-threads.js 8080 4
//   curl http://127.0.0.1:8080/
import { once } from 'node:events'
import http from 'node:http'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads'
import { drain, listenReusePort } from 'reuseport'

const [port = 8080, count = 4] = process.argv.slice(2).map(Number)

if (isMainThread) await main()
else serve()

async function main() {
  /** @type {Set<Worker>} */
  const leaving = new Set()
  /** @type {() => Promise<Worker>} */
  const start = async () => {
    const thread = new Worker(fileURLToPath(import.meta.url), { argv: process.argv.slice(2) })
    await once(thread, 'message') // it listens; rejects where it fails
    thread.on('error', (error) => console.error(error))
    thread.on('exit', async () => {
      // Its queue is lost with it, and a new thread takes its place.
      if (!leaving.delete(thread)) threads.splice(threads.indexOf(thread), 1, await start())
    })
    return thread
  }
  /** @type {(thread: Worker) => Promise<unknown>} */
  const stop = (thread) => {
    leaving.add(thread)
    thread.postMessage('drain')
    return once(thread, 'exit')
  }
  const threads = await Promise.all(Array.from({ length: count }, start))
  console.log(`${count} threads on port ${port}`)

  let turns = Promise.resolve()
  process.on('SIGHUP', () => {
    turns = turns.then(async () => {
      for (const [index, old] of [...threads].entries()) {
        threads[index] = await start()
        await stop(old)
      }
      console.log('all threads are new')
    })
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      turns = turns.then(async () => {
        await Promise.all(threads.map(stop))
        process.exit()
      })
    })
  }
}

function serve() {
  const server = http.createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ worker: threadId }))
  })
  listenReusePort(server, port, '127.0.0.1', () => parentPort?.postMessage('listening'))
  parentPort?.once('message', async () => {
    await drain(server)
    process.exit() // this thread
  })
}
