// The HTTP program of all competitors. It shuts down as guides for pm2 and Kubernetes say: it closes its server at SIGINT or
// SIGTERM. Over a Unix socket the benchmark hears that it listens and, with BENCH_ACCEPTED, of each connection that it has
// accepted, at once; where that socket closes, the program ends.
import http from 'node:http'
import net from 'node:net'
import process from 'node:process'
import { threadId } from 'node:worker_threads'

const tellsAccepted = process.env['BENCH_ACCEPTED'] === '1'
/** @type {net.Socket | undefined} */
let link

/** @param {object} what */
function tell(what) {
  link?.write(`${JSON.stringify(what)}\n`)
}

export const server = http.createServer((_request, response) => response.end(String(process.pid)))
// Before http begins with it: a connection of which the benchmark is not told counts as not accepted.
if (tellsAccepted) server.prependListener('connection', ({ remotePort }) => tell({ accepted: remotePort }))

server.listen(Number(process.env['BENCH_PORT']), '127.0.0.1', () => {
  link = net.connect(process.env['BENCH_LINK'] ?? '')
  link.unref()
  link.on('error', () => {})
  link.on('close', () => process.exit())
  tell({ pid: process.pid, thread: threadId })
  process.send?.('ready')
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => process.exit()))
