// A client of HTTP/1.1 over plain sockets: with a connection for each request, or with some that are kept.
import net from 'node:net'
import { now } from '../tail/clock.js'
import { readAnswer } from './answer.js'

/** ms. A connection that nobody serves never ends by itself. */
const TIMEOUT = 8000

/**
 * `at`: when the request was to begin, `wait`: from then to the answer, or to the failure. `pid`: the worker that answered. `port`:
 * the client's. `isReused`: it was not the first request of its connection.
 *
 * @typedef {{ at: number, wait: number, port: number, isReused: boolean } & ({ pid: number } | { failure: string })} Sample
 */

/** @typedef {{ socket: net.Socket, local: number, used: number, isOpen: boolean, take: (text: string) => void, fail: (why: string) => void }} Connection */

const NOTHING = () => {}

/** @param {number} port @param {() => void} onClose @returns {Connection} */
function connect(port, onClose) {
  const socket = net.connect(port, '127.0.0.1', () => {
    connection.local = socket.localPort ?? 0
  })
  /** @type {Connection} */
  const connection = { socket, local: 0, used: 0, isOpen: true, take: NOTHING, fail: NOTHING }
  let failure = 'closed'
  socket.setEncoding('latin1').setTimeout(TIMEOUT, () => socket.destroy(new Error('timeout')))
  socket.on('data', (text) => connection.take(String(text)))
  // The server sends nothing more.
  socket.on('end', () => leave())
  socket.on('error', (error) => {
    failure = 'code' in error ? String(error.code) : error.message
  })
  socket.on('close', () => {
    leave()
    connection.fail(failure)
  })
  const leave = () => {
    connection.isOpen = false
    onClose()
  }
  return connection
}

export class Client {
  #port
  #kept
  /** Those that wait for a request, the longest first. @type {Connection[]} */
  #idle = []
  /** @type {Set<Connection>} */
  #open = new Set()

  /** @param {number} port @param {number} kept how many connections are kept */
  constructor(port, kept) {
    this.#port = port
    this.#kept = kept
  }

  /** @param {number} at when the request was to begin @returns {Promise<Sample>} */
  request(at) {
    const connection = this.#connection()
    const isReused = connection.used++ > 0
    let text = ''
    return new Promise((resolve) => {
      const end = (/** @type {{ pid: number } | { failure: string }} */ outcome) => {
        connection.take = NOTHING
        connection.fail = NOTHING
        resolve({ at, wait: now() - at, port: connection.local, isReused, ...outcome })
      }
      connection.take = (part) => {
        text += part
        const answer = readAnswer(text)
        if (answer === undefined) return
        end({ pid: answer.pid })
        if (this.#kept > 0 && answer.isKept && connection.isOpen) this.#idle.push(connection)
        else connection.socket.end()
      }
      connection.fail = (failure) => end({ failure })
      const header = this.#kept > 0 ? 'keep-alive' : 'close'
      connection.socket.write(`GET / HTTP/1.1\r\nHost: bench\r\nConnection: ${header}\r\n\r\n`)
    })
  }

  #connection() {
    if (this.#open.size >= this.#kept) {
      const idle = this.#idle.shift()
      if (idle !== undefined) return idle
    }
    const connection = connect(this.#port, () => {
      this.#open.delete(connection)
      this.#idle = this.#idle.filter((one) => one !== connection)
    })
    this.#open.add(connection)
    return connection
  }

  close() {
    for (const { socket } of this.#open) socket.destroy()
  }
}
