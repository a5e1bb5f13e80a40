// The server in the container. Its image is that of ../kubernetes, too.
import http from 'node:http'
import process from 'node:process'

const port = Number(process.env.PORT ?? 8080)

http
  .createServer((request, response) => {
    // A probe asks one worker, whichever the kernel chooses. One that hangs is found out by --hang-timeout.
    if (request.url === '/livez' || request.url === '/readyz') return response.end('ok\n')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ worker: process.pid }))
  })
  .listen(port)
