// A server that keeps what it knows of a client in its own memory, so each client has to come back to the same worker:
// over reloads, too, but for what the memory of the old worker held.
//
//   npx reuseport run -n 4 --steering client examples/sessions.js 8080
//   curl http://127.0.0.1:8080/
import http from 'node:http'
import process from 'node:process'

/** Visits of each client. @type {Map<string, number>} */
const visits = new Map()

http
  .createServer(({ socket }, response) => {
    const client = socket.remoteAddress ?? ''
    const count = (visits.get(client) ?? 0) + 1
    visits.set(client, count)
    response.end(`visit ${count}, worker ${process.pid}\n`)
  })
  .listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
