import { setTimeout as sleep } from 'node:timers/promises'
import { closeHandle } from '../common/close-handle.js'
import type { DrainReport, ListenableServer } from '../index.js'
import { duplicateFor } from '../native/duplicate-for.js'
import { acceptFor } from '../node/second-listener.js'
import { ServerConnections } from '../node/server-connections.js'
import type { LocalSocket } from '../supervisor/protocol.js'
import { drainAll } from './drain-all.js'
import type { DrainTimes } from './drain-times.js'
import type { Link } from './link.js'

interface Taken {
  readonly accepting: ListenableServer
  /** Tells each connection, from now on, that the end comes. */
  readonly connections: ServerConnections
  readonly isOwn: Promise<void>
  own(): void
}

/** ms for the supervisor's answer to `took-back`. */
const ANSWERS = 1000

/**
 * Sockets that this worker has handed over, and that nobody else accepts from any more. The worker, which still drains,
 * accepts from them again, and drains them at last.
 */
export class TakenBack {
  readonly #link: Link
  readonly #handedOver = new Map<string, ListenableServer>()
  readonly #taken = new Map<string, Taken>()
  #hasLeft = false

  constructor(link: Link) {
    this.#link = link
  }

  handOver(id: string, server: ListenableServer): void {
    this.#handedOver.set(id, server)
  }

  take({ id, local }: { readonly id: string; readonly local?: LocalSocket | undefined }, handle: unknown): void {
    const server = this.#hasLeft ? undefined : this.#handedOver.get(id)
    const socket = local === undefined ? handle : duplicateFor(local.fd, local.inode)
    const accepting = server !== undefined && isSocket(socket) ? acceptFor(server, socket) : undefined
    if (accepting === undefined) closeHandle(handle)
    else this.#keep(id, accepting)
    this.#link.send({ type: 'took-back', id, isTaken: accepting !== undefined })
  }

  #keep(id: string, accepting: ListenableServer): void {
    const connections = new ServerConnections(accepting)
    connections.announceEnd()
    let own: () => void = () => {}
    const isOwn = new Promise<void>((resolve) => {
      own = resolve
    })
    this.#taken.set(id, { accepting, connections, isOwn, own })
  }

  /** The supervisor has closed its duplicate of the socket. */
  own(id: string): void {
    this.#taken.get(id)?.own()
  }

  /** Drains what has come back by then. From then on nothing is taken back. */
  async drain(times: DrainTimes): Promise<readonly DrainReport[]> {
    const reports: DrainReport[] = []
    while (this.#taken.size > 0) {
      const all = await Promise.all([...this.#taken].map(([id, taken]) => this.#drainOne(id, taken, times)))
      reports.push(...all.flat())
    }
    this.#hasLeft = true
    return reports
  }

  async #drainOne(id: string, taken: Taken, times: DrainTimes): Promise<readonly DrainReport[]> {
    const { accepting, connections, isOwn } = taken
    await Promise.race([isOwn, sleep(ANSWERS, undefined, { ref: false })])
    const reports = await drainAll([{ server: accepting, handOver: false }], times)
    connections.forget()
    this.#taken.delete(id)
    return reports
  }
}

function isSocket(value: unknown): value is object | number {
  return typeof value === 'number' || (typeof value === 'object' && value !== null && 'fd' in value)
}
