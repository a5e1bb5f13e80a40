// Pure: what the supervisor knows of queues, workers and joins, and what each action changes in it.
import { DEAREST, JoinBudget } from './join-budget.js'
import {
  type JoinAction,
  LONGEST_HOLD,
  LONGEST_PATIENCE,
  newQueue,
  newWorker,
  type QueueEntry,
  RELAX,
  SHORTEST_HOLD,
  SHORTEST_PATIENCE,
  SOON,
  type WorkerEntry,
} from './joins-entries.js'

export class JoinsBook {
  readonly queues: Map<string, QueueEntry> = new Map()
  readonly workers: Map<string, WorkerEntry> = new Map()
  /** The number of this look. */
  looks = 0
  actions: JoinAction[] = []
  readonly budget: JoinBudget

  constructor(cpus: number) {
    this.budget = new JoinBudget(cpus)
  }

  queue(id: string): QueueEntry {
    const known = this.queues.get(id)
    if (known !== undefined) return known
    const queue = newQueue(id)
    this.queues.set(id, queue)
    return queue
  }

  worker(name: string): WorkerEntry {
    const known = this.workers.get(name)
    if (known !== undefined) return known
    const worker = newWorker()
    this.workers.set(name, worker)
    return worker
  }

  activate(queue: QueueEntry): void {
    queue.state = 'active'
    queue.wait = 1
  }

  /** ms for which the queue must have stood. */
  patience(queue: QueueEntry, now: number): number {
    return Math.max(queue.patience, queue.unmet, this.budget.patience(this.queues.size, now))
  }

  /** @returns the ms to the next look at this queue. */
  watch(queue: QueueEntry, now: number): number {
    const patience = this.patience(queue, now)
    const isCheaper = patience <= Math.max(queue.patience, queue.watchedFor / 2) && patience < queue.watchedFor
    if (queue.state !== 'watched' || isCheaper) {
      queue.state = 'watched'
      queue.watchedFor = patience
      this.actions.push({ type: 'watch', id: queue.id, patience })
    }
    return queue.watchedFor > queue.patience ? RELAX : Number.POSITIVE_INFINITY
  }

  /** The queue stands and nobody is idle: the watch looks again, less often each time. */
  watchUnmet(queue: QueueEntry, now: number): number {
    queue.unmet = Math.min(DEAREST, 2 * Math.max(queue.unmet, queue.patience))
    return this.watch(queue, now)
  }

  join(queue: QueueEntry, worker: string, now: number): void {
    const entry = this.worker(worker)
    this.budget.pay(now)
    entry.turn = this.budget.turns
    entry.isAsked = true
    entry.visits++
    queue.unmet = 0
    queue.guests.set(worker, { state: 'asked', since: now, isCounted: false })
    this.actions.push({ type: 'join', worker, id: queue.id })
    if (queue.visit !== undefined) {
      queue.visit.joins++
      return
    }
    const pause = now - queue.visitedUntil
    if (pause < SOON) queue.hold = Math.min(LONGEST_HOLD, queue.hold * 2)
    else queue.hold = pause < 10 * SOON ? Math.max(SHORTEST_HOLD, queue.hold / 2) : SHORTEST_HOLD
    queue.visit = { since: now, joins: 1, answeredAt: undefined }
    queue.wasQuick = false
  }

  part(queue: QueueEntry, worker: string): void {
    const guest = queue.guests.get(worker)
    if (guest?.state !== 'in') return
    guest.state = 'parting'
    this.actions.push({ type: 'part', worker, id: queue.id })
  }

  ping(worker: string): void {
    this.worker(worker).isPinged = true
    this.actions.push({ type: 'ping', worker })
  }

  /** The worker is no guest of the queue any more. */
  forget(worker: string, queue: QueueEntry): void {
    const entry = this.workers.get(worker)
    if (queue.guests.delete(worker) && entry !== undefined) entry.visits--
  }

  /** All guests part, and the queue is watched again. @returns see `watch`. */
  endVisit(queue: QueueEntry, now: number): number {
    for (const worker of queue.guests.keys()) this.part(queue, worker)
    queue.visit = undefined
    queue.visitedUntil = now
    return this.watch(queue, now)
  }

  /** When the last guest of a visit has parted: visits that are of no use become rare. */
  judge(queue: QueueEntry): void {
    if (queue.visit !== undefined) return
    for (const { isCounted } of queue.guests.values()) if (isCounted) return
    const isUseful = queue.wasUseful && !queue.wasQuick
    queue.patience = isUseful ? SHORTEST_PATIENCE : Math.min(LONGEST_PATIENCE, queue.patience * 2)
    queue.wasUseful = false
  }
}
