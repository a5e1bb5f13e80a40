// The Unix socket over which workers tell that they listen. It closes with the worker.
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { lastSteps, signal } from '../common/children.js'
import { now } from '../tail/clock.js'
import { onLines } from '../tail/lines.js'

/**
 * A worker is a process, or a thread of one. `since`: when it told that it listens. `accepted`: the ports of the clients whose
 * connections it has accepted, if it tells.
 *
 * @typedef {{ pid: number, thread: number, since: number, accepted: number[] }} Worker
 */

export class Links extends EventEmitter {
  /** The workers that listen, the oldest first. @type {readonly Worker[]} */
  workers = []
  #folder = mkdtempSync(path.join(os.tmpdir(), 'bench-'))
  /** @type {Set<net.Socket>} */
  #sockets = new Set()
  #server = net.createServer((socket) => this.#accept(socket))
  #lastStep = () => {
    for (const { pid } of this.workers) signal(pid, 'SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
  path = path.join(this.#folder, 'link')

  static async open() {
    const links = new Links()
    lastSteps.add(links.#lastStep)
    links.#server.listen(links.path)
    await once(links.#server, 'listening')
    return links
  }

  /** @param {net.Socket} socket */
  #accept(socket) {
    /** @type {Worker | undefined} */
    let worker
    this.#sockets.add(socket)
    onLines(socket, (told) => {
      if (told.accepted !== undefined) {
        worker?.accepted.push(told.accepted)
        return
      }
      const { pid, thread } = told
      worker = { pid, thread, since: now(), accepted: [] }
      this.workers = [...this.workers, worker]
      this.emit('change')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.workers = this.workers.filter((one) => one !== worker)
      this.emit('change')
    })
  }

  /** Waits until a change makes it true. @param {() => boolean} isTrue @param {number} limit ms */
  async until(isTrue, limit) {
    const signal = AbortSignal.timeout(limit)
    while (!isTrue()) {
      await once(this, 'change', { signal }).catch(() => {
        throw new Error(`${this.workers.length} workers listen after ${limit / 1000} s`)
      })
    }
  }

  close() {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    this.#lastStep()
    lastSteps.delete(this.#lastStep)
  }
}
