// Pure: what a look has to do about one queue.
import type { JoinsBook } from './joins-book.js'
import {
  ANSWER,
  GUESTS,
  type Guest,
  LATE,
  LONGEST_WAIT,
  type Look,
  QUICK,
  type QueueEntry,
  type QueueState,
  SHORTEST_PATIENCE,
} from './joins-entries.js'

const NEVER = Number.POSITIVE_INFINITY

/** @returns the ms to the next look at this queue. */
export function decide(book: JoinsBook, state: QueueState, look: Look): number {
  const queue = book.queue(state.id)
  dismiss(book, queue, look)
  if (queue.state === 'watched') return book.watch(queue, look.now)
  if (queue.state === 'new') return NEVER
  const isEmpty = state.length === 0 && state.owners.length > 0
  if (queue.visit === undefined && isEmpty) return book.watch(queue, look.now)
  const hasAnswered = askOwners(book, queue, state, look)
  if (isEmpty && hasAnswered) {
    const rest = queue.hold - (look.now - (queue.emptySince ?? look.now))
    // A longer hold is looked at less often.
    if (rest > 0) return Math.min(rest, Math.max(2, queue.hold / 4))
    return book.endVisit(queue, look.now)
  }
  // The queue stands again, and its guests are busy or have parted: another visit asks the owner once more.
  const { fresh, serving } = count(queue, look)
  if (hasAnswered && state.owners.length > 0 && fresh + serving === 0) {
    return book.endVisit(queue, look.now)
  }
  if (invite(book, queue, state, look)) queue.wait = 1
  else if (queue.visit === undefined && state.owners.length > 0) return book.watchUnmet(queue, look.now)
  else queue.wait = Math.min(LONGEST_WAIT, queue.wait * 2)
  return queue.wait
}

/** Guests part that are not idle themselves, or that nobody needs. */
function dismiss(book: JoinsBook, queue: QueueEntry, { hosts }: Look): void {
  let stay = 0
  for (const [worker, { state }] of queue.guests) {
    if (state !== 'in' || !hosts.has(worker)) continue
    const isIdle = book.worker(worker).standingAt !== book.looks
    if (queue.state === 'active' && isIdle && stay < GUESTS) stay++
    else book.part(queue, worker)
  }
}

/** Whether each owner has answered since the visit began. An owner that cannot be asked need not answer. */
function askOwners(book: JoinsBook, queue: QueueEntry, { owners }: QueueState, { hosts }: Look): boolean {
  const { visit } = queue
  if (visit === undefined) return false
  let answeredAt = visit.since
  for (const owner of owners) {
    if (!hosts.has(owner)) continue
    const { isPinged, pongedAt } = book.worker(owner)
    if (pongedAt < visit.since) {
      if (!isPinged) book.ping(owner)
      answeredAt = NEVER
    } else answeredAt = Math.max(answeredAt, pongedAt)
  }
  if (answeredAt === NEVER) return false
  if (visit.answeredAt === undefined) {
    visit.answeredAt = answeredAt
    if (answeredAt - visit.since >= LATE) book.budget.giveBack(visit.joins)
  }
  if (owners.length > 0) queue.wasQuick = visit.answeredAt - visit.since <= QUICK
  return true
}

/** Asks workers to join. @returns whether one was asked, or has not answered and still may in time. */
function invite(book: JoinsBook, queue: QueueEntry, state: QueueState, look: Look): boolean {
  const { now } = look
  const isDead = state.owners.length === 0
  if (state.length === 0 && !isDead) return false
  const { fresh, present, serving } = count(queue, look)
  const free = GUESTS - fresh - serving
  let wanted = isDead ? free : Math.min(free, most(book.patience(queue, now), queue, state, now) - fresh)
  let coming = fresh
  for (let here = present; wanted > 0 && book.budget.mayJoin(now); wanted--) {
    const worker = choose(book, queue, state, look)
    if (worker === undefined) break
    if (here + coming >= GUESTS) {
      partOldest(book, queue)
      here--
    }
    book.join(queue, worker, now)
    askOwners(book, queue, state, look)
    coming++
  }
  return coming > 0
}

/** How many more guests the connections that wait are worth. */
function most(patience: number, { visit }: QueueEntry, { length }: QueueState, now: number): number {
  const isDear = patience > SHORTEST_PATIENCE
  if (visit === undefined) return isDear ? 1 : length
  // The owner accepts. Under a load that all workers share, more guests would only change places.
  if (visit.answeredAt !== undefined) return 0
  return isDear && now - visit.since <= Math.max(QUICK, patience) ? 1 : length
}

interface Count {
  /** Asked a moment ago. One that has not answered since is busy and does not count. */
  readonly fresh: number
  readonly present: number
  /** Present, and the queue has not stood since they came. */
  readonly serving: number
}

function count(queue: QueueEntry, { hosts, now }: Look): Count {
  let [fresh, present, serving] = [0, 0, 0]
  for (const [worker, guest] of queue.guests) {
    if (!hosts.has(worker)) continue
    if (guest.state === 'asked' && now - guest.since < ANSWER) fresh++
    if (guest.state !== 'in') continue
    present++
    if (now - Math.max(queue.fullSince ?? now, guest.since) < ANSWER) serving++
  }
  return { fresh, present, serving }
}

function partOldest(book: JoinsBook, queue: QueueEntry): void {
  let oldest: [string, Guest] | undefined
  for (const guest of queue.guests) {
    if (guest[1].state === 'in' && (oldest === undefined || guest[1].since < oldest[1].since)) oldest = guest
  }
  if (oldest !== undefined) book.part(queue, oldest[0])
}

/** A worker that seems idle: the guest of fewest queues, and of those the one that was not asked for the longest time. */
function choose(book: JoinsBook, queue: QueueEntry, { owners, place }: QueueState, look: Look): string | undefined {
  let best: string | undefined
  let [visits, turn] = [GUESTS, NEVER]
  for (const other of look.queues) {
    if (other.place !== place || other.id === queue.id) continue
    for (const name of other.owners) {
      if (!look.hosts.has(name) || owners.includes(name) || queue.guests.has(name)) continue
      const worker = book.worker(name)
      if (worker.isAsked || worker.busyAt === book.looks || worker.restsUntil > look.now) continue
      if (worker.visits > visits || (worker.visits === visits && worker.turn >= turn) || worker.visits >= GUESTS)
        continue
      best = name
      visits = worker.visits
      turn = worker.turn
    }
  }
  return best
}
