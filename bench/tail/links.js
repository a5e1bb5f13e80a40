// The Unix socket over which workers tell that they listen, and are commanded.
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { workers } from './children.js'
import { now } from './clock.js'
import { onLines } from './lines.js'

/** @typedef {{ pid: number, port: number, since: number, socket: net.Socket }} Link */

export class Links extends EventEmitter {
  /** The workers that listen, the oldest first. @type {Link[]} */
  all = []
  /** When which worker began to block its loop. @type {import('./samples.js').Pause[]} */
  blocks = []
  #folder = mkdtempSync(path.join(os.tmpdir(), 'bench-'))
  #server = net.createServer((socket) => this.#accept(socket))
  #counted = 0
  #remove = () => rmSync(this.#folder, { recursive: true, force: true })
  path = path.join(this.#folder, 'link')

  async open() {
    process.on('exit', this.#remove)
    this.#server.listen(this.path)
    await once(this.#server, 'listening')
  }

  /** @param {net.Socket} socket */
  #accept(socket) {
    /** @type {Link | undefined} */
    let link
    onLines(socket, (message) => {
      if (message.port !== undefined) {
        link = { ...message, since: now(), socket }
        workers.add(message.pid)
        this.all.push(/** @type {Link} */ (link))
      } else if (link && message.blocked !== undefined) this.blocks.push({ pid: link.pid, from: message.blocked })
      this.emit('message', { pid: link?.pid, ...message })
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.all = this.all.filter((one) => one !== link)
      if (link !== undefined) workers.delete(link.pid)
      this.emit('message', { gone: link?.pid })
    })
  }

  /** @param {Link} link @param {object} command */
  tell(link, command) {
    link.socket.write(`${JSON.stringify(command)}\n`)
  }

  /** Waits until a message makes it true. @param {() => boolean} isTrue @param {number} limit ms @param {string} what */
  async until(isTrue, limit, what) {
    const signal = AbortSignal.timeout(limit)
    while (!isTrue()) {
      await once(this, 'message', { signal }).catch(() => {
        throw new Error(`${what}: not within ${limit} ms`)
      })
    }
  }

  /** The number of open connections of each worker. */
  async counts() {
    const id = ++this.#counted
    /** @type {Map<number, number>} */
    const counts = new Map()
    const take = (/** @type {any} */ message) => {
      if (message.id === id) counts.set(message.pid, message.count)
    }
    this.on('message', take)
    try {
      for (const link of this.all) this.tell(link, { count: id })
      await this.until(() => this.all.every(({ pid }) => counts.has(pid)), 5000, 'every worker counts')
      return this.all.map(({ pid }) => counts.get(pid) ?? 0)
    } finally {
      this.off('message', take)
    }
  }

  close() {
    for (const { socket } of this.all) socket.destroy()
    this.#server.close()
    this.#remove()
    process.off('exit', this.#remove)
  }
}
