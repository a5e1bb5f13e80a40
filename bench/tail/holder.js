import net from 'node:net'

const REQUEST = 'GET /hold HTTP/1.1\r\nHost: bench\r\n\r\n'
/** How many connections are opened at a time. */
const WIDTH = 16

/** Long connections. One that the server ends is opened again. */
export class Holder {
  #port
  #isEnding = false
  /** Those that were answered, the oldest first. @type {Set<net.Socket>} */
  #open = new Set()

  /** @param {number} port */
  constructor(port) {
    this.#port = port
  }

  get count() {
    return this.#open.size
  }

  /** @param {number} count */
  async open(count) {
    await this.#inTurns(count, () => this.#connect())
  }

  /** Closes every connection and opens another one, the oldest first. */
  async turnOver() {
    const old = [...this.#open]
    await this.#inTurns(old.length, async (index) => {
      const socket = old[index]
      if (socket === undefined || !this.#open.delete(socket)) return
      socket.destroy()
      await this.#connect()
    })
  }

  /** @param {number} count @param {(index: number) => Promise<unknown>} act */
  async #inTurns(count, act) {
    let next = 0
    const turns = Array.from({ length: WIDTH }, async () => {
      while (next < count && !this.#isEnding) await act(next++)
    })
    await Promise.all(turns)
  }

  /** Resolves when the connection is answered, or has failed. @returns {Promise<void>} */
  #connect() {
    return new Promise((resolve) => {
      const socket = net.connect(this.#port, '127.0.0.1', () => socket.write(REQUEST))
      socket.once('data', () => {
        this.#open.add(socket)
        resolve()
      })
      socket.on('error', () => {})
      socket.on('close', () => {
        const wasOpen = this.#open.delete(socket)
        if (wasOpen && !this.#isEnding) this.#connect()
        resolve()
      })
      socket.resume()
    })
  }

  end() {
    this.#isEnding = true
    for (const socket of this.#open) socket.destroy()
  }
}
