import type { Kept } from './kept-socket.js'
import { type FromWorker, type Listening, wishKey } from './protocol.js'
import type { Action } from './register-entries.js'
import type { RunningWorker } from './running-worker.js'
import { Register } from './socket-register.js'
import type { Readiness } from './worker-events.js'

/** The sockets that the supervisor keeps. Tells the register what happens, and does what the register says. */
export class KeptSockets {
  readonly #register: Register
  readonly #kept = new Map<string, Kept>()
  readonly #workers = new Map<string, RunningWorker>()

  constructor(isShared: () => boolean) {
    this.#register = new Register(isShared)
  }

  get all(): readonly Kept[] {
    return [...this.#kept.values()]
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
    return this.#register.started(name, slot).flatMap((id) => this.#kept.get(id) ?? [])
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
    if (isKnown) kept?.close()
    else if (kept !== undefined) this.#kept.set(id, kept)
    this.#do(this.#register.listening(worker.name, id, wishKey(wish), isKnown || kept !== undefined))
    if (isKnown) return 'known'
    return kept === undefined ? 'not kept' : 'kept'
  }

  closed({ name }: RunningWorker, id: string): void {
    this.#do(this.#register.closed(name, id))
  }

  wants({ name }: RunningWorker, message: FromWorker & { readonly type: 'want' | 'not-opened' }): void {
    const place = wishKey(message.wish)
    this.#do(
      message.type === 'want' ? this.#register.wants(name, message.want, place) : this.#register.notOpened(name, place),
    )
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
  leaves({ name }: RunningWorker, waits: boolean): readonly string[] {
    const { actions, handOver } = this.#register.leaves(name, waits)
    this.#do(actions)
    return handOver
  }

  gone({ name }: RunningWorker): void {
    this.#workers.delete(name)
    this.#do(this.#register.gone(name))
  }

  /** The sockets of which the supervisor has a duplicate and the worker accepts. */
  acceptedBy({ name }: RunningWorker): readonly Kept[] {
    const sockets = this.#register.sockets.filter(({ accepting }) => accepting.includes(name))
    return sockets.flatMap(({ id }) => this.#kept.get(id) ?? [])
  }

  /** All workers have ended. */
  closeAll(): void {
    for (const id of this.#kept.keys()) this.#close(id)
  }

  #do(actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.type === 'close') {
        this.#close(action.id)
        continue
      }
      const worker = this.#workers.get(action.worker)
      if (worker === undefined) continue
      if (action.type === 'release') void this.#ask(worker, action.ids)
      else if (action.type === 'open') worker.send({ type: 'open', want: action.want })
      else if (action.type === 'take') this.#send(worker, action.id, action.want)
      else if (action.type === 'give-back') void this.#giveBack(worker, action.id)
      else worker.send({ type: 'yours', id: action.id })
    }
  }

  async #ask(worker: RunningWorker, ids: readonly string[]): Promise<void> {
    const released = await worker.release(ids)
    this.#do(this.#register.released(worker.name, ids, released))
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
    this.#kept.get(id)?.close()
    this.#kept.delete(id)
  }
}
