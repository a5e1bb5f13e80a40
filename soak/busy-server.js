// The program of the soak test of crashes. Each request keeps the process busy for a while, so that other connections
// wait in the accept queue. Answers with the process id and the request. argv[2]: the port.
import net from 'node:net'
import process from 'node:process'

const BUSY = 2 // ms

net
  .createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => {
      for (const end = performance.now() + BUSY; performance.now() < end; );
      socket.end(`${process.pid} ${data}`)
    })
  })
  .listen(Number(process.argv[2]), '127.0.0.1', 4096)
