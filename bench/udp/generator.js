// The generator where there is no C compiler. Sends datagrams at a fixed rate, whether or not they are answered, and counts the
// answers. argv: port, datagrams a second, seconds, sockets. Prints { sent, answered, elapsed } as JSON.
import dgram from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

const [port = 0, rate = 0, seconds = 0, count = 0] = process.argv.slice(2).map(Number)
/** Datagrams that one turn of the loop may send: a generator that is late does not make up for it in one burst. */
const BURST = 200
const PATIENCE = 300 // ms for the last answers

const datagram = Buffer.alloc(64)
let answered = 0
const sockets = await Promise.all(
  Array.from({ length: count }, async () => {
    const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
    socket.on('message', () => {
      answered++
    })
    // Nobody may have the port any longer.
    socket.on('error', () => {})
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }),
)
const begun = performance.now()
let sent = 0
while (performance.now() - begun < seconds * 1000) {
  const due = Math.floor(((performance.now() - begun) / 1000) * rate) - sent
  for (let left = Math.min(due, BURST); left > 0; left--) sockets[sent++ % count]?.send(datagram)
  // Answers are read between two turns.
  if (due > BURST) await new Promise((resolve) => setImmediate(resolve))
  else await sleep(1)
}
const elapsed = (performance.now() - begun) / 1000
await sleep(PATIENCE)
for (const socket of sockets) socket.close()
console.log(JSON.stringify({ sent, answered, elapsed }))
