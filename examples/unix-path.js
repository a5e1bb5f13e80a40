// A server on a unix path, as behind nginx on the same machine. Run by `reuseport run`, all workers accept from its one
// socket, and a reload leaves the file in its place.
//
//   npx reuseport run -n 4 examples/unix-path.js /tmp/app.sock
//   curl --unix-socket /tmp/app.sock http://localhost/
import http from 'node:http'
import process from 'node:process'

const path = process.argv[2] ?? 'app.sock'

http
  .createServer((_request, response) => response.end(`${process.pid}\n`))
  .listen({ path, readableAll: true, writableAll: true })
