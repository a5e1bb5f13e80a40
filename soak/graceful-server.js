// A program that shuts down gracefully by itself. Its exit code says whether server.close() succeeded. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'

const server = http.createServer((_request, response) => response.end('hello'))
server.listen(Number(process.argv[2]))
process.once('SIGTERM', () => server.close((error) => process.exit(error ? 1 : 0)))
