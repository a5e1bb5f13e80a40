// The program of a worker, under `reuseport run` and in a cluster alike. The benchmark hears of it, and commands it, over
// a Unix socket; where that ends, so does the worker. GET /?work=<ms> uses that much processor time before it answers,
// GET /hold keeps its connection.
import http from 'node:http'
import net from 'node:net'
import process from 'node:process'
import { now } from './clock.js'
import { onLines } from './lines.js'

/** When each connection was accepted. @type {WeakMap<object, number>} */
const accepted = new WeakMap()
/** @type {NodeJS.Timeout | undefined} */
let blocking
/** @type {net.Socket | undefined} */
let link

/** @param {number} length ms */
function block(length) {
  const end = now() + length
  link?.write(`${JSON.stringify({ blocked: now() })}\n`)
  while (now() < end);
}

/** @param {number} milliseconds of processor time */
function work(milliseconds) {
  const begun = process.cpuUsage()
  while (true) {
    const { user, system } = process.cpuUsage(begun)
    if (user + system >= milliseconds * 1000) return
    for (let spin = 0; spin < 20_000; spin++) Math.sqrt(spin)
  }
}

const server = http.createServer((request, response) => {
  const { url = '' } = request
  if (url === '/hold') {
    response.write('held')
    return
  }
  const milliseconds = Number(url.split('=')[1] ?? 0)
  if (milliseconds > 0) work(milliseconds)
  response.end(`${process.pid} ${accepted.get(request.socket)} `)
})
server.on('connection', (socket) => accepted.set(socket, now()))

/** @param {any} command */
function obey(command) {
  if (command.block !== undefined) {
    const { length, every } = command.block
    clearInterval(blocking)
    blocking = setInterval(() => block(length), every)
    block(length)
  } else if (command.count !== undefined) {
    server.getConnections((_error, count) => link?.write(`${JSON.stringify({ count, id: command.count })}\n`))
  }
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') return
  link = net.connect(process.env['BENCH_LINK'] ?? '')
  link.unref()
  link.write(`${JSON.stringify({ pid: process.pid, port: address.port })}\n`)
  onLines(link, obey)
  link.on('error', () => {})
  link.on('close', () => process.exit())
})
