// Where requests are slow, a turn of the event loop serves one connection: in all, of the worker's own queue and of those whose
// guest it is. A second one would wait for the first, while another worker may be idle. libuv accepts one from each listener in
// a turn, so here the guest accepts itself, in turns in which nothing else was accepted.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import type { Addon } from '../native/addon-contract.js'
import { socketHandle } from '../node/guest-listener.js'

/** ms of processor time of a turn from which on requests are slow. */
export const SLOW = 4
/** Node publishes here each connection that a server has accepted. */
const ACCEPTED = 'net.server.socket'

/** Errors of accept for want of something. The others are that nothing waits, or those of one client. accept(2) */
const WANTING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

interface Taking {
  /** Whether the worker's own queue is empty. */
  readonly isFree: () => boolean
  readonly enter: (client: object) => void
  /** Nothing waits any more. @param hasFailed It is not accepted for want of descriptors or memory. */
  readonly done: (hasFailed: boolean) => void
}

export class OneByOne {
  readonly #takings = new Map<number, Taking>()
  readonly #onAccepted = (): void => {
    this.#hasAccepted = true
  }
  #hasAccepted = false
  #isTurning = false
  #isMeasuring = false
  #turn = 0

  /** Whether a connection keeps the event loop busy for long, as far as was seen. */
  get isSlow(): boolean {
    return this.#turn >= SLOW
  }

  /**
   * A connection is accepted: how much processor time do the rest of this turn and the next one take? Not how much time: where
   * there are more workers than CPUs each turn is long.
   */
  measure(): void {
    if (this.#isMeasuring) return
    this.#isMeasuring = true
    const accepted = process.cpuUsage()
    setImmediate(() => {
      const rest = spentSince(accepted)
      const begun = process.cpuUsage()
      setImmediate(() => {
        this.#isMeasuring = false
        this.#turn = Math.max(rest, spentSince(begun), this.#turn * 0.8)
      })
    })
  }

  /** Accepts from this listener until nothing waits. */
  take(addon: Addon, fd: number, taking: Taking): void {
    if (this.#takings.size === 0) subscribe(ACCEPTED, this.#onAccepted)
    this.#takings.set(fd, taking)
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(() => this.#next(addon))
  }

  drop(fd: number): void {
    if (this.#takings.delete(fd) && this.#takings.size === 0) unsubscribe(ACCEPTED, this.#onAccepted)
  }

  #next(addon: Addon): void {
    const [first] = this.#takings
    this.#isTurning = first !== undefined
    if (first === undefined) return
    if (!this.#hasAccepted && first[1].isFree()) this.#accept(addon, ...first)
    else this.#hasAccepted = false
    setImmediate(() => this.#next(addon))
  }

  #accept(addon: Addon, fd: number, taking: Taking): void {
    const accepted = addon.accept(fd)
    const client = typeof accepted === 'number' ? socketHandle(accepted) : undefined
    this.drop(fd)
    if (typeof accepted !== 'number') taking.done(WANTING.has(getSystemErrorName(accepted.errno)))
    else if (client === undefined) {
      addon.close(accepted)
      taking.done(true)
    } else {
      addon.release(accepted)
      // The others have their turn before it.
      this.take(addon, fd, taking)
      this.measure()
      taking.enter(client)
    }
  }
}

/** @returns ms of processor time. */
function spentSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
