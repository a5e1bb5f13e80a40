// Gives workers the sockets of others whose guests they are, and counts what they do there. When a guest accepts, it decides
// itself (supervised/guests.ts): it goes on also where the event loop of this process stands still, or this process does.
import { getSystemErrorName } from 'node:util'
import { QueueWatch } from '../native/queue-watch.js'
import { type GuestAction, GuestList } from './guest-list.js'
import type { JoinCounts } from './join-counts.js'
import type { Kept } from './kept-socket.js'
import type { FromWorker, ToWorker } from './protocol.js'

/** ms for the guests of a socket to close it, before its last holder drains it. */
const PARTS = 1000
/** ms. A queue that stands for so long, although others may accept from it, is counted so much. */
const STANDING = 50

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

export interface JoiningSource<Worker extends Host> {
  /** Anew only after `changed`. */
  queues(): readonly KeptQueue[]
  /** Whether clients stay with their worker. While it lives its queue has no guest: another worker would not know their sessions. */
  readonly isSticky?: boolean
  /** Workers that are ready, reachable, and not told to leave. */
  hosts(): readonly Worker[]
  /** @param accepted The visit of the worker has ended, and it had accepted so many connections; undefined: the visit begins. */
  onGuest(worker: Worker, queue: KeptQueue, accepted: number | undefined): void
}

export class QueueJoining<Worker extends Host> {
  readonly #list = new GuestList()
  readonly #source: JoiningSource<Worker>
  readonly #watch: Watch
  readonly #counts: JoinCounts
  readonly #now: () => number
  /** Visits that are under way, by worker and socket. */
  readonly #visits = new Map<string, Map<string, KeptQueue>>()
  readonly #waits = new Set<() => void>()
  readonly #armed = new Set<string>()
  /** Sockets that get no more guests. */
  readonly #parted = new Set<string>()
  #queues: readonly KeptQueue[] | undefined
  #timer: NodeJS.Timeout | undefined
  #isDue = false
  #isClosed = false

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
    this.#source = source
    this.#watch = watch
    this.#counts = counts
    this.#now = now
  }

  /** The sockets or who accepts from them have changed. What changes in one turn is looked at once. */
  changed(): void {
    this.#queues = undefined
    if (this.#isDue || this.#isClosed) return
    this.#isDue = true
    setImmediate(() => this.#look())
  }

  hear(worker: Worker, message: FromWorker & { readonly type: 'joined' | 'parted' | 'visits' }): void {
    const { name } = worker
    if (message.type === 'visits') {
      for (const id of message.begun) this.#begun(worker, id)
      for (const { id, accepted } of message.ended) this.#ended(worker, id, accepted)
      return
    }
    if (message.type === 'joined') this.#list.joined(name, message.id, message.isTaken, this.#now())
    else {
      this.#ended(worker, message.id, 0)
      this.#list.parted(name, message.id)
    }
    this.changed()
    this.#tellWaits()
  }

  /** The worker has ended, or is told to leave: it parts by itself. @param isGone Whether it has ended. */
  leaves(name: string, isGone: boolean): void {
    if (isGone) {
      this.#list.gone(name)
      this.#visits.delete(name)
    }
    this.changed()
    this.#tellWaits()
  }

  /** The supervisor closes its duplicate of the socket. */
  closing({ fd, id }: Kept): void {
    this.#watch.disarm(fd)
    this.#armed.delete(id)
    this.#parted.delete(id)
    this.#do(this.#list.removed(id))
    this.changed()
  }

  /** Tells the guests of these sockets to part; no others come. @returns undefined where there are none; resolves when all have, or late. */
  part(ids: readonly string[]): Promise<void> | undefined {
    const left = (): boolean => ids.some((id) => this.#list.of(id).length > 0)
    for (const id of ids) {
      this.#parted.add(id)
      this.#do(this.#list.removed(id))
    }
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

  /** A worker listens on the socket: after `part`, it may have guests again. */
  listens(id: string): void {
    this.#parted.delete(id)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#watch.close()
  }

  /** The watch reports: nothing was accepted from the queue of this descriptor for `STANDING` ms. */
  stands(fd: number): void {
    const queue = this.#all().find(({ kept }) => kept.fd === fd)
    if (queue === undefined || this.#isClosed) return
    this.#counts.stood(queue.kept.id, STANDING)
    this.#watch.arm(fd, STANDING)
  }

  #all(): readonly KeptQueue[] {
    this.#queues ??= this.#source.queues()
    return this.#queues
  }

  #look(): void {
    this.#isDue = false
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const queues = this.#all().map(({ kept, owners, slot }) => {
      if (!this.#armed.has(kept.id)) this.#watch.arm(kept.fd, STANDING)
      this.#armed.add(kept.id)
      return { id: kept.id, place: placeOf(kept), slot, owners, isOpen: this.#isOpen(kept, owners) }
    })
    const hosts = new Set(this.#source.hosts().map(({ name }) => name))
    const { actions, next } = this.#list.look(queues, hosts, this.#now())
    this.#do(actions)
    if (next !== undefined) this.#timer = setTimeout(() => this.#look(), next).unref()
  }

  #isOpen({ id }: Kept, owners: readonly string[]): boolean {
    return !this.#parted.has(id) && (this.#source.isSticky !== true || owners.length === 0)
  }

  #do(actions: readonly GuestAction[]): void {
    if (actions.length === 0) return
    const queues = new Map(this.#all().map((queue) => [queue.kept.id, queue]))
    const hosts = new Map(this.#source.hosts().map((host) => [host.name, host]))
    for (const { type, worker, id } of actions) {
      const host = hosts.get(worker)
      const kept = queues.get(id)?.kept
      if (type === 'part') host?.send({ type: 'part', id })
      else if (kept !== undefined) host?.sendSocket({ type: 'join', id, wish: kept.wish }, kept)
    }
  }

  #begun(worker: Worker, id: string): void {
    const { name } = worker
    const queue = this.#all().find(({ kept }) => kept.id === id)
    const visits = this.#visits.get(name) ?? new Map<string, KeptQueue>()
    if (queue === undefined || visits.has(id) || !this.#list.has(name, id)) return
    this.#visits.set(name, visits.set(id, queue))
    this.#counts.joined(name)
    this.#source.onGuest(worker, queue, undefined)
  }

  #ended(worker: Worker, id: string, accepted: number): void {
    const queue = this.#visits.get(worker.name)?.get(id)
    if (queue === undefined) return
    this.#visits.get(worker.name)?.delete(id)
    this.#counts.accepted(worker.name, accepted)
    this.#source.onGuest(worker, queue, accepted)
  }

  #tellWaits(): void {
    for (const look of this.#waits) look()
  }
}

function placeOf({ port, wish }: Kept): string {
  return JSON.stringify([wish.address, port, wish.ipv6Only, wish.options])
}
