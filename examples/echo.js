// A UDP echo server on several processes: each answers by itself, so it does not matter which one a datagram reaches.
// DNS and other servers whose every datagram stands alone have this shape.
//
//   node examples/echo.js [port] [processes]
import cluster from 'node:cluster'
import dgram from 'node:dgram'
import process from 'node:process'
import { bindReusePort } from 'reuseport'

const port = Number(process.argv[2] ?? 7007)
const processes = Number(process.argv[3] ?? 4)

if (cluster.isPrimary) {
  // Where the port is taken, or cannot be shared, a new process would fare no better.
  cluster.on('exit', (_worker, code) => {
    process.exitCode ||= code
  })
  for (let count = 0; count < processes; count++) cluster.fork()
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.disconnect()
    })
  }
} else {
  const socket = dgram.createSocket('udp4')
  socket.on('message', (message, client) => socket.send(message, client.port, client.address))
  socket.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  bindReusePort(socket, port, '127.0.0.1', () => console.log(`${process.pid} answers on port ${socket.address().port}`))
  // The primary tells the workers.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})
  process.on('disconnect', () => socket.close())
}
