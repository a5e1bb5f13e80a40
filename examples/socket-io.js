// A Socket.IO server on all cores. Its clients begin by polling, and all requests of one client must then reach the same worker.
// Two ways: WebSockets alone, as here (`io(url, { transports: ['websocket'] })` in clients), or the default transports and
// `reuseport run --steering client`. Rooms that span the workers need one of Socket.IO's adapters, such as that for Redis.
//
//   npx reuseport run -n auto --balance connections examples/socket-io.js 8080
import http from 'node:http'
import process from 'node:process'
import { Server } from 'socket.io'

const server = http.createServer((_request, response) => response.writeHead(404).end())
const io = new Server(server, { transports: ['websocket'], cors: { origin: 'http://localhost:3000' } })

io.on('connection', (socket) => {
  socket.on('echo', (message, answer) => {
    // A client may send anything, also an event without a callback.
    if (typeof answer === 'function') answer({ worker: process.pid, echo: message })
  })
})

server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
