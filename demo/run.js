import net from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Supervisor } from 'reuseport/supervisor'
import { load } from './load.js'

const script = fileURLToPath(new URL('./plain.js', import.meta.url))
const WIDTH = 32
const WAITING = 40

/** @typedef {{ requests: number, failed: number, causes: Record<string, number> }} Counted */

/** @type {(outcome: import('./load.js').Outcome) => Counted} */
function counted({ total, failed }) {
  return {
    requests: total,
    failed: [...failed.values()].reduce((sum, times) => sum + times, 0),
    causes: Object.fromEntries(failed),
  }
}

/** An unmodified program under a supervisor, as `reuseport run` runs it. */
export class RunningProgram {
  /** @type {Supervisor} */
  #supervisor
  /** @type {number} */
  port = 0

  /** @type {(workers: number) => Promise<RunningProgram>} */
  static async start(workers) {
    const program = new RunningProgram(workers)
    await program.#supervisor.start()
    return program
  }

  /** @param {number} workers */
  constructor(workers) {
    this.#supervisor = new Supervisor({ script, args: ['0'], workers, execArgv: [] })
    this.#supervisor.on('worker:listening', (_worker, { port }) => {
      this.port = port
    })
    process.on('exit', () => this.#supervisor.kill())
  }

  /** @returns {number[]} */
  get pids() {
    return this.#supervisor.workers.map(({ pid }) => pid)
  }

  /** How many of these requests each worker answers. @type {(requests: number) => Promise<{ pid: number, connections: number }[]>} */
  async distribution(requests) {
    const { answered } = await load(this.port, WIDTH, (begun) => begun < requests)
    return this.pids.map((pid) => ({ pid, connections: answered.get(String(pid)) ?? 0 }))
  }

  /** Replaces all workers while requests go on. @type {() => Promise<Counted>} */
  async reload() {
    let isDone = false
    const running = load(this.port, WIDTH, () => !isDone)
    try {
      await this.#supervisor.reload()
    } finally {
      isDone = true
    }
    return counted(await running)
  }

  /**
   * Kills a worker while clients wait in its accept queue. SIGSTOP comes first, so that the worker accepts no more.
   *
   * @type {() => Promise<Counted & { killed: number, successor: number, waited: number }>}
   */
  async kill() {
    const [victim] = this.#supervisor.workers
    if (victim === undefined) throw new Error('the supervisor has no worker')
    process.kill(victim.pid, 'SIGSTOP')
    const clients = Array.from({ length: WAITING }, () => ask(this.port))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const waited = clients.filter(({ isOver }) => !isOver()).length
    const ready = new Promise((resolve) => this.#supervisor.once('worker:ready', resolve))
    process.kill(victim.pid, 'SIGKILL')
    const { pid: successor } = await ready
    const causes = /** @type {Record<string, number>} */ ({})
    for (const failed of await Promise.all(clients.map(({ answer }) => answer))) {
      if (failed !== undefined) causes[failed] = (causes[failed] ?? 0) + 1
    }
    const failed = Object.values(causes).reduce((sum, times) => sum + times, 0)
    return { requests: WAITING, failed, causes, killed: victim.pid, successor, waited }
  }

  end() {
    return this.#supervisor.stop()
  }
}

/** @type {(port: number) => { isOver(): boolean, answer: Promise<string | undefined> }} `answer`: the failure, if any */
function ask(port) {
  let over = false
  const answer = /** @type {Promise<string | undefined>} */ (
    new Promise((resolve) => {
      let said = ''
      const socket = net.connect(port, '127.0.0.1')
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      socket.on('data', (data) => {
        said += String(data)
      })
      socket.on('end', () => resolve(said.startsWith('HTTP/1.1 200') ? undefined : 'no answer'))
      socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    }).finally(() => {
      over = true
    })
  )
  return { isOver: () => over, answer }
}
