// Carries out who joins whose queue: looks at the queues, tells workers to join and to part, and counts.
import { getSystemErrorName } from 'node:util'
import { QueueWatch } from '../native/queue-watch.js'
import { automaticWorkers } from './automatic-workers.js'
import type { JoinCounts } from './join-counts.js'
import { type JoinAction, Joins } from './joins.js'
import type { Kept } from './kept-socket.js'
import type { FromWorker, ToWorker } from './protocol.js'

/** ms for the guests of a socket to close it, before its last holder drains it. */
const PARTS = 1000

/** A socket that one worker accepts from, or that waits for the next worker of its slot. */
export interface KeptQueue {
  readonly kept: Kept
  readonly slot: number
  /** The names of the workers that accept from it. */
  readonly owners: readonly string[]
}

/** What a worker is to this file. */
export interface Host {
  readonly name: string
  send(message: ToWorker): void
  sendSocket(message: ToWorker & { readonly type: 'join' }, kept: Kept): void
}

/** Looks at accept queues. See `native/queue-watch`. */
export interface Watch {
  /** From now on, one report where nothing is accepted for `patience` ms although connections wait. */
  arm(fd: number, patience: number): unknown
  disarm(fd: number): void
  close(): void
}

export interface AcceptQueue {
  readonly waiting: number
  readonly limit: number
}

export interface JoiningSource<Worker extends Host> {
  queueOf(fd: number): AcceptQueue | undefined
  /** Anew only after `changed`. */
  queues(): readonly KeptQueue[]
  /** Whether clients stay with their worker. While it lives nobody joins its queue: another one would not know their sessions. */
  readonly isSticky?: boolean
  /** Workers that are ready, reachable, and not told to leave. */
  hosts(): readonly Worker[]
  /** @param accepted The worker has parted, and had accepted so many connections; undefined: it has joined. */
  onGuest(worker: Worker, queue: KeptQueue, accepted: number | undefined): void
}

interface Guests<Worker> {
  readonly queue: KeptQueue
  readonly workers: Map<string, Worker>
}

export class QueueJoining<Worker extends Host> {
  readonly #joins: Joins
  readonly #source: JoiningSource<Worker>
  readonly #watch: Watch
  readonly #counts: JoinCounts
  readonly #now: () => number
  readonly #guests = new Map<string, Guests<Worker>>()
  readonly #waits = new Set<() => void>()
  #queues: readonly KeptQueue[] | undefined
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  #isClosed = false
  #pings = 0

  /** @returns undefined where this system does not tell how many connections wait. */
  static open<Worker extends Host>(
    source: JoiningSource<Worker>,
    counts: JoinCounts,
    warn: (message: string) => void,
  ): QueueJoining<Worker> | undefined {
    const watch = QueueWatch.open((fd) => joining?.stands(fd))
    const joining = watch instanceof QueueWatch ? new QueueJoining(source, watch, counts) : undefined
    if (watch !== undefined && !(watch instanceof QueueWatch))
      warn(`no worker accepts for another one that is busy: ${watch.syscall} ${getSystemErrorName(watch.errno)}`)
    return joining
  }

  constructor(
    source: JoiningSource<Worker>,
    watch: Watch,
    counts: JoinCounts,
    now: () => number = () => performance.now(),
  ) {
    this.#joins = new Joins(automaticWorkers().workers)
    this.#source = source
    this.#counts = counts
    this.#now = now
    this.#watch = watch
  }

  /** The sockets or who accepts from them have changed. */
  changed(): void {
    this.#queues = undefined
    this.#lookSoon()
  }

  hear(worker: Worker, message: FromWorker & { readonly type: 'joined' | 'parted' | 'pong' }): void {
    const { name } = worker
    const now = this.#now()
    this.#lookSoon()
    if (message.type === 'pong') this.#joins.ponged(name, now)
    else if (message.type === 'joined') {
      this.#joins.joined(name, message.id, message.isTaken, now)
      const queue = this.#guests.get(message.id)?.queue
      if (message.isTaken && queue !== undefined) {
        this.#counts.joined(name)
        this.#source.onGuest(worker, queue, undefined)
      } else this.#forget(name, message.id)
    } else {
      this.#joins.parted(name, message.id, message.accepted, now)
      this.#counts.accepted(name, message.accepted)
      const queue = this.#guests.get(message.id)?.queue
      if (queue !== undefined) this.#source.onGuest(worker, queue, message.accepted)
      this.#forget(name, message.id)
    }
  }

  /** The worker has ended, or is told to leave: it parts by itself. @param isGone Whether it has ended. */
  leaves(name: string, isGone: boolean): void {
    this.#joins.gone(name)
    if (isGone) for (const id of [...this.#guests.keys()]) this.#forget(name, id)
    this.changed()
  }

  /** The supervisor closes its duplicate of the socket. */
  closing({ fd, id }: Kept): void {
    this.#watch.disarm(fd)
    this.#counts.empty(id, this.#now())
    this.#do(this.#joins.removed(id))
    this.changed()
  }

  /** Tells the guests of these sockets to part. @returns undefined where there are none; resolves when all have, or late. */
  part(ids: readonly string[]): Promise<void> | undefined {
    const left = (): boolean => ids.some((id) => (this.#guests.get(id)?.workers.size ?? 0) > 0)
    for (const id of ids) this.#do(this.#joins.removed(id))
    if (!left()) return undefined
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#waits.delete(look)
        resolve()
      }
      const look = (): void => {
        if (!left()) end()
      }
      const timer = setTimeout(end, PARTS)
      this.#waits.add(look)
    })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#watch.close()
  }

  /** The watch reports: connections wait in the queue of this descriptor. */
  stands(fd: number): void {
    const id = this.#all().find(({ kept }) => kept.fd === fd)?.kept.id
    if (id === undefined) return
    this.#joins.stands(id, this.#now())
    this.#counts.stands(id, this.#now())
    this.#look()
  }

  /** What changes in one turn is looked at once. */
  #lookSoon(): void {
    if (this.#isDue || this.#isClosed) return
    this.#isDue = true
    setImmediate(() => this.#look())
  }

  #mayJoin(owners: readonly string[]): boolean {
    return this.#source.isSticky !== true || owners.length === 0
  }

  #all(): readonly KeptQueue[] {
    this.#queues ??= this.#source.queues()
    return this.#queues
  }

  #look(): void {
    this.#isDue = false
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const now = this.#now()
    const queues = this.#all().map(({ kept, owners }) => {
      const length = this.#mayJoin(owners) ? (this.#source.queueOf(kept.fd)?.waiting ?? 0) : 0
      if (length === 0) this.#counts.empty(kept.id, now)
      return { id: kept.id, place: placeOf(kept), length, owners }
    })
    const hosts = new Set(this.#source.hosts().map(({ name }) => name))
    const { actions, next } = this.#joins.look({ queues, hosts, now })
    this.#do(actions)
    if (next !== undefined) this.#timer = setTimeout(() => this.#look(), next).unref()
  }

  #do(actions: readonly JoinAction[]): void {
    if (actions.length === 0) return
    const queues = new Map(this.#all().map((queue) => [queue.kept.id, queue]))
    const hosts = new Map(this.#source.hosts().map((host) => [host.name, host]))
    for (const action of actions) {
      const queue = 'id' in action ? queues.get(action.id) : undefined
      const host = 'worker' in action ? hosts.get(action.worker) : undefined
      if (action.type === 'watch') {
        if (queue !== undefined && this.#mayJoin(queue.owners)) this.#watch.arm(queue.kept.fd, action.patience)
      } else if (action.type === 'ping') host?.send({ type: 'ping', ping: this.#pings++ })
      else if (action.type === 'part') host?.send({ type: 'part', id: action.id })
      else if (host !== undefined && queue !== undefined) this.#join(host, queue)
    }
  }

  #join(host: Worker, queue: KeptQueue): void {
    const { kept } = queue
    const guests = this.#guests.get(kept.id) ?? { queue, workers: new Map() }
    this.#guests.set(kept.id, guests)
    guests.workers.set(host.name, host)
    const backlog = this.#source.queueOf(kept.fd)?.limit ?? 0
    host.sendSocket({ type: 'join', id: kept.id, wish: kept.wish, backlog }, kept)
  }

  #forget(name: string, id: string): void {
    const guests = this.#guests.get(id)
    guests?.workers.delete(name)
    if (guests?.workers.size === 0) this.#guests.delete(id)
    for (const look of this.#waits) look()
  }
}

function placeOf({ port, wish }: Kept): string {
  return JSON.stringify([wish.address, port, wish.ipv6Only, wish.options])
}
