// The program of the soak test of joined queues: an HTTP server whose event loop is blocked for a while at random moments.
// argv[2]: the port.
import http from 'node:http'
import process from 'node:process'

const LONGEST = 80 // ms of one block
const BETWEEN = 400 // ms from the end of a block to the next, on average

function block() {
  for (const end = performance.now() + Math.random() * LONGEST; performance.now() < end; );
  setTimeout(block, Math.random() * 2 * BETWEEN).unref()
}

http.createServer((_request, response) => response.end('hello')).listen(Number(process.argv[2]), block)
