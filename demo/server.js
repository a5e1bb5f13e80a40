// A process of the demo: answers each request with its process id. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'
import { drain, listenReusePort } from 'reuseport'

const WORK = 1 // ms of work for each request, as in an application

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

// drain() sends new connections to the other processes, and serves those that have begun. Then this process ends.
process.on('message', async () => {
  const { lossless, method, reason } = await drain(server)
  process.send?.({ lossless, method, reason }, () => process.disconnect())
})
process.on('disconnect', () => process.exit())
// The terminal sends the SIGINT of Ctrl-C to all processes of the demo. The first process ends the others.
process.on('SIGINT', () => {})
