// An echo service over UDP. argv[2]: how it shares its port, argv[3]: the port.
import dgram from 'node:dgram'
import process from 'node:process'

const [, , how = '', text = ''] = process.argv
const port = Number(text)
const address = '127.0.0.1'
const options = /** @type {import('node:dgram').SocketOptions} */ ({ type: 'udp4', reusePort: how === 'core' })
const socket = dgram.createSocket(options)
socket.on('message', (message, from) => socket.send(message, from.port, from.address))
socket.on('listening', () => process.send?.('ready'))
process.on('disconnect', () => process.exit())

if (how === 'ours') {
  const { bindReusePort } = await import('reuseport')
  bindReusePort(socket, { port, address })
} else {
  socket.bind({ port, address })
}
