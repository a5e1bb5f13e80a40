// A UDP server that keeps a state for each connection ID, the first 8 bytes of a datagram. By `--datagram-steering` a flow
// stays with its worker when its client moves to another address or port, and over reloads.
//
//   npx reuseport run -n 4 --datagram-steering bytes:0:8 examples/flows.js 4433
//   printf 'flow0001hello' | nc -u -w1 127.0.0.1 4433
import dgram from 'node:dgram'
import process from 'node:process'

const ID = 8 // bytes

/** Datagrams of each flow. @type {Map<string, number>} */
const flows = new Map()
const socket = dgram.createSocket('udp4')

socket.on('message', (datagram, { address, port }) => {
  if (datagram.length < ID) return
  const id = datagram.toString('latin1', 0, ID)
  const count = (flows.get(id) ?? 0) + 1
  flows.set(id, count)
  socket.send(`${id}: datagram ${count}, worker ${process.pid}\n`, port, address)
})
socket.bind(Number(process.argv[2] ?? 4433), '127.0.0.1')
