// A counter like StatsD on several processes. Datagrams such as "visits:1|c" add to a sum: each process adds up what
// reaches it, and the first one puts the sums together. All processes bind the same port.
//
//   node examples/statsd.js [port] [processes]
//   echo -n 'visits:1|c' | nc -u -w0 127.0.0.1 8125
import cluster from 'node:cluster'
import dgram from 'node:dgram'
import process from 'node:process'
import { bindReusePort } from 'reuseport'

const port = Number(process.argv[2] ?? 8125)
const processes = Number(process.argv[3] ?? 4)
const INTERVAL = 1000 // ms between reports

if (cluster.isPrimary) primary()
else worker()

function primary() {
  /** @type {Map<string, number>} */
  const totals = new Map()
  cluster.on('message', (_worker, sums) => add(totals, sums))
  let left = processes
  // Comes after the last message of a process.
  cluster.on('disconnect', () => {
    if (--left > 0) return
    clearInterval(reports)
    report(totals)
  })
  cluster.on('exit', (_worker, code) => {
    process.exitCode ||= code
  })
  for (let count = 0; count < processes; count++) cluster.fork()
  const reports = setInterval(() => report(totals), INTERVAL)
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.send('end')
    })
  }
}

/** @type {(totals: Map<string, number>) => void} */
function report(totals) {
  if (totals.size > 0) console.log(JSON.stringify(Object.fromEntries(totals)))
}

function worker() {
  /** @type {Map<string, number>} */
  const sums = new Map()
  const flush = () => {
    if (sums.size > 0) process.send?.([...sums])
    sums.clear()
  }
  const socket = dgram.createSocket('udp4')
  socket.on('message', (message) => add(sums, parse(String(message))))
  socket.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  // Room for a burst: what does not fit while the process is busy is dropped.
  const socketOptions = { receiveBufferSize: 4 * 1024 * 1024 }
  bindReusePort(socket, { port, address: '127.0.0.1', socketOptions }, () => {
    console.error(`${process.pid} counts on port ${socket.address().port}`)
  })
  const flushes = setInterval(flush, INTERVAL)
  process.on('message', () => {
    clearInterval(flushes)
    // What has arrived is read first; close() would drop it.
    setTimeout(() => {
      socket.close()
      flush()
      process.disconnect()
    }, 100)
  })
  // The terminal sends Ctrl-C to all processes; the primary tells the workers.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})
}

/** @type {(sums: Map<string, number>, more: Iterable<[string, number]>) => void} */
function add(sums, more) {
  for (const [name, value] of more) sums.set(name, (sums.get(name) ?? 0) + value)
}

/** @type {(text: string) => [string, number][]} */
function parse(text) {
  return text.split('\n').flatMap((line) => {
    const [, name, value] = /^([^:|]{1,200}):(-?\d{1,9})\|c$/.exec(line) ?? []
    return name === undefined ? [] : [/** @type {[string, number]} */ ([name, Number(value)])]
  })
}
