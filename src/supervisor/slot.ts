import type { Kept } from './kept-socket.js'
import type { RunningWorker, WorkerFailure } from './running-worker.js'

/** What a slot needs of its supervisor. */
export interface SlotOwner {
  readonly readyTimeout: number
  /** ms for a worker that was told to leave. */
  readonly leaveTimeout: number
  /** Sockets that others have too: they are handed over, whoever takes them. */
  readonly common: readonly string[]
  /** Ends every waiting. */
  readonly signal: AbortSignal
  /** @throws where it cannot even be started. */
  launch(slot: Slot, sockets: readonly Kept[]): RunningWorker
  onReady(worker: RunningWorker): void
}

/** The place of one worker: the sockets stay while workers come and go. */
export class Slot {
  readonly index: number
  /** Deaths soon after the start, one after the other. */
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

  /** One thing after the other. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => {})
    return done
  }

  keep(kept: Kept): void {
    this.#kept.get(kept.id)?.close()
    this.#kept.set(kept.id, kept)
  }

  /** A program has closed its server. */
  drop(id: string): void {
    this.#kept.get(id)?.close()
    this.#kept.delete(id)
  }

  /** A worker where there is none. @returns why there is none. */
  async start(): Promise<WorkerFailure | undefined> {
    const failure = await this.#bringUp(
      this.kept,
      this.kept.map(({ id }) => id),
    )
    if (failure !== undefined) return failure
    // What nobody accepts from any more.
    for (const id of await this.#release([...this.#kept.keys()])) this.drop(id)
    return undefined
  }

  /** A new worker in the place of the one there is, which is drained when the new one is ready. @returns why not. */
  async replace(): Promise<WorkerFailure | undefined> {
    const old = this.#current
    // One that has closed its channel cannot be told to hand over: it drains what it has, and takes it out of the group.
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

  /** Drains the worker, if there is one, and lets the sockets go. @param kept Sockets that go on without it. */
  async end(kept: readonly string[]): Promise<boolean> {
    this.isEnding = true
    const went = (await this.#current?.leave(kept, this.#owner.leaveTimeout)) ?? true
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

  /** Of these sockets the worker lets go of those that it does not accept from. @returns which. */
  async #release(ids: readonly string[]): Promise<readonly string[]> {
    const current = this.#current
    if (current === undefined) return []
    return await current.release(ids.filter((id) => !current.claimed.has(id)))
  }
}
