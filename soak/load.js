import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** @typedef {{ total: number, slow: number, failed: Record<string, number> }} Count */
/** @typedef {{ connections: number, late: number, slow: number, failed: number, causes: Record<string, number> }} Totals */

/** @type {(name: string) => string} */
const script = (name) => fileURLToPath(new URL(name, import.meta.url))

const TIMEOUT = 10_000 // ms for a connection; a late one takes about a second

const HOSTS = {
  4: Array.from({ length: 50 }, (_, index) => `127.0.1.${index + 1}`),
  6: ['::1'],
}

/** The clients: one process for the fast clients, another for the late ones. */
export class Load {
  /** @type {{ kill(signal: NodeJS.Signals): boolean }[]} */
  #children = []
  /** @type {Record<string, Count>[]} */
  #counts = []
  /** @type {(() => Promise<unknown>)[]} */
  #ends = []

  /** @type {(groups: readonly import('./members.js').Group[]) => Load} */
  static start(groups) {
    const load = new Load()
    const fast = groups.filter(({ name }) => name !== 'late')
    const targets = fast.flatMap(({ name, family, port }) =>
      ['listen', 'ask'].map((kind) => ({ name: `${name} ${kind}`, hosts: HOSTS[family], port, kind, width: 16 })),
    )
    load.#startFast({ targets, timeout: TIMEOUT })
    // One dual-stack listener serves the late clients of both families.
    const late = groups
      .filter(({ name }) => name === 'late')
      .flatMap(({ port }) =>
        /** @type {const} */ ([4, 6]).map((family) => ({
          name: `late IPv${family}`,
          family,
          hosts: HOSTS[family],
          port,
          width: 40,
        })),
      )
    load.#startLate({ targets: late, timeout: TIMEOUT })
    process.on('exit', () => load.kill())
    return load
  }

  /** @param {object} setting */
  #startFast(setting) {
    const child = fork(script('./client.js'), [JSON.stringify(setting)])
    const index = this.#add(child)
    const exited = once(child, 'exit')
    child.on('message', (/** @type {any} */ { counts }) => {
      this.#counts[index] = counts
    })
    this.#ends.push(() => {
      child.send('end')
      return exited
    })
  }

  /** @param {object} setting */
  #startLate(setting) {
    const child = spawn('python3', [script('./late.py'), JSON.stringify(setting)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const index = this.#add(child)
    const exited = once(child, 'close')
    createInterface({ input: child.stdout }).on('line', (text) => {
      this.#counts[index] = JSON.parse(text).counts
    })
    this.#ends.push(() => {
      child.stdin.end()
      return exited
    })
  }

  /** @param {{ kill(signal: NodeJS.Signals): boolean }} child */
  #add(child) {
    this.#children.push(child)
    return this.#counts.push({}) - 1
  }

  /** @returns {Totals} */
  totals() {
    /** @type {Totals} */
    const sum = { connections: 0, late: 0, slow: 0, failed: 0, causes: {} }
    for (const [name, { total, slow, failed }] of this.#counts.flatMap((counts) => Object.entries(counts))) {
      sum.connections += total
      sum.slow += slow
      if (name.startsWith('late')) sum.late += total
      for (const [cause, times] of Object.entries(failed)) {
        sum.failed += times
        sum.causes[`${name}: ${cause}`] = (sum.causes[`${name}: ${cause}`] ?? 0) + times
      }
    }
    return sum
  }

  /** Ends the clients after all connections that have begun. */
  async end() {
    await Promise.all(this.#ends.map((end) => end()))
  }

  kill() {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}
