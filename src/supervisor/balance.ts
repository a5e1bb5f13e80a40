// Pure: which worker serves a connection that another worker passes on. The supervisor has a duplicate of the connection
// until a worker has said that it serves it. All times are in ms of one clock.
import { isAhead } from './ahead.js'
import type { ConnectionCounts } from './connection-counts.js'

/** ms for a worker to take a connection. Then it counts as slow, and gets no more until it has answered. */
export const PATIENCE = 100
/** ms between two questions to a worker that does not answer. */
const REMINDS = 1000
/** ms in which a worker must be found for a connection that nobody else has. */
const LAST = 2000
/** The most connections of one worker that wait. A worker of this version sends the next one after the answer. */
const MOST_WAITING = 64

export type BalanceAction =
  /** Tell the sender, unless it was told before, that its connection is taken; then send the connection to this worker. */
  | { readonly type: 'serve'; readonly pass: number; readonly worker: string }
  /** The sender serves the connection itself. */
  | { readonly type: 'keep'; readonly pass: number }
  /** A worker serves it: close the duplicate. */
  | { readonly type: 'done'; readonly pass: number }
  /** Ask the worker whether it has got the connection: the kernel drops descriptors of a process that has too many. */
  | { readonly type: 'remind'; readonly pass: number; readonly worker: string }
  /** No worker is left that could serve it. */
  | { readonly type: 'lost'; readonly pass: number }

interface Pass {
  readonly place: string
  readonly sender: string
  readonly since: number
  /** The sender has not been told yet what becomes of the connection, so it can serve it itself. */
  isHeld: boolean
  /** Workers that could not take it. */
  readonly refusedBy: Set<string>
  target: { readonly worker: string; readonly since: number; remindAt: number } | undefined
}

export class Balance {
  readonly #counts: ConnectionCounts
  readonly #passes = new Map<number, Pass>()
  /** The connection that is on its way to a worker: Node sends nothing more on a channel until it was taken. */
  readonly #underWay = new Map<string, Pass>()

  constructor(counts: ConnectionCounts) {
    this.#counts = counts
  }

  /** @param isHeld Whether the sender can still be told to serve it. */
  pass(pass: number, sender: string, place: string, isHeld: boolean, now: number): readonly BalanceAction[] {
    const waiting = [...this.#passes.values()].filter((other) => other.sender === sender)
    if (isHeld && waiting.length >= MOST_WAITING) return [{ type: 'keep', pass }]
    this.#passes.set(pass, { place, sender, since: now, isHeld, refusedBy: new Set(), target: undefined })
    return this.#dispatch(now)
  }

  /** The worker answers. @param open Its connections at that place, with this one. */
  served(pass: number, worker: string, isTaken: boolean, open: number, now: number): readonly BalanceAction[] {
    const found = this.#passes.get(pass)
    if (found === undefined || found.target?.worker !== worker) return []
    this.#release(found)
    if (!isTaken) {
      found.refusedBy.add(worker)
      this.#counts.remove(worker, found.place)
      return this.#dispatch(now)
    }
    this.#counts.set(worker, found.place, open)
    this.#passes.delete(pass)
    return [{ type: 'done', pass }, ...this.#dispatch(now)]
  }

  /** The worker has ended. It answers before it reads a byte, so what it has not answered can be served by another. */
  gone(worker: string, now: number): readonly BalanceAction[] {
    this.#counts.remove(worker)
    for (const pass of this.#passes.values()) {
      if (pass.target?.worker === worker) this.#release(pass)
      if (pass.sender === worker) pass.isHeld = false
    }
    return this.#dispatch(now)
  }

  /** @returns what is due, and ms to the next look; undefined where nothing waits. */
  look(now: number): { readonly actions: readonly BalanceAction[]; readonly next: number | undefined } {
    const actions: BalanceAction[] = []
    for (const [pass, { target }] of this.#passes) {
      if (target === undefined || now < target.remindAt) continue
      target.remindAt = now + REMINDS
      actions.push({ type: 'remind', pass, worker: target.worker })
    }
    actions.push(...this.#dispatch(now))
    return { actions, next: this.#next(now) }
  }

  #next(now: number): number | undefined {
    const due = [...this.#passes.values()].map(({ isHeld, since, target }) => {
      if (target !== undefined) return target.remindAt
      return isHeld ? since + PATIENCE : Math.min(now + PATIENCE, since + LAST)
    })
    return due.length === 0 ? undefined : Math.max(1, Math.min(...due) - now)
  }

  #release(pass: Pass): void {
    if (pass.target === undefined) return
    const { worker } = pass.target
    this.#underWay.delete(worker)
    this.#counts.book(worker, pass.place, -1)
    pass.target = undefined
  }

  #dispatch(now: number): readonly BalanceAction[] {
    return [...this.#passes].flatMap(([id, pass]) => (pass.target === undefined ? this.#decide(id, pass, now) : []))
  }

  #decide(id: number, pass: Pass, now: number): readonly BalanceAction[] {
    const { isHeld, place, refusedBy, sender, since } = pass
    const open = this.#counts.open(sender, place)
    const hosts = this.#counts.hosts(place).filter(({ worker, load }) => {
      if (refusedBy.has(worker) || this.#isSlow(worker, now)) return false
      return !isHeld || (worker !== sender && isAhead(open, load))
    })
    const host = hosts.find(({ worker }) => !this.#underWay.has(worker))
    if (host !== undefined) {
      pass.isHeld = false
      pass.target = { worker: host.worker, since: now, remindAt: now + PATIENCE }
      this.#underWay.set(host.worker, pass)
      this.#counts.book(host.worker, place, 1)
      return [{ type: 'serve', pass: id, worker: host.worker }]
    }
    const patience = isHeld ? PATIENCE : LAST
    if (now - since < patience && (hosts.length > 0 || !isHeld)) return []
    this.#passes.delete(id)
    return [{ type: isHeld ? 'keep' : 'lost', pass: id }]
  }

  #isSlow(worker: string, now: number): boolean {
    const since = this.#underWay.get(worker)?.target?.since
    return since !== undefined && now - since >= PATIENCE
  }
}
