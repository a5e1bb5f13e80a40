// The control: the same program by Node's own reusePort (where it has that), which closes its server when it is told to.
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
