// The benchmark's side of the load generator.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { percentile } from '../statistics.js'
import { startProcess } from './children.js'

/** @typedef {import('./samples.js').Sample} Sample */
/** @typedef {{ samples: Sample[], lateness: number, cpu: number }} Result `lateness`: the generator's p99, in ms. `cpu`: its share of a CPU. */

/** No run may open more connections a second, or more of them. */
const MOST = { rate: 2000, requests: 100_000 }
/** The generator is to keep its schedule on a busy machine. */
const PRIORITY = -19

export class Load {
  #process

  static async start() {
    const load = new Load()
    await load.#message()
    return load
  }

  constructor() {
    this.#process = startProcess(fileURLToPath(new URL('./generator.js', import.meta.url)))
    // Whoever waits for a message hears of the end.
    this.#process.on('error', () => {})
    try {
      const { pid = 0 } = this.#process
      os.setPriority(pid, PRIORITY)
      // Where Linux shares its time among sessions, a priority counts only within one. sched(7), autogroup
      writeFileSync(`/proc/${pid}/autogroup`, `${PRIORITY}`)
    } catch {
      // That takes a privilege, and a kernel with autogroups. The lateness tells how it went.
    }
  }

  /**
   * Sends requests, and acts meanwhile. `act` is told when the first request begins, on the clock of now(), and how to leave
   * out those that have not begun; where it fails, they are left out too.
   *
   * @param {{ port: number, path?: string, times: number[] }} setting
   * @param {(begin: number, finish: () => void) => Promise<void>} [act]
   * @returns {Promise<Result>}
   */
  async run({ port, path = '/', times }, act = async () => {}) {
    const seconds = (times.at(-1) ?? 0) / 1000
    if (times.length > Math.min(MOST.requests, MOST.rate * (seconds + 1))) throw new RangeError('Too many requests')
    this.#process.send({ port, path, times })
    const { begin } = await this.#message()
    const finish = () => this.#process.send('finish')
    const acting = act(begin, finish).catch((error) => {
      finish()
      throw error
    })
    const [told, acted] = await Promise.allSettled([this.#message(), acting])
    if (told.status === 'rejected') throw told.reason
    if (acted.status === 'rejected') throw acted.reason
    const { samples, lateness, cpu } = told.value
    return { samples, lateness: percentile(lateness, 99), cpu }
  }

  /** @returns {Promise<any>} */
  async #message() {
    const ended = new AbortController()
    const onExit = () => ended.abort()
    this.#process.once('exit', onExit)
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) onExit()
    try {
      const [message] = await once(this.#process, 'message', { signal: ended.signal })
      return message
    } catch {
      throw new Error('The load generator has ended')
    } finally {
      this.#process.off('exit', onExit)
    }
  }

  end() {
    this.#process.disconnect()
  }
}
