import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** @typedef {{ total: number, failed: Record<string, number> }} Counts */

const client = fileURLToPath(new URL('./http-client.js', import.meta.url))

/** A process that sends requests. */
export class HttpLoad {
  /** @type {import('node:child_process').ChildProcess} */
  #child

  /** @type {(port: number, width: number) => Promise<HttpLoad>} */
  static async start(port, width) {
    const child = fork(client, [JSON.stringify({ port, width })])
    await once(child, 'message')
    return new HttpLoad(child)
  }

  /** @param {import('node:child_process').ChildProcess} child */
  constructor(child) {
    this.#child = child
  }

  /** @returns {Promise<Counts>} */
  async counts() {
    this.#child.send('count')
    const [counts] = await once(this.#child, 'message')
    return counts
  }

  /** Ends the process after all requests that have begun. @returns {Promise<Counts>} */
  async end() {
    this.#child.send('end')
    const [counts] = await once(this.#child, 'message')
    return counts
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}

/** @type {(counts: Counts) => number} */
export function failures({ failed }) {
  return Object.values(failed).reduce((sum, times) => sum + times, 0)
}
