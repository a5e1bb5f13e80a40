// A WebSocket server on all cores. A WebSocket has no end of its own, so a worker that leaves closes its own ones with the code
// 1001 ("going away"), spread over --drain-timeout. Clients connect again and reach another worker:
//
//   socket.on('close', (code) => setTimeout(connect, code === 1001 ? 0 : 1000))
//
//   npx reuseport run -n auto --balance connections examples/ws.js 8080
import process from 'node:process'
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: Number(process.argv[2] ?? 8080), host: '127.0.0.1', maxPayload: 64 * 1024 })

server.on('connection', (socket) => {
  socket.on('error', ({ message }) => console.error(message))
  socket.on('message', (data) => socket.send(JSON.stringify({ worker: process.pid, echo: String(data) })))
})
