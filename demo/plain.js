// An unmodified program for the supervisor: answers each request with its process id. argv[2]: the port.
import http from 'node:http'
import process from 'node:process'

const WORK = 1 // ms of work for each request, as in an application

http
  .createServer((_request, response) => {
    const end = performance.now() + WORK
    while (performance.now() < end);
    response.end(String(process.pid))
  })
  .listen(Number(process.argv[2]), '127.0.0.1')
