// One of the processes of the demo: answers each request with its process id. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'
import { drain, listenReusePort } from 'reuseport'

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

// New connections go to the others, what had begun is served; then it goes.
process.on('message', async () => {
  const { lossless, method, reason } = await drain(server)
  process.send?.({ lossless, method, reason }, () => process.disconnect())
})
process.on('disconnect', () => process.exit())
// The terminal sends Ctrl-C to all processes of the demo; the first one ends the others.
process.on('SIGINT', () => {})
