// A program that knows nothing of who runs it: answers each request with its process id. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'

const WORK = 1 // ms for each request, as an application has

http
  .createServer((_request, response) => {
    const end = performance.now() + WORK
    while (performance.now() < end);
    response.end(String(process.pid))
  })
  .listen(Number(process.argv[2]), '127.0.0.1')
