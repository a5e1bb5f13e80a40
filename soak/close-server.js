// The control: the same program with Node's own reusePort, where Node has it. Closes its server at the first message.
import http from 'node:http'
import process from 'node:process'
import { listenReusePort } from 'reuseport'

const port = Number(process.argv[2])
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const server = http.createServer((_request, response) => response.end('hello'))
const ready = () => process.send?.({ listening: true })
if (major > 22 || (major === 22 && minor >= 12)) server.listen({ port, reusePort: true }, ready)
else listenReusePort(server, port, ready)
process.on('message', () => server.close(() => process.disconnect()))
