// Two workers under a process manager, or what plays one. The workers tell over a link that they listen.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { freePort } from '../common/ports.js'
import { parseStat, timesOf } from '../common/processes.js'
import { now } from '../tail/clock.js'
import { Links } from './links.js'

export const WORKERS = 2
const LIMIT = 40_000 // ms for a start or a reload

/** `link`: the path to which workers connect. `tellsAccepted`: they tell whose connections they accept. @typedef {{ port: number, link: string, tellsAccepted: boolean }} Place */
/** @typedef {import('./links.js').Worker} Worker */

/**
 * A manager that has been started. `root`: the process whose tree it is. `reload` asks for the replacement of all workers, and
 * resolves when the command is over. `failure`: why there is no use in waiting.
 *
 * @typedef {object} Started
 * @property {number} root
 * @property {() => Promise<unknown>} reload
 * @property {() => string | undefined} failure
 * @property {() => Promise<void>} end
 */

/** @typedef {(place: Place) => Promise<Started>} Starter */

/** @param {Worker} worker */
const nameOf = ({ pid, thread }) => `${pid}/${thread}`

export class Manager {
  #links
  /** @type {Started | undefined} */
  #started
  port

  /** @param {Starter} start @param {{ tellsAccepted?: boolean }} [setting] */
  static async start(start, { tellsAccepted = false } = {}) {
    const manager = new Manager(await Links.open(), await freePort())
    try {
      manager.#started = await start({ port: manager.port, link: manager.#links.path, tellsAccepted })
      await manager.#until(() => manager.workers.length === WORKERS)
      return manager
    } catch (error) {
      await manager.end()
      throw error
    }
  }

  /** @param {Links} links @param {number} port */
  constructor(links, port) {
    this.#links = links
    this.port = port
  }

  /** The workers that listen, the oldest first. */
  get workers() {
    return this.#links.workers
  }

  /** ms of processor time of the manager, its workers, those that have ended, and the commands that have been run. */
  processorTime() {
    const { user, system } = timesOf(this.#started?.root ?? 0)
    return (user + system) * 1000 + commandTime()
  }

  /** Replaces all workers. It is over when so many new ones listen and the old ones have ended. @returns {Promise<{ from: number, to: number }>} */
  async reload() {
    const old = new Set(this.workers.map(nameOf))
    const from = now()
    const asked = this.#started?.reload()
    const isOver = () => this.workers.length === WORKERS && !this.workers.some((worker) => old.has(nameOf(worker)))
    // Where the manager refuses there is no use in waiting.
    await Promise.race([this.#until(isOver), refusal(asked)])
    const to = now()
    await asked
    return { from, to }
  }

  /** Kills the oldest worker. @returns {Promise<{ from: number, to: number, accepted: ReadonlySet<number> }>} `to`: when its successor listened. */
  async killOldest() {
    const [killed, ...others] = this.workers
    if (killed === undefined) throw new Error('There is no worker')
    process.kill(killed.pid, 'SIGKILL')
    const from = now()
    const find = () => this.workers.find((worker) => worker !== killed && !others.includes(worker))
    await this.#until(() => find() !== undefined && !this.workers.includes(killed))
    return { from, to: find()?.since ?? Number.NaN, accepted: new Set(killed.accepted) }
  }

  /** @param {() => boolean} isTrue */
  async #until(isTrue) {
    const failure = () => this.#started?.failure()
    await this.#links.until(() => isTrue() || failure() !== undefined, LIMIT)
    if (!isTrue()) throw new Error(failure())
  }

  async end() {
    await this.#started?.end()
    this.#links.close()
  }
}

/** @param {Promise<unknown> | undefined} asked @returns {Promise<never>} */
function refusal(asked) {
  return new Promise((_resolve, reject) => asked?.catch(reject))
}

/** ms of processor time of the processes that this one has waited for. */
function commandTime() {
  const whole = parseStat(readFileSync('/proc/self/stat', 'latin1'))
  const own = process.cpuUsage()
  return (whole.user + whole.system) * 1000 - (own.user + own.system) / 1000
}
