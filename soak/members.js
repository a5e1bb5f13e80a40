import { fork } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./member.js', import.meta.url))

const PROCESSES = 2

/** @typedef {{ name: string, host: string, family: 4 | 6, port: number, members: number, handshakeTimeout: number }} Group */
/** @typedef {{ restarts: number, awaited: number, notLossless: Record<string, number> }} MemberTotals */

/** @type {(host: string) => Promise<number>} */
async function freePort(host) {
  const server = net.createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}

/** The processes whose servers are replaced. */
export class Members {
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = []
  /** @type {Map<number, MemberTotals>} */
  #totals = new Map()
  /** @type {readonly Group[]} */
  groups = []
  /** @type {Promise<void>[]} */
  #resting = []

  /** @type {(mode: 'drain' | 'close') => Promise<Members>} */
  static async start(mode) {
    const members = new Members()
    const handshakeTimeout = 5000
    members.groups = [
      { name: 'IPv4', host: '0.0.0.0', family: 4, port: await freePort('0.0.0.0'), members: 2, handshakeTimeout },
      { name: 'IPv6', host: '::1', family: 6, port: await freePort('::1'), members: 2, handshakeTimeout },
      { name: 'late', host: '::', family: 6, port: await freePort('::'), members: 2, handshakeTimeout },
    ]
    for (let index = 0; index < PROCESSES; index++) await members.#start(mode)
    process.on('exit', () => members.kill())
    return members
  }

  /** @type {(mode: string) => Promise<void>} */
  async #start(mode) {
    const setting = { groups: this.groups, mode, pause: 0 }
    const child = fork(program, [JSON.stringify(setting)])
    this.#children.push(child)
    const pid = /** @type {number} */ (child.pid)
    let ready = 0
    /** @type {() => void} */
    let onRest = () => {}
    this.#resting.push(
      new Promise((resolve) => {
        onRest = resolve
      }),
    )
    await new Promise((resolve, reject) => {
      child.on('exit', (code, signal) => reject(new Error(`a member process ended: ${code ?? signal}`)))
      child.on('message', (/** @type {any} */ message) => {
        if (message.failed) reject(new Error(message.failed))
        if (message.ready && ++ready === this.groups.length) resolve(undefined)
        if (message.totals) this.#totals.set(pid, message.totals)
        if (message.resting) onRest()
      })
    })
  }

  /** @returns {MemberTotals} */
  totals() {
    /** @type {MemberTotals} */
    const sum = { restarts: 0, awaited: 0, notLossless: {} }
    for (const { restarts, awaited, notLossless } of this.#totals.values()) {
      sum.restarts += restarts
      sum.awaited += awaited
      for (const [reason, times] of Object.entries(notLossless)) {
        sum.notLossless[reason] = (sum.notLossless[reason] ?? 0) + times
      }
    }
    return sum
  }

  /** Stops the replacements. */
  async rest() {
    for (const child of this.#children) child.send('rest')
    await Promise.all(this.#resting)
  }

  async end() {
    const exits = this.#children.map((child) => once(child, 'exit'))
    for (const child of this.#children) child.send('end')
    await Promise.all(exits)
  }

  kill() {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}
