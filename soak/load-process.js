import { fork } from 'node:child_process'
import { once } from 'node:events'

/** @typedef {{ total: number, failed: Record<string, number> }} Counts */

/** A process that sends requests: soak/http-client.js or soak/grpc-client.js. */
export class LoadProcess {
  /** @type {import('node:child_process').ChildProcess} */
  #child

  /** @type {(client: string, port: number, width: number) => Promise<LoadProcess>} */
  static async start(client, port, width) {
    const child = fork(client, [JSON.stringify({ port, width })])
    await once(child, 'message')
    return new LoadProcess(child)
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
