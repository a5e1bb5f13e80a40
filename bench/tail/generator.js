// Sends requests, a connection for each.
import net from 'node:net'
import { answerRuns } from '../common/open-loop.js'
import { now } from './clock.js'

/** @typedef {import('./samples.js').Sample} Sample */

/** ms. A connection whose handle the primary of a cluster has sent to a worker that is killed never ends by itself. */
const TIMEOUT = 8000

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

answerRuns((/** @type {{ port: number, path: string }} */ { port, path }) => {
  const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`
  return { send: (at) => send(port, request, at) }
})
