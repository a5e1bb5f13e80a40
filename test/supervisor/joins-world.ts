// A supervisor, its watch, workers with event loops, and queues, as a model in steps of 0.05 ms.
import assert from 'node:assert/strict'
import { type JoinAction, Joins } from '../../src/supervisor/joins.js'
import { RELAX } from '../../src/supervisor/joins-entries.js'

export const STEP = 0.05 // ms
const ACCEPT = 0.02 // ms of CPU time for each connection

/** From 0 to 1, the same for each seed. */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Connection {
  readonly arrived: number
  readonly cost: number
}

export class ModelQueue {
  readonly id: string
  readonly place: string
  readonly owners: Set<ModelWorker> = new Set()
  readonly waiting: Connection[] = []
  /** The patience of the watch, and what is left of it; undefined: it is not watched, or has no connections. */
  watchedFor: number | undefined
  left: number | undefined
  /** When the watch looks next, and what it saw before. */
  lookAt = 0
  seen = 0
  /** Since when it has connections although a worker is idle. */
  neglectedSince: number | undefined
  /** Since when it is empty and its owners answer. */
  quietSince = 0

  constructor(id: string, place: string) {
    this.id = id
    this.place = place
  }
}

interface Message {
  readonly at: number
  readonly action: JoinAction
}

export class ModelWorker {
  readonly name: string
  readonly own: ModelQueue[] = []
  /** What it has accepted as a guest, by queue. */
  readonly guestOf: Map<ModelQueue, number> = new Map()
  readonly inbox: Message[] = []
  /** The work of this turn of the loop: what is left of each connection. */
  readonly work: { readonly connection: Connection; left: number }[] = []
  stoppedUntil = 0
  isHost = true
  isDead = false
  /** It never answers `part`. */
  isMute = false
  turns = 0

  constructor(name: string) {
    this.name = name
  }

  get isIdle(): boolean {
    return this.work.length === 0 && !this.isDead
  }
}

export interface Given {
  readonly seed: number
  readonly cpus?: number
  /** One way of a message, in ms. */
  readonly delay?: readonly [number, number]
  readonly isJoining?: boolean
}

export class JoinsWorld {
  readonly joins: Joins
  readonly random: () => number
  readonly workers: ModelWorker[] = []
  readonly queues: ModelQueue[] = []
  /** ms from the arrival of each connection to its end, and to the beginning of its work. */
  readonly times: number[] = []
  readonly waits: number[] = []
  /** When each action was taken. */
  readonly actions: { readonly at: number; readonly action: JoinAction }[] = []
  now = 0
  looks = 0
  /** ms that a connection has waited while a worker was idle; and that a guest stayed though nobody needed it. */
  neglected = 0
  longestStay = 0
  /** Guests that have answered and were not told to part, after a look, of one queue. */
  mostGuests = 0
  guestAccepted = 0
  supervisorStoppedUntil = 0
  readonly #given: Required<Given>
  readonly #byName = new Map<string, ModelWorker>()
  /** What the supervisor knows: the guests that have answered. */
  readonly #known = new Map<string, Set<string>>()
  readonly #events: { readonly at: number; readonly run: () => void }[] = []
  #lookAt: number | undefined = 0
  #lastLook = Number.NEGATIVE_INFINITY
  #names = 0
  #steps = 0

  constructor(given: Given) {
    this.#given = { cpus: Number.POSITIVE_INFINITY, delay: [0.1, 0.5], isJoining: true, ...given }
    this.random = randomOf(given.seed)
    this.joins = new Joins(given.cpus ?? 16)
  }

  /** A worker with a queue of its own for each place. */
  add(places: readonly string[] = ['80']): ModelWorker {
    const worker = new ModelWorker(`w${this.#names++}`)
    this.workers.push(worker)
    this.#byName.set(worker.name, worker)
    for (const place of places) this.addQueue(place, worker)
    return worker
  }

  addQueue(place: string, ...owners: readonly ModelWorker[]): ModelQueue {
    const queue = new ModelQueue(`${place}#${this.#names++}`, place)
    this.queues.push(queue)
    for (const owner of owners) this.own(queue, owner)
    this.#lookSoon()
    return queue
  }

  own(queue: ModelQueue, worker: ModelWorker): void {
    queue.owners.add(worker)
    worker.own.push(queue)
    this.#lookSoon()
  }

  connect(queue: ModelQueue, cost: number): void {
    queue.waiting.push({ arrived: this.now, cost })
  }

  stop(worker: ModelWorker, time: number): void {
    worker.stoppedUntil = Math.max(worker.stoppedUntil, this.now + time)
  }

  /** It ends. Its queues stay, as the supervisor holds them. */
  die(worker: ModelWorker): void {
    worker.isDead = true
    worker.isHost = false
    worker.work.length = 0
    worker.inbox.length = 0
    worker.guestOf.clear()
    for (const guests of this.#known.values()) guests.delete(worker.name)
    this.workers.splice(this.workers.indexOf(worker), 1)
    for (const queue of worker.own) queue.owners.delete(worker)
    this.joins.gone(worker.name)
    this.#lookSoon()
  }

  /** It was told to leave: it parts from its guests' queues, and its own queue leaves the group when it is empty. */
  leave(worker: ModelWorker): void {
    worker.isHost = false
    for (const guests of this.#known.values()) guests.delete(worker.name)
    this.joins.gone(worker.name)
    for (const [queue, accepted] of worker.guestOf) this.#tell(() => this.#parted(worker, queue, accepted))
    worker.guestOf.clear()
    this.#lookSoon()
  }

  remove(queue: ModelQueue): void {
    this.queues.splice(this.queues.indexOf(queue), 1)
    for (const owner of queue.owners) owner.own.splice(owner.own.indexOf(queue), 1)
    this.#act(this.joins.removed(queue.id))
  }

  guests(queue: ModelQueue): readonly ModelWorker[] {
    return this.workers.filter(({ guestOf }) => guestOf.has(queue))
  }

  run(time: number, each: () => void = () => {}): void {
    for (const end = this.now + time; this.now < end; ) {
      each()
      this.step()
    }
  }

  step(): void {
    this.now += STEP
    for (let index = 0; index < this.#events.length; ) {
      const event = this.#events[index] as { readonly at: number; readonly run: () => void }
      if (event.at > this.now) index++
      else {
        this.#events.splice(index, 1)
        event.run()
      }
    }
    for (const queue of this.queues) this.#watch(queue)
    if (this.#lookAt !== undefined && this.now >= this.#lookAt && this.now >= this.supervisorStoppedUntil) this.#look()
    this.#work()
    this.#steps++
    // Each ms: it looks at each pair.
    if (!this.#given.isJoining || this.#steps % 20 !== 0) return
    const idle = this.workers.filter((worker) => worker.isHost && worker.isIdle && this.#runs(worker))
    for (const queue of this.queues) this.#measure(queue, idle)
  }

  #watch(queue: ModelQueue): void {
    const { watchedFor, waiting } = queue
    if (watchedFor === undefined) return
    const pause = Math.max(1, Math.min(8, Math.floor(watchedFor / 4)))
    if (queue.left === undefined) {
      if (waiting.length === 0) return
      queue.left = watchedFor
      queue.seen = 0
    } else {
      if (this.now < queue.lookAt) return
      if (waiting.length === 0) {
        queue.left = undefined
        return
      }
      queue.left = waiting.length < queue.seen ? watchedFor : queue.left - pause
      queue.seen = waiting.length
      if (queue.left <= 0) {
        queue.watchedFor = undefined
        this.#tell(() => this.joins.stands(queue.id, this.now))
      }
    }
    queue.lookAt = this.now + pause
  }

  /** The supervisor hears something, and looks. */
  #tell(what: () => void): void {
    const hear = (): void => {
      if (this.now < this.supervisorStoppedUntil) this.#events.push({ at: this.supervisorStoppedUntil, run: hear })
      else {
        what()
        this.#lookSoon()
      }
    }
    this.#events.push({ at: this.now + this.#delay(), run: hear })
  }

  #lookSoon(): void {
    // Not more than one look for each half of a ms.
    this.#lookAt = Math.min(this.#lookAt ?? Number.POSITIVE_INFINITY, Math.max(this.now, this.#lastLook + 0.5))
  }

  #look(): void {
    if (!this.#given.isJoining) return
    this.looks++
    this.#lastLook = this.now
    const queues = this.queues.map(({ id, owners, place, waiting }) => {
      return { id, place, length: waiting.length, owners: [...owners].map(({ name }) => name) }
    })
    const hosts = new Set(this.workers.filter(({ isHost }) => isHost).map(({ name }) => name))
    const { actions, next } = this.joins.look({ queues, hosts, now: this.now })
    assert.ok(next === undefined || (next > 0 && next <= RELAX))
    this.#lookAt = next === undefined ? undefined : this.now + next
    this.#act(actions)
    for (const guests of this.#known.values()) this.mostGuests = Math.max(this.mostGuests, guests.size)
  }

  #guests(id: string): Set<string> {
    const known = this.#known.get(id) ?? new Set()
    this.#known.set(id, known)
    return known
  }

  #act(actions: readonly JoinAction[]): void {
    for (const action of actions) {
      this.actions.push({ at: this.now, action })
      if (action.type === 'watch') {
        const queue = this.queues.find(({ id }) => id === action.id) as ModelQueue
        queue.watchedFor = action.patience
        queue.left = undefined
        continue
      }
      const worker = this.#byName.get(action.worker) as ModelWorker
      assert.ok(!worker.isDead && (worker.isHost || action.type === 'part'))
      if (action.type === 'part') this.#guests(action.id).delete(worker.name)
      // In their order.
      const at = Math.max(this.now + this.#delay(), worker.inbox.at(-1)?.at ?? 0)
      worker.inbox.push({ at, action })
    }
  }

  #delay(): number {
    const [least, most] = this.#given.delay
    return least + this.random() * (most - least)
  }

  #runs(worker: ModelWorker): boolean {
    return this.now >= worker.stoppedUntil
  }

  /** The CPUs are shared among the workers that have work. */
  #work(): void {
    let running = 0
    for (const worker of this.workers) {
      if (!this.#runs(worker)) continue
      if (worker.work.length === 0) this.#turn(worker)
      if (worker.work.length > 0) running++
    }
    const share = Math.min(1, this.#given.cpus / running) * STEP
    for (const worker of this.workers) if (worker.work.length > 0 && this.#runs(worker)) this.#compute(worker, share)
  }

  #compute(worker: ModelWorker, share: number): void {
    for (let left = share; left > 0 && worker.work.length > 0; ) {
      const job = worker.work[0] as { readonly connection: Connection; left: number }
      const part = Math.min(left, job.left)
      if (job.left === job.connection.cost + ACCEPT) this.waits.push(this.now - job.connection.arrived)
      left -= part
      job.left -= part
      if (job.left > 1e-9) return
      worker.work.shift()
      this.times.push(this.now - job.connection.arrived)
    }
  }

  /** A turn of the loop: messages, and one connection of each listener, in any order. */
  #turn(worker: ModelWorker): void {
    worker.turns++
    const isFirst = this.random() < 0.5
    if (isFirst) this.#read(worker)
    for (const queue of worker.own) this.#accept(worker, queue)
    for (const queue of worker.guestOf.keys()) {
      if (!this.#accept(worker, queue)) continue
      worker.guestOf.set(queue, (worker.guestOf.get(queue) ?? 0) + 1)
      this.guestAccepted++
    }
    if (!isFirst) this.#read(worker)
  }

  #accept(worker: ModelWorker, queue: ModelQueue): boolean {
    const connection = queue.waiting.shift()
    if (connection === undefined) return false
    worker.work.push({ connection, left: connection.cost + ACCEPT })
    return true
  }

  #read(worker: ModelWorker): void {
    while ((worker.inbox[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) {
      const { action } = worker.inbox.shift() as Message
      if (action.type === 'ping') this.#tell(() => this.joins.ponged(worker.name, this.now))
      if (action.type === 'join') this.#join(worker, action.id)
      if (action.type !== 'part' || worker.isMute) continue
      const queue = [...worker.guestOf.keys()].find(({ id }) => id === action.id)
      // It has parted by itself, and said so.
      if (queue !== undefined) this.#parted(worker, queue, worker.guestOf.get(queue) ?? 0)
    }
  }

  #join(worker: ModelWorker, id: string): void {
    const queue = this.queues.find((one) => one.id === id)
    const isTaken = worker.isHost && queue !== undefined
    if (queue !== undefined && isTaken) {
      assert.ok(!worker.guestOf.has(queue))
      worker.guestOf.set(queue, 0)
    }
    this.#tell(() => {
      this.joins.joined(worker.name, id, isTaken, this.now)
      if (isTaken && worker.isHost && this.queues.includes(queue)) this.#guests(id).add(worker.name)
    })
  }

  #parted(worker: ModelWorker, queue: ModelQueue, accepted: number): void {
    worker.guestOf.delete(queue)
    this.#tell(() => {
      this.#guests(queue.id).delete(worker.name)
      this.joins.parted(worker.name, queue.id, accepted, this.now)
    })
  }

  /** How long a connection waits although a worker of the same place does nothing, and how long guests stay. */
  #measure(queue: ModelQueue, idle: readonly ModelWorker[]): void {
    if (queue.waiting.length === 0) queue.neglectedSince = undefined
    else if (!idle.some(({ own }) => own.some(({ place }) => place === queue.place))) queue.neglectedSince = undefined
    else {
      queue.neglectedSince ??= this.now
      this.neglected = Math.max(this.neglected, this.now - queue.neglectedSince)
    }
    const answers = queue.owners.size > 0 && [...queue.owners].every((one) => one.isIdle && this.#runs(one))
    if (queue.waiting.length > 0 || !answers || this.now < this.supervisorStoppedUntil) queue.quietSince = this.now
    for (const guest of idle) {
      if (!guest.guestOf.has(queue) || guest.isMute) continue
      // One that was stopped has not heard yet that it is to part.
      const since = Math.max(queue.quietSince, guest.stoppedUntil)
      this.longestStay = Math.max(this.longestStay, this.now - since)
    }
  }
}

export function statistics(times: readonly number[]): { mean: number; p99: number; deviation: number } {
  const sorted = times.toSorted((one, other) => one - other)
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  const deviation = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / times.length)
  return { mean, p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, deviation }
}
