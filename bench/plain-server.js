// An unmodified program, for `reuseport run`.
import http from 'node:http'

http.createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
