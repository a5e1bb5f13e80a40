import { JoinCounts, type QueueNumbers } from './join-counts.js'
import { datagramsOf, isHost, isListener, type SlotDatagram } from './kept-by-slot.js'
import { KeptPaths } from './kept-paths.js'
import { type AnyKept, isOnPort, type Kept } from './kept-socket.js'
import { type FromWorker, type Listening, wishKey } from './protocol.js'
import { type JoiningSource, type KeptQueue, QueueJoining } from './queue-joining.js'
import type { Action } from './register-entries.js'
import type { RunningWorker } from './running-worker.js'
import { Register } from './socket-register.js'
import type { AboutSocket, Readiness } from './worker-events.js'

/** The sockets that the supervisor keeps. Tells the register what happens, and does what the register says. */
export class KeptSockets {
  readonly #register: Register
  readonly #kept = new Map<string, AnyKept>()
  readonly #paths = new KeptPaths(() => this.#kept.values())
  readonly #workers = new Map<string, RunningWorker>()
  readonly #counts = new JoinCounts()
  readonly #leaving = new WeakSet<RunningWorker>()
  /** Sockets that the program of their worker takes out of their group. Nobody joins them any more. */
  readonly #draining = new Set<string>()
  #joining: QueueJoining<RunningWorker> | undefined
  readonly onGuest: JoiningSource<RunningWorker>['onGuest']
  readonly isSticky: boolean
  onChanged: () => void = () => {}

  constructor(isShared: () => boolean, onGuest: JoiningSource<RunningWorker>['onGuest'] = () => {}, isSticky = false) {
    this.#register = new Register(isShared)
    this.onGuest = onGuest
    this.isSticky = isSticky
  }

  get all(): readonly Kept[] {
    return [...this.#kept.values()].filter(isOnPort)
  }

  /** From now on workers accept for others, where this system can tell how many connections wait. */
  join(warn: (message: string) => void): void {
    this.#joining = QueueJoining.open(this, this.#counts, warn)
  }

  queues(): readonly KeptQueue[] {
    return this.#register.sockets.flatMap(({ accepting, id, isGiven, slot, waits }) => {
      const kept = this.#kept.get(id)
      if (isGiven || slot === undefined || !isListener(kept) || this.#draining.has(id)) return []
      return waits || accepting.length > 0 ? [{ kept, slot, owners: accepting }] : []
    })
  }

  hosts(): readonly RunningWorker[] {
    return [...this.#workers.values()].filter((worker) => isHost(worker) && !this.#leaving.has(worker))
  }

  /** The worker has closed its IPC channel, and parts. */
  disconnected({ name }: RunningWorker): void {
    this.#joining?.leaves(name, true)
    this.#do(this.#register.note(name, { isConnected: false }))
  }

  numbersOf(worker: RunningWorker): QueueNumbers {
    const ids = this.acceptedBy(worker).map(({ id }) => id)
    return this.#counts.of(worker.name, ids)
  }

  give(kept: Kept): void {
    this.#kept.set(kept.id, kept)
    this.#register.given(kept.id, wishKey(kept.wish))
  }

  openSlot(): number {
    return this.#register.openSlot()
  }

  endSlot(slot: number): void {
    this.#do(this.#register.endSlot(slot))
  }

  /** @returns the sockets that the worker of this name gets. */
  started(name: string, slot: number): readonly Kept[] {
    return this.#register
      .started(name, slot)
      .flatMap((id) => this.#kept.get(id) ?? [])
      .filter(isOnPort)
  }

  /** The worker could not be started. */
  notStarted(name: string): void {
    this.#do(this.#register.gone(name))
  }

  add(worker: RunningWorker): void {
    this.#workers.set(worker.name, worker)
  }

  /** @returns whether the supervisor had the socket before, has it now, or has none. */
  listening(worker: RunningWorker, { id, wish }: Listening, kept: Kept | undefined): 'known' | 'kept' | 'not kept' {
    const isKnown = this.#kept.has(id)
    this.#draining.delete(id)
    this.#joining?.listens(id)
    if (isKnown) kept?.close()
    else if (kept !== undefined) this.#kept.set(id, kept)
    this.#do(this.#register.listening(worker.name, id, wishKey(wish), isKnown || kept !== undefined))
    return isKnown ? 'known' : kept === undefined ? 'not kept' : 'kept'
  }

  hear(worker: RunningWorker, message: Exclude<AboutSocket, { readonly type: 'pong' | 'listens' | 'health' }>): void {
    const { name } = worker
    if (message.type === 'closed') this.#do(this.#register.closed(name, message.id))
    else if (message.type === 'drains') this.#drains(worker, message.id)
    else if (message.type === 'want') this.#wants(worker, message)
    else if (message.type === 'not-opened') this.#do(this.#register.notOpened(name, wishKey(message.wish)))
    else this.#joining?.hear(worker, message)
  }

  note({ name }: RunningWorker, what: Parameters<Register['note']>[1]): void {
    this.#do(this.#register.note(name, what))
  }

  readinessOf(worker: RunningWorker): Readiness {
    const { name } = worker
    return {
      isReady: () => this.#register.isReady(name),
      accepts: () => this.#register.accepts(name),
      confirm: () => this.#ask(worker, this.#register.asks(name)),
    }
  }

  ready({ name }: RunningWorker): void {
    this.#do(this.#register.ready(name))
  }

  /** @returns the sockets that the worker hands over. Of the others, it is the last holder from now on. */
  leaves(worker: RunningWorker, waits: boolean): readonly string[] {
    const { name } = worker
    this.#leaving.add(worker)
    const { actions, handOver } = this.#register.leaves(name, waits)
    this.#joining?.leaves(name, false)
    this.#do(actions)
    return handOver
  }

  /**
   * The last holder of these sockets is about to drain them: guests would keep them in their group.
   *
   * @returns undefined where nobody else has them; resolves when nobody has, at most a second later.
   */
  part(ids: readonly string[]): Promise<void> | undefined {
    return this.#joining?.part(ids)
  }

  gone({ name }: RunningWorker): void {
    this.#workers.delete(name)
    this.#joining?.leaves(name, true)
    this.#counts.gone(name)
    this.#do(this.#register.gone(name))
    // A program may remove the file of its path when it ends.
    this.#paths.look()
  }

  readonly kept = (id: string): AnyKept | undefined => this.#kept.get(id)
  readonly datagrams = (): readonly SlotDatagram[] => datagramsOf(this.#register.sockets, this.kept)

  /** The paths that the worker accepts at. */
  pathsOf(worker: RunningWorker): readonly string[] {
    return this.#accepted(worker).flatMap((kept) => (isOnPort(kept) ? [] : kept.path))
  }

  /** The sockets of which the supervisor has a duplicate and the worker accepts. */
  acceptedBy(worker: RunningWorker): readonly Kept[] {
    return this.#accepted(worker).filter(isOnPort)
  }

  #accepted({ name }: RunningWorker): readonly AnyKept[] {
    return this.#register.sockets.flatMap(({ accepting, id }) => (accepting.includes(name) && this.#kept.get(id)) || [])
  }

  /** All workers have ended. */
  closeAll(): void {
    this.#joining?.close()
    for (const id of this.#kept.keys()) this.#close(id)
  }

  #wants(worker: RunningWorker, { access, want, wish }: FromWorker & { readonly type: 'want' }): void {
    // One that leaves opens its path itself.
    if (access !== undefined && !this.#leaving.has(worker)) {
      const opened = this.#paths.open(wish, access)
      if ('errno' in opened) {
        worker.send({ type: 'refused', want, ...opened })
        return
      }
      if (!this.#kept.has(opened.id)) this.#register.given(opened.id, wishKey(wish), false)
      this.#kept.set(opened.id, opened)
    }
    this.#do(this.#register.wants(worker.name, want, wishKey(wish)))
  }

  #do(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'close') this.#close(action.id)
      const worker = 'worker' in action ? this.#workers.get(action.worker) : undefined
      if (worker === undefined || action.type === 'close') continue
      if (action.type === 'release') void this.#ask(worker, action.ids)
      else if (action.type === 'open') worker.send({ type: 'open', want: action.want })
      else if (action.type === 'take') this.#send(worker, action.id, action.want)
      else if (action.type === 'give-back') void this.#giveBack(worker, action.id)
      else void this.#yours(worker, action.id)
    }
    this.#joining?.changed()
    this.onChanged()
  }

  #drains(worker: RunningWorker, id: string): void {
    if (!this.acceptedBy(worker).some((kept) => kept.id === id)) return
    this.#draining.add(id)
    void this.#yours(worker, id)
  }

  async #yours(worker: RunningWorker, id: string): Promise<void> {
    const parted = this.#joining?.part([id])
    if (parted !== undefined) await parted
    worker.send({ type: 'yours', id })
  }

  async #ask(worker: RunningWorker, ids: readonly string[]): Promise<void> {
    this.#do(this.#register.released(worker.name, ids, await worker.release(ids)))
  }

  async #giveBack(worker: RunningWorker, id: string): Promise<void> {
    const kept = this.#kept.get(id)
    const isTaken = kept !== undefined && (await worker.giveBack(kept))
    this.#do(this.#register.tookBack(worker.name, id, isTaken))
  }

  #send(worker: RunningWorker, id: string, want: number): void {
    const kept = this.#kept.get(id)
    if (kept !== undefined) worker.sendSocket({ type: 'take', id, want }, kept)
  }

  #close(id: string): void {
    const kept = this.#kept.get(id)
    // The watch looks at a descriptor by its number.
    if (isOnPort(kept)) this.#joining?.closing(kept)
    this.#counts.removed(id)
    this.#draining.delete(id)
    kept?.close()
    this.#kept.delete(id)
  }
}
