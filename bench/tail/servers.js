// Workers that are started in one of the ways to share a port.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { killGroup, startGroup } from './children.js'
import { Links } from './links.js'

/** @type {(name: string) => string} */
const file = (name) => fileURLToPath(new URL(name, import.meta.url))
const command = file('../../dist/cli/main.js')
const help = spawnSync(process.execPath, [command, 'run', '--help'], { encoding: 'utf8' }).stdout

/** What this build of `reuseport run` can do. */
export const can = { join: help.includes('--no-join'), balance: help.includes('--balance') }

/** @typedef {'hash' | 'joins' | 'rr' | 'shared' | 'balance'} Way */

/** @type {Readonly<Record<Way, string>>} */
export const WAYS = {
  hash: 'hash',
  joins: 'joins',
  rr: 'round robin',
  shared: 'shared handle',
  balance: 'balance',
}

/** The options of `reuseport run`. Old connections of a worker that leaves are not what is measured. */
const RUN = ['--drain-timeout', '100ms']

/** @type {(way: Way, workers: number) => readonly [readonly string[], Record<string, string>]} */
function programOf(way, workers) {
  if (way === 'rr' || way === 'shared') {
    return [[file('./cluster.js'), String(workers)], { NODE_CLUSTER_SCHED_POLICY: way === 'rr' ? 'rr' : 'none' }]
  }
  const none = can.join ? ['--no-join'] : []
  const own = { hash: none, joins: [], balance: ['--balance', 'connections'] }[way]
  return [[command, 'run', '-n', String(workers), ...RUN, ...own, file('./worker.js')], {}]
}

export class Servers {
  /** @type {import('node:child_process').ChildProcess} */
  #process
  #links
  #workers
  #errors = ''

  /** @type {(way: Way, workers: number) => Promise<Servers>} */
  static async start(way, workers) {
    const links = new Links()
    await links.open()
    const servers = new Servers(way, workers, links)
    try {
      await servers.ready(workers)
      return servers
    } catch (error) {
      await servers.end()
      throw error
    }
  }

  /** @param {Way} way @param {number} workers @param {Links} links */
  constructor(way, workers, links) {
    const [args, env] = programOf(way, workers)
    this.#links = links
    this.#workers = workers
    this.#process = startGroup(args, { BENCH_LINK: links.path, ...env })
    this.#process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(0, 500)
    })
    this.#process.once('exit', () => links.emit('message', {}))
  }

  /** Waits until so many workers listen. @param {number} workers */
  async ready(workers, limit = 20_000) {
    this.#workers = workers
    const hasEnded = () => this.#process.exitCode !== null || this.#process.signalCode !== null
    await this.#links
      .until(() => this.#links.all.length === workers || hasEnded(), limit, `${workers} workers listen`)
      .catch((error) => {
        throw new Error(`${error.message}\n${this.#errors}`)
      })
    if (hasEnded()) throw new Error(`The workers' parent has ended:\n${this.#errors}`)
  }

  get links() {
    return this.#links
  }

  get port() {
    return this.#links.all[0]?.port ?? 0
  }

  /** The supervisor, or the primary of the cluster. */
  get parent() {
    return this.#process.pid ?? 0
  }

  /** The oldest worker. */
  get oldest() {
    const [oldest] = this.#links.all
    if (oldest === undefined) throw new Error('There is no worker')
    return oldest
  }

  get workers() {
    return this.#workers
  }

  /** @param {NodeJS.Signals} signal */
  tellParent(signal) {
    this.#process.kill(signal)
  }

  async end() {
    const closed = once(this.#process, 'close')
    const timer = setTimeout(() => killGroup(this.#process), 3000)
    this.#process.stdin?.end()
    this.#process.kill('SIGTERM')
    if (this.#process.exitCode === null && this.#process.signalCode === null) await closed
    clearTimeout(timer)
    killGroup(this.#process)
    this.#links.close()
  }
}
