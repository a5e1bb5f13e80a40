// The unmodified program of the soak test of reloads. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'

http.createServer((_request, response) => response.end('hello')).listen(Number(process.argv[2]))
