// A plain HTTP server on all cores, as it is: nothing in it knows of reuseport. It closes what it has opened at SIGTERM. The
// supervisor passes that signal on when every request has been answered.
//
//   npx reuseport run -n auto examples/http.js 8080
//   curl http://127.0.0.1:8080/
//   npx reuseport reload
import http from 'node:http'
import process from 'node:process'

const port = Number(process.argv[2] ?? 8080)
const database = openDatabase()

const server = http.createServer(async (_request, response) => {
  try {
    const visits = await database.count()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ worker: process.pid, visits }))
  } catch (error) {
    console.error(error)
    response.writeHead(500).end()
  }
})
server.listen(port, '127.0.0.1')

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => server.close(() => database.close()))
}

/** Stands for one: it keeps the process running until it is closed, and answers nobody after that. */
function openDatabase() {
  let visits = 0
  const connection = setInterval(() => {}, 60_000)
  let isOpen = true
  return {
    async count() {
      if (!isOpen) throw new Error('the database is closed')
      return ++visits
    },
    close() {
      isOpen = false
      clearInterval(connection)
    },
  }
}
