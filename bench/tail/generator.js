// Sends requests, a connection for each, at times that were fixed beforehand. A process of its own, told over IPC:
// { port, path, times } begins a run, 'finish' leaves out the requests of the run that have not begun.
import net from 'node:net'
import process from 'node:process'
import { now } from './clock.js'

/** @typedef {import('./samples.js').Sample} Sample */

/** ms. A connection whose handle the primary of a cluster has sent to a worker that is killed never ends by itself. */
const TIMEOUT = 8000
const LEAD = 50 // ms from the message to the first request

let isFinished = false

/** @type {(port: number, request: string, at: number) => Promise<Sample>} */
function send(port, request, at) {
  return new Promise((resolve) => {
    let text = ''
    let answered = 0
    let failure = 'closed'
    let local = 0
    const socket = net.connect(port, '127.0.0.1', () => {
      local = socket.localPort ?? 0
      socket.write(request)
    })
    socket.setEncoding('latin1').setTimeout(TIMEOUT, () => socket.destroy(new Error('timeout')))
    socket.on('data', (part) => {
      answered ||= now()
      text += part
    })
    socket.on('error', (error) => {
      failure = 'code' in error ? String(error.code) : error.message
    })
    socket.on('close', () => {
      const [, pid, accepted] = /\r\n\r\n(\d+) ([\d.]+) $/.exec(text) ?? []
      if (pid === undefined) resolve({ at, wait: now() - at, failure })
      else resolve({ at, wait: answered - at, pid: Number(pid), accepted: Number(accepted), port: local })
    })
  })
}

/** @type {(setting: { port: number, path: string, times: number[] }) => Promise<void>} */
async function run({ port, path, times }) {
  const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`
  const begin = now() + LEAD
  const used = process.cpuUsage()
  /** @type {Promise<Sample>[]} */
  const pending = []
  /** @type {number[]} */
  const lateness = []
  isFinished = false
  process.send?.({ begin })
  for (const time of times) {
    const at = begin + time
    // A timer of Node has a resolution of 1 ms.
    while (now() < at && !isFinished) await new Promise((resolve) => setTimeout(resolve, Math.min(at - now(), 100)))
    if (isFinished) break
    lateness.push(now() - at)
    pending.push(send(port, request, at))
  }
  const samples = await Promise.all(pending)
  const { user, system } = process.cpuUsage(used)
  process.send?.({ samples, lateness, cpu: (user + system) / 1000 / (now() - begin) })
}

process.on('message', (/** @type {any} */ message) => {
  if (message === 'finish') isFinished = true
  else run(message)
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
