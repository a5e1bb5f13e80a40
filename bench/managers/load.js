// The benchmark's side of the load generator.
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { end, message, start } from '../common/children.js'
import { percentile } from '../statistics.js'

/** @typedef {import('./client.js').Sample} Sample */

/** No run may open more connections a second, or more of them. */
const MOST = { rate: 2000, requests: 100_000 }
/** ms. No run takes longer. */
const LONGEST = 100_000
/** The generator is to keep its schedule on a busy machine. */
const PRIORITY = -19

export class Load {
  #process

  static async start() {
    const load = new Load()
    await message(load.#process)
    return load
  }

  constructor() {
    const script = fileURLToPath(new URL('./generator.js', import.meta.url))
    this.#process = start(process.execPath, [script], { ipc: true })
    this.#process.on('error', () => {})
    const { pid = 0 } = this.#process
    try {
      os.setPriority(pid, PRIORITY)
      // Where Linux shares its time among sessions, a priority counts only within one. sched(7), autogroup
      writeFileSync(`/proc/${pid}/autogroup`, `${PRIORITY}`)
    } catch {
      // That takes a privilege, and a kernel with autogroups. The lateness tells how it went.
    }
  }

  /**
   * Sends requests while `act` acts; those that have not begun when it is over are left out.
   *
   * @param {{ port: number, times: readonly number[], kept?: number }} setting `times`: ms from the beginning. `kept`: how many connections are kept.
   * @param {() => Promise<void>} act
   * @returns {Promise<{ samples: readonly Sample[], lateness: number }>} `lateness`: the generator's p99, in ms.
   */
  async run({ port, times, kept = 0 }, act) {
    const seconds = (times.at(-1) ?? 0) / 1000
    if (times.length > Math.min(MOST.requests, MOST.rate * (seconds + 1))) throw new RangeError('Too many requests')
    const begun = message(this.#process)
    this.#process.send({ port, times, kept })
    await begun
    const told = message(this.#process, { milliseconds: LONGEST })
    // It is waited for below, also where `act` fails: the next run must not get it.
    told.catch(() => {})
    try {
      await act()
    } finally {
      this.#process.send('finish')
      await told
    }
    const { samples, lateness } = await told
    return { samples, lateness: percentile(lateness, 99) }
  }

  async end() {
    await end(this.#process)
  }
}
