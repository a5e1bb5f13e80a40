// A program that tries its port first, as detect-port and get-port do: a server listens there and closes, then the real one
// listens. argv[2]: the port.
import http from 'node:http'
import net from 'node:net'
import process from 'node:process'

const port = Number(process.argv[2])
const probe = net.createServer()
probe.listen(port, () => {
  probe.close(() => http.createServer((_request, response) => response.end('hello')).listen(port))
})
