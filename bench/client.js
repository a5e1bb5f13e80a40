// The load where wrk is not installed: keeps requests under way for some seconds, and prints the answers per second.
// argv[2]: { port, seconds, keepAlive, connections }.
import net from 'node:net'
import process from 'node:process'

const { port, seconds, keepAlive, connections } = JSON.parse(process.argv[2] ?? '{}')
const REQUEST = `GET / HTTP/1.1\r\nHost: bench\r\n${keepAlive ? '' : 'Connection: close\r\n'}\r\n`
const end = performance.now() + seconds * 1000
let answered = 0

function connect() {
  if (performance.now() >= end) return
  const socket = net.connect(port, '127.0.0.1', () => socket.write(REQUEST))
  socket.on('data', () => {
    answered++
    if (!keepAlive) return
    if (performance.now() < end) socket.write(REQUEST)
    else socket.destroy()
  })
  socket.on('error', () => {})
  socket.on('close', connect)
}

for (let opened = 0; opened < connections; opened++) connect()
process.on('exit', () => console.log(answered / seconds))
