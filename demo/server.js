// One of the processes of the demo: answers each request with its process id. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'
import { listenReusePort } from 'reuseport'

const WORK = 1 // ms for each request, as an application has

const server = http.createServer((_request, response) => {
  const end = performance.now() + WORK
  while (performance.now() < end);
  response.setHeader('connection', 'close')
  response.end(String(process.pid))
})
server.on('error', ({ message }) => process.send?.({ failed: message }))
listenReusePort(server, Number(process.argv[2]), '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ pid: process.pid, port: typeof address === 'object' ? address?.port : undefined })
})

// A plain restart: stop listening, let what was accepted finish, go.
process.on('message', () => server.close(() => process.disconnect()))
process.on('disconnect', () => process.exit())
// The terminal sends Ctrl-C to all processes of the demo; the first one ends the others.
process.on('SIGINT', () => {})
