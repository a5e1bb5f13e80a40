// A server on one of several hosts behind a balancer. `/readyz` is for the balancer: it answers 503 as soon as the file
// exists, while all other requests are answered as before. Each worker looks at the same file, so all of them agree.
// argv[2]: the port. argv[3]: the file that takes this host out.
import { existsSync } from 'node:fs'
import http from 'node:http'
import process from 'node:process'

const port = Number(process.argv[2] ?? 8080)
const leaving = process.argv[3] ?? '/run/app/leaving'

const server = http.createServer((request, response) => {
  if (request.url === '/readyz') {
    response.writeHead(existsSync(leaving) ? 503 : 200).end()
    return
  }
  // The work of a request.
  setTimeout(() => response.end(`${request.socket.localAddress} process ${process.pid}\n`), 20)
})
server.listen(port, '0.0.0.0')
