// Pure: who accepts from which socket of a supervisor. The register knows every socket that workers accept from or may
// take, every worker and every slot. Each event returns what has to be done about it. After every event:
//   A kept socket has a worker that accepts from it, a starting one that may take it, or waits for the next worker of its
//   slot. Otherwise the workers that have a duplicate are asked to release it, and then the supervisor closes its own.
//   A worker that leaves belongs to no slot, and no socket is kept for it alone.
//   A worker that was told to open the one socket of a place answers exactly once, at the latest by its end.
import { Grants } from './grants.js'
import {
  type Action,
  addTo,
  newSocket,
  newWorker,
  open,
  placesOf,
  placesWaiting,
  type RegisteredSocket,
  type SocketEntry,
  type WorkerEntry,
} from './register-entries.js'

export class Register {
  readonly #sockets = new Map<string, SocketEntry>()
  readonly #workers = new Map<string, WorkerEntry>()
  /** The ready worker of each slot; undefined where the slot waits for one. */
  readonly #slots = new Map<number, string | undefined>()
  readonly #grants = new Grants()
  readonly #isShared: () => boolean

  /** @param isShared Whether all workers accept from one socket for each place. */
  constructor(isShared: () => boolean) {
    this.#isShared = isShared
  }

  get sockets(): readonly (RegisteredSocket & {
    readonly accepting: readonly string[]
    readonly offered: readonly string[]
  })[] {
    return [...this.#sockets.values()].map((one) => ({
      ...one,
      accepting: [...one.accepting.keys()],
      offered: [...one.offered],
    }))
  }

  /** @returns the lowest number that no slot has: the number of a new slot. */
  openSlot(): number {
    let slot = 0
    while (this.#slots.has(slot)) slot++
    this.#slots.set(slot, undefined)
    return slot
  }

  /** No worker will start in this slot any more. */
  endSlot(slot: number): readonly Action[] {
    this.#slots.delete(slot)
    return this.#settleAll()
  }

  /** Another process has opened this socket: every worker gets it. */
  given(id: string, place: string): void {
    this.#sockets.set(id, newSocket({ id, place, slot: undefined, isGiven: true, isKept: true }))
  }

  /** A worker starts. @returns the sockets that it gets. */
  started(worker: string, slot: number): readonly string[] {
    const current = this.#current(slot)
    this.#workers.set(worker, newWorker(slot))
    // A worker without an IPC channel cannot hand its sockets over.
    const getsOwn = current === undefined || current.isConnected
    const offered = [...this.#sockets.values()].filter(
      (one) => one.isGiven || (getsOwn && one.slot === slot && one.isKept),
    )
    for (const one of offered) one.offered.add(worker)
    return offered.map(({ id }) => id)
  }

  /** @param isKept Whether the supervisor has a duplicate. */
  listening(worker: string, id: string, place: string, isKept: boolean): readonly Action[] {
    const known = this.#sockets.get(id)
    const entry = this.#workers.get(worker)
    if (entry === undefined || entry.state === 'leaving')
      return known === undefined && isKept ? [{ type: 'close', id }] : []
    const isCommon = this.#isShared() && isKept
    const socket = known ?? newSocket({ id, place, slot: isCommon ? undefined : entry.slot, isGiven: false, isKept })
    this.#sockets.set(id, socket)
    // A worker that gets a common socket counts from then on.
    if (known === undefined || known.slot !== undefined || known.isGiven) addTo(socket.accepting, worker)
    if (known !== undefined) return []
    return this.#grants.opened(place, worker).flatMap((asker) => this.wants(asker.worker, asker.want, place))
  }

  /** A server of the worker has closed, or does not take the socket that it got. A duplicate that the worker got when it started stays: it may listen again. */
  closed(worker: string, id: string): readonly Action[] {
    const socket = this.#sockets.get(id)
    if (socket === undefined) return []
    this.#workers.get(worker)?.asked.delete(id)
    const left = (socket.accepting.get(worker) ?? 0) - 1
    if (left > 0) socket.accepting.set(worker, left)
    else socket.accepting.delete(worker)
    return this.#settle(socket)
  }

  /** A server of the worker wants the one socket of a place. */
  wants(worker: string, want: number, place: string): readonly Action[] {
    if (this.#workers.get(worker)?.state === 'leaving') return []
    const socket = [...this.#sockets.values()].find(
      (one) => one.slot === undefined && one.isKept && one.place === place,
    )
    if (socket === undefined) return open(this.#grants.ask(place, { worker, want }))
    addTo(socket.accepting, worker)
    return [{ type: 'take', worker, want, id: socket.id }]
  }

  /** The worker was told to open the socket of this place, and has not. */
  notOpened(worker: string, place: string): readonly Action[] {
    return open(this.#grants.notOpened(place, worker))
  }

  /** What else is known of a worker. */
  note(worker: string, what: Partial<Pick<WorkerEntry, 'saidReady' | 'hasNested' | 'isConnected'>>): void {
    Object.assign(this.#workers.get(worker) ?? {}, what)
  }

  /** Whether the worker accepts anywhere. */
  accepts(worker: string): boolean {
    const entry = this.#workers.get(worker)
    if (entry === undefined || entry.state === 'leaving') return false
    return entry.hasNested || placesOf(this.#sockets, worker).size > 0
  }

  /**
   * Whether the program said so, or the worker accepts at each place where its predecessor accepts now (without a
   * predecessor: at each place that waits).
   */
  isReady(worker: string): boolean {
    const entry = this.#workers.get(worker)
    if (entry === undefined || entry.state === 'leaving') return false
    if (entry.saidReady) return true
    if (!this.accepts(worker)) return false
    const current = this.#slots.get(entry.slot)
    const required = current === undefined ? placesWaiting(this.#sockets, entry.slot) : placesOf(this.#sockets, current)
    const own = placesOf(this.#sockets, worker)
    return [...required].every(([place, count]) => (own.get(place) ?? 0) >= count)
  }

  /** @returns the sockets that the worker is asked to release: those that it does not accept from. */
  asks(worker: string): readonly string[] {
    const sockets = [...this.#sockets.values()].filter(
      ({ accepting, isGiven, offered }) => !isGiven && offered.has(worker) && !accepting.has(worker),
    )
    for (const { id } of sockets) this.#workers.get(worker)?.asked.add(id)
    return sockets.map(({ id }) => id)
  }

  /** The worker has answered for the sockets `asked`, and has no duplicate of those in `ids`. */
  released(worker: string, asked: readonly string[], ids: readonly string[]): readonly Action[] {
    const sockets = asked.flatMap((id) => this.#sockets.get(id) ?? [])
    // What it keeps it has taken, and tells when it drops that or listens: asked at once, it would say the same.
    for (const socket of sockets.filter(({ id }) => ids.includes(id))) {
      this.#workers.get(worker)?.asked.delete(socket.id)
      socket.offered.delete(worker)
    }
    return sockets.flatMap((socket) => this.#settle(socket))
  }

  /** The worker is now the one of its slot. The slot's worker before leaves next. */
  ready(worker: string): readonly Action[] {
    const entry = this.#workers.get(worker)
    if (entry === undefined) return []
    entry.state = 'ready'
    this.#slots.set(entry.slot, worker)
    const isFull = ![...this.#slots.values()].includes(undefined)
    for (const socket of this.#sockets.values()) {
      if (socket.slot === entry.slot || (socket.slot === undefined && isFull)) socket.waits = false
    }
    return this.#settleAll()
  }

  /**
   * The worker is told to leave. It hands over what others accept from. Of the other sockets it becomes the last holder,
   * and drains them.
   *
   * @param waits Whether its sockets wait for the next worker of its slot.
   */
  leaves(worker: string, waits = false): { readonly handOver: readonly string[]; readonly actions: readonly Action[] } {
    const entry = this.#workers.get(worker)
    if (entry === undefined) return { handOver: [], actions: [] }
    entry.state = 'leaving'
    // Where no worker follows, the slot ends.
    if (waits && this.#slots.get(entry.slot) === worker) this.#slots.set(entry.slot, undefined)
    const left = [...this.#sockets.values()].filter(({ accepting, isGiven }) => isGiven || accepting.has(worker))
    for (const socket of this.#sockets.values()) {
      // A common socket may wait for the worker of another slot.
      if (socket.accepting.delete(worker)) socket.waits = waits || (socket.slot === undefined && socket.waits)
      socket.offered.delete(worker)
    }
    const actions = [...this.#grants.gone(worker).flatMap(open), ...this.#settleAll()]
    const handOver = left.filter(({ id, isKept }) => isKept && this.#sockets.has(id)).map(({ id }) => id)
    return { handOver: entry.isConnected ? handOver : [], actions }
  }

  gone(worker: string): readonly Action[] {
    const entry = this.#workers.get(worker)
    if (entry === undefined) return []
    this.#workers.delete(worker)
    if (this.#slots.get(entry.slot) === worker) this.#slots.set(entry.slot, undefined)
    for (const socket of this.#sockets.values()) {
      socket.offered.delete(worker)
      const isLast = socket.accepting.delete(worker) && (socket.accepting.size === 0 || socket.slot === undefined)
      if (isLast) socket.waits = socket.isKept
    }
    return [...this.#grants.gone(worker).flatMap(open), ...this.#settleAll()]
  }

  #current(slot: number): WorkerEntry | undefined {
    return this.#workers.get(this.#slots.get(slot) ?? '')
  }

  #settleAll(): readonly Action[] {
    return [...this.#sockets.values()].flatMap((socket) => this.#settle(socket))
  }

  /** Lets a socket go that no worker accepts from or can take. */
  #settle(socket: SocketEntry): readonly Action[] {
    const { accepting, id, isGiven, isKept, offered } = socket
    if (isGiven || accepting.size > 0 || this.#waits(socket)) return []
    const holders = [...offered].flatMap((name) => {
      const worker = this.#workers.get(name)
      return worker === undefined ? [] : [{ name, worker }]
    })
    // One that starts may take it until it is ready.
    if (holders.some(({ worker }) => worker.state === 'starting')) return []
    const asked = holders.filter(({ worker }) => !worker.asked.has(id))
    for (const { worker } of asked) worker.asked.add(id)
    if (holders.length > 0) return asked.map(({ name }) => ({ type: 'release', worker: name, ids: [id] }))
    this.#sockets.delete(id)
    return isKept ? [{ type: 'close', id }] : []
  }

  #waits({ slot, waits }: SocketEntry): boolean {
    if (!waits) return false
    if (slot !== undefined) return this.#slots.has(slot) && this.#slots.get(slot) === undefined
    return [...this.#slots.values()].includes(undefined)
  }
}
