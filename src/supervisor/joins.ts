// Pure: who joins whose queue. A queue stands where its owner does not accept: its event loop is busy or stopped, or it has
// died. Workers whose own queues are empty join it then as guests, and part when it is empty and its owner answers.
//   A queue that is not active is watched, and no look is made for it. An active one is looked at until its visit is over.
//   A visit begins with the first join, which pings the owners, and ends where each of them has answered and no look of
//   `hold` ms saw a connection. A guest that answers a join when the visit is over, or when it is not needed, parts.
//   A queue has at most three guests, a guest at most three queues, and a worker at most one join without an answer.
import { JoinsBook } from './joins-book.js'
import { decide } from './joins-decision.js'
import { type JoinAction, type Look, type QueueState, REST, STANDING } from './joins-entries.js'

export { JOINS_PER_SECOND } from './join-budget.js'
export type { JoinAction, Look, QueueState } from './joins-entries.js'

/** A look follows each event, at once or a little later; otherwise the looks follow `next`. Times are in ms of one clock. */
export class Joins {
  readonly #book: JoinsBook

  /** @param cpus That the workers may use: so many joins a second are worth their price. */
  constructor(cpus: number) {
    this.#book = new JoinsBook(cpus)
  }

  /** The watch has reported that the queue has stood for the patience that it was watched with. */
  stands(id: string, now: number): void {
    const queue = this.#book.queues.get(id)
    if (queue?.state !== 'watched') return
    this.#book.budget.reported(now)
    this.#book.activate(queue)
  }

  /** The answer to `join`. */
  joined(worker: string, id: string, isTaken: boolean, now: number): void {
    const entry = this.#book.workers.get(worker)
    if (entry !== undefined) entry.isAsked = false
    const queue = this.#book.queues.get(id)
    const guest = queue?.guests.get(worker)
    if (queue === undefined || guest?.state !== 'asked') return
    guest.state = 'in'
    guest.since = now
    guest.isCounted = queue.visit !== undefined
    if (isTaken) return
    this.#book.forget(worker, queue)
    if (entry !== undefined) entry.restsUntil = now + REST
  }

  /** The answer to `part`, or the guest has parted by itself. `accepted`: its connections from that queue. */
  parted(worker: string, id: string, accepted: number, now: number): void {
    const queue = this.#book.queues.get(id)
    const guest = queue?.guests.get(worker)
    if (queue === undefined || guest === undefined || guest.state === 'asked') return
    this.#book.forget(worker, queue)
    if (!guest.isCounted) return
    if (accepted > 0) queue.wasUseful = true
    if (queue.visit === undefined) queue.visitedUntil = now
    this.#book.judge(queue)
  }

  /** The answer to `ping`, or to any other ping: the loop of the worker has turned. */
  ponged(worker: string, now: number): void {
    const entry = this.#book.workers.get(worker)
    if (entry === undefined) return
    entry.isPinged = false
    entry.pongedAt = now
  }

  /** The worker has ended, has closed its channel, or was told to leave: nothing is asked of it any more. */
  gone(worker: string): void {
    for (const queue of this.#book.queues.values()) this.#book.forget(worker, queue)
    this.#book.workers.delete(worker)
  }

  /** The socket leaves the supervisor. */
  removed(id: string): readonly JoinAction[] {
    const queue = this.#book.queues.get(id)
    if (queue === undefined) return []
    const guests = [...queue.guests]
    for (const [worker] of guests) this.#book.forget(worker, queue)
    this.#book.queues.delete(id)
    return guests.flatMap(([worker, { state }]) => (state === 'parting' ? [] : { type: 'part', worker, id }))
  }

  /** @returns what is to be done, and the ms to the next look; undefined: the next look follows an event. */
  look(look: Look): { readonly actions: readonly JoinAction[]; readonly next: number | undefined } {
    const book = this.#book
    book.actions = []
    book.looks++
    for (const state of look.queues) this.#see(state, look.now)
    let next = Number.POSITIVE_INFINITY
    for (const state of look.queues) next = Math.min(next, decide(book, state, look))
    return { actions: book.actions, next: Number.isFinite(next) ? next : undefined }
  }

  #see({ id, length, owners }: QueueState, now: number): void {
    const book = this.#book
    const queue = book.queue(id)
    if (length === 0) {
      queue.fullSince = undefined
      queue.unmet = 0
      queue.emptySince ??= now
    } else {
      queue.emptySince = undefined
      queue.fullSince ??= now
      const isStanding = now - queue.fullSince >= STANDING
      for (const owner of owners) {
        const worker = book.worker(owner)
        worker.busyAt = book.looks
        if (isStanding) worker.standingAt = book.looks
      }
    }
    if (owners.length === 0 && queue.hadOwners && queue.state !== 'active') book.activate(queue)
    else if (queue.state === 'new') book.watch(queue, now)
    queue.hadOwners = owners.length > 0
  }
}
