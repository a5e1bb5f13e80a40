// Pure: who accepts from which socket of a supervisor. The register knows every socket that workers accept from or may
// take, every worker and every slot. Each event returns what has to be done about it. After every event:
//   A kept socket has a worker that accepts from it, a starting one that may take it, or waits for the next worker of its
//   slot. Otherwise the workers that have a duplicate are asked to release it, and then the supervisor closes its own.
//   A worker that leaves belongs to no slot, and no socket is kept for it alone. A socket that it has handed over and that
//   nobody else accepts from any more goes back to it, if it still drains: it accepts again, and is the last holder.
//   A worker that was told to open the one socket of a place answers exactly once, at the latest by its end.
import { type Asker, Grants } from './grants.js'
import {
  type Action,
  addTo,
  newSocket,
  newWorker,
  open,
  type SocketEntry,
  type SocketState,
  stateOf,
  type WorkerEntry,
} from './register-entries.js'
import { accepts, isReady } from './register-readiness.js'
import { settle } from './register-settling.js'
import { Slots } from './register-slots.js'

export class Register {
  readonly #sockets = new Map<string, SocketEntry>()
  readonly #workers = new Map<string, WorkerEntry>()
  readonly #slots = new Slots()
  readonly #grants = new Grants()
  readonly #isShared: () => boolean

  /** @param isShared Whether all workers accept from one socket for each place. */
  constructor(isShared: () => boolean) {
    this.#isShared = isShared
  }

  get sockets(): readonly SocketState[] {
    return [...this.#sockets.values()].map(stateOf)
  }

  /** @returns the number of a new slot. */
  openSlot(): number {
    return this.#slots.open()
  }

  /** No worker will start in this slot any more. */
  endSlot(slot: number): readonly Action[] {
    this.#slots.end(slot)
    return this.#settleAll()
  }

  /** Another process has opened this socket: every worker gets it. Not `isGiven`: those that want its place. */
  given(id: string, place: string, isGiven = true): void {
    this.#sockets.set(id, newSocket({ id, place, slot: undefined, isGiven, isKept: true }))
  }

  /** A worker starts. @returns the sockets that it gets. */
  started(worker: string, slot: number): readonly string[] {
    const current = this.#current(slot)
    this.#workers.set(worker, newWorker(slot))
    // A worker without an IPC channel cannot hand its sockets over.
    const getsOwn = current === undefined || current.isConnected
    const offered = [...this.#sockets.values()].filter(
      (one) => one.isGiven || (getsOwn && one.slot === slot && one.isKept && one.goesBackTo === undefined),
    )
    for (const one of offered) one.offered.add(worker)
    return offered.map(({ id }) => id)
  }

  /** @param isKept Whether the supervisor has a duplicate. */
  listening(worker: string, id: string, place: string, isKept: boolean): readonly Action[] {
    const known = this.#sockets.get(id)
    const entry = this.#workers.get(worker)
    const isCommon = this.#isShared() && isKept
    if (entry === undefined || entry.state === 'leaving') {
      if (known !== undefined) return []
      // Others may wait for what this worker was told to open before it was told to leave.
      const waiting = this.#grants.opened(place, worker)
      const isWanted = isCommon && waiting.length > 0
      if (isWanted) this.#sockets.set(id, newSocket({ id, place, slot: undefined, isGiven: false, isKept }))
      return [...(isKept && !isWanted ? [{ type: 'close', id } as const] : []), ...this.#wantAll(waiting, place)]
    }
    const socket = known ?? newSocket({ id, place, slot: isCommon ? undefined : entry.slot, isGiven: false, isKept })
    this.#sockets.set(id, socket)
    // A worker that gets a common socket counts from then on.
    if (known === undefined || known.slot !== undefined || known.isGiven) addTo(socket.accepting, worker)
    if (known !== undefined) return []
    return this.#wantAll(this.#grants.opened(place, worker), place)
  }

  /** A server has closed, or does not take the socket that it got. The worker keeps what it inherited: it may listen again. */
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
    // It opens one of its own, as a worker does where nothing is shared.
    if (this.#workers.get(worker)?.state === 'leaving') return open({ worker, want })
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
  note(
    worker: string,
    what: Partial<Pick<WorkerEntry, 'saidReady' | 'hasNested' | 'isConnected' | 'hasDrained'>>,
  ): readonly Action[] {
    Object.assign(this.#workers.get(worker) ?? {}, what)
    return this.#settleAll()
  }

  /**
   * The answer to `give-back`.
   *
   * @param isTaken Whether the worker accepts from the socket again.
   */
  tookBack(worker: string, id: string, isTaken: boolean): readonly Action[] {
    const socket = this.#sockets.get(id)
    socket?.before.delete(worker)
    const isLast = socket?.goesBackTo === worker && socket.accepting.size === 0
    if (socket?.goesBackTo === worker) socket.goesBackTo = undefined
    if (!isTaken) return socket === undefined ? [] : this.#settle(socket)
    const yours: Action = { type: 'yours', worker, id }
    return isLast && this.#sockets.delete(id) ? [{ type: 'close', id }, yours] : [yours]
  }

  /** Whether the worker accepts anywhere. */
  accepts(worker: string): boolean {
    return accepts(this.#sockets, worker, this.#workers.get(worker))
  }

  /** See `register-readiness`. */
  isReady(worker: string): boolean {
    const entry = this.#workers.get(worker)
    return isReady(this.#sockets, worker, entry, this.#slots.workerOf(entry?.slot ?? -1))
  }

  /** @returns the sockets that the worker is asked to release: those that it does not accept from. */
  asks(worker: string): readonly string[] {
    const isIdle = (one: SocketEntry): boolean => !one.isGiven && one.offered.has(worker) && !one.accepting.has(worker)
    const sockets = [...this.#sockets.values()].filter(isIdle)
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
    const isFull = !this.#slots.isWaiting(undefined)
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
    if (waits) this.#slots.vacate(entry.slot, worker)
    const left = [...this.#sockets.values()].filter(({ accepting, isGiven }) => isGiven || accepting.has(worker))
    for (const socket of this.#sockets.values()) {
      // A common socket may wait for the worker of another slot.
      if (socket.accepting.delete(worker)) socket.waits = waits || (socket.slot === undefined && socket.waits)
      socket.offered.delete(worker)
    }
    // Of what nobody else takes this worker is the last holder, and drains it.
    const actions = [
      ...this.#grants.leaves(worker).flatMap(open),
      ...left.flatMap((socket) => this.#settle(socket, 'closes')),
      ...this.#settleAll(),
    ]
    const handOver = left.filter(({ id, isKept }) => isKept && this.#sockets.has(id))
    if (!entry.isConnected) return { handOver: [], actions }
    for (const { before } of handOver) before.add(worker)
    return { handOver: handOver.map(({ id }) => id), actions }
  }

  gone(worker: string): readonly Action[] {
    const entry = this.#workers.get(worker)
    if (entry === undefined) return []
    this.#workers.delete(worker)
    this.#slots.vacate(entry.slot, worker)
    for (const socket of this.#sockets.values()) {
      socket.offered.delete(worker)
      socket.before.delete(worker)
      if (socket.goesBackTo === worker) socket.goesBackTo = undefined
      const isLast = socket.accepting.delete(worker) && (socket.accepting.size === 0 || socket.slot === undefined)
      if (isLast) socket.waits = socket.isKept
    }
    return [...this.#grants.gone(worker).flatMap(open), ...this.#settleAll()]
  }

  #current(slot: number): WorkerEntry | undefined {
    return this.#workers.get(this.#slots.workerOf(slot) ?? '')
  }

  #settleAll(): readonly Action[] {
    return [...this.#sockets.values()].flatMap((socket) => this.#settle(socket))
  }

  /** Lets a socket go that no worker accepts from or can take. */
  #settle(socket: SocketEntry, how: 'gives back' | 'closes' = 'gives back'): readonly Action[] {
    if (socket.waits && this.#slots.isWaiting(socket.slot)) return []
    const outcome = settle(socket, this.#workers, how)
    if (outcome !== 'gone') return outcome
    this.#sockets.delete(socket.id)
    return socket.isKept ? [{ type: 'close', id: socket.id }] : []
  }

  #wantAll(askers: readonly Asker[], place: string): readonly Action[] {
    return askers.flatMap(({ worker, want }) => this.wants(worker, want, place))
  }
}
