import type { EndingSignal } from '../common/ending-signals.js'
import type { WorkerFailure } from './errors.js'
import type { Kept } from './kept-socket.js'
import type { RunningWorker } from './running-worker.js'

/** The part of the pool that a slot needs. */
export interface SlotOwner {
  /** ms until a new worker must be ready. */
  readonly readyTimeout: number
  /** ms until a worker that was told to leave must have ended. */
  readonly leaveTimeout: number
  /** Ids of the sockets that all workers accept from: a worker that leaves hands them over in any case. */
  readonly common: readonly string[]
  /** Aborts when the supervisor stops, and ends every wait. */
  readonly signal: AbortSignal
  /** @throws where the process or thread cannot be started. */
  launch(slot: Slot, sockets: readonly Kept[]): RunningWorker
  onReady(worker: RunningWorker): void
}

/** The slot of one worker: its sockets stay open while workers end and start. */
export class Slot {
  readonly index: number
  /** Early deaths in a row. */
  earlyDeaths = 0
  isEnding = false
  readonly #owner: SlotOwner
  readonly #kept: Map<string, Kept> = new Map()
  #current: RunningWorker | undefined
  #work: Promise<unknown> = Promise.resolve()

  constructor(index: number, owner: SlotOwner) {
    this.index = index
    this.#owner = owner
  }

  get current(): RunningWorker | undefined {
    return this.#current
  }

  get kept(): readonly Kept[] {
    return [...this.#kept.values()]
  }

  /** Runs `work` when all earlier work of this slot has settled. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => {})
    return done
  }

  keep(kept: Kept): void {
    this.#kept.get(kept.id)?.close()
    this.#kept.set(kept.id, kept)
  }

  /** Closes a socket that no worker needs any more. */
  drop(id: string): void {
    this.#kept.get(id)?.close()
    this.#kept.delete(id)
  }

  /** Starts a worker in the empty slot. @returns why the worker failed; undefined where it is ready. */
  async start(): Promise<WorkerFailure | undefined> {
    const failure = await this.#bringUp(
      this.kept,
      this.kept.map(({ id }) => id),
    )
    if (failure !== undefined) return failure
    // The new worker has no predecessor, so no worker accepts from the sockets that it releases.
    for (const id of await this.#release([...this.#kept.keys()])) this.drop(id)
    return undefined
  }

  /** Starts a successor, and drains the old worker when the successor is ready. @returns why the successor failed. */
  async replace(): Promise<WorkerFailure | undefined> {
    const old = this.#current
    // A worker without an IPC channel cannot be told to hand its sockets over: when it drains, they leave the group.
    const sockets = old?.isConnected === false ? [] : this.kept
    const before = new Set(this.#kept.keys())
    const required = sockets.map(({ id }) => id).filter((id) => old?.claimed.has(id) !== false)
    const failure = await this.#bringUp(sockets, required)
    if (failure !== undefined) {
      for (const id of this.#kept.keys()) if (!before.has(id)) this.drop(id)
      return failure
    }
    const left = await this.#release([...before])
    const claimed = this.#current?.claimed ?? []
    await old?.leave([...claimed, ...this.#owner.common], this.#owner.leaveTimeout)
    for (const id of left) this.drop(id)
    return undefined
  }

  /** Drains the worker, if any, and closes the slot's sockets. @param kept Ids of sockets that others accept from. */
  async end(kept: readonly string[], signal: EndingSignal = 'SIGTERM'): Promise<boolean> {
    this.isEnding = true
    const went = (await this.#current?.leave(kept, this.#owner.leaveTimeout, signal)) ?? true
    for (const id of this.#kept.keys()) this.drop(id)
    return went
  }

  async #bringUp(sockets: readonly Kept[], required: readonly string[]): Promise<WorkerFailure | undefined> {
    let worker: RunningWorker
    try {
      worker = this.#owner.launch(this, sockets)
    } catch (error) {
      return { why: 'exited', exit: { code: null, signal: null, error: error as Error } }
    }
    const outcome = await worker.ready(required, this.#owner.readyTimeout, this.#owner.signal)
    if (outcome === 'ready') {
      this.#current = worker
      this.#owner.onReady(worker)
      return undefined
    }
    worker.kill()
    await worker.exited
    return outcome
  }

  /** Tells the worker to close those of these sockets that it does not accept from. @returns the closed ones. */
  async #release(ids: readonly string[]): Promise<readonly string[]> {
    const current = this.#current
    if (current === undefined) return []
    return await current.release(ids.filter((id) => !current.claimed.has(id)))
  }
}
