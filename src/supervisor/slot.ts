import type { EndingSignal } from '../common/ending-signals.js'
import type { WorkerFailure } from './errors.js'
import { Queue } from './queue.js'
import type { RunningWorker } from './running-worker.js'

export interface Leave {
  /** Its sockets wait for the next worker of its slot. */
  readonly waits?: boolean
  /** The signal that the program gets. */
  readonly signal?: EndingSignal | undefined
}

/** What a new worker has to stand before it is the one of its slot. */
export interface Trial {
  /** Whether the program is asked how it is, where there is a path for that. */
  readonly health: boolean
  /** ms for which the worker has to go on beside the one that it replaces. */
  readonly soak: number
}

/** What follows a worker that has died is not tried: nobody else could serve. */
const NO_TRIAL: Trial = { health: false, soak: 0 }

/** The part of the pool that a slot needs. */
export interface SlotOwner {
  /** @throws where the process or thread cannot be started. */
  launch(slot: Slot): RunningWorker
  /** Waits until the worker is ready and has stood its trial. @returns why it is not, or has not. */
  untilReady(worker: RunningWorker, trial: Trial): Promise<'ready' | WorkerFailure>
  /** Whether the worker accepts anywhere. */
  accepts(worker: RunningWorker): boolean
  /** The worker is now the one of its slot. */
  onReady(worker: RunningWorker): void
  /**
   * Tells a worker to drain and to end, and kills it where it takes too long.
   *
   * @returns whether it ended in time.
   */
  leave(worker: RunningWorker, how?: Leave): Promise<boolean>
}

/** The slot of one worker: its sockets stay open while workers end and start. A worker that leaves is in no slot. */
export class Slot {
  readonly index: number
  /** Early deaths in a row. */
  earlyDeaths = 0
  isEnding = false
  readonly #owner: SlotOwner
  #current: RunningWorker | undefined
  #tried: RunningWorker | undefined
  readonly #work = new Queue()

  constructor(index: number, owner: SlotOwner) {
    this.index = index
    this.#owner = owner
  }

  /** The worker that is ready, or was until it ended. */
  get current(): RunningWorker | undefined {
    return this.#current
  }

  /** The worker that is to become the current one. */
  get tried(): RunningWorker | undefined {
    return this.#tried
  }

  /** Of the worker that serves; undefined where none does. */
  get generation(): number | undefined {
    return this.#current?.state === 'gone' ? undefined : this.#current?.generation
  }

  /** Runs `work` when all earlier work of this slot has settled. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#work.run(work)
  }

  /** Starts a worker. @returns why the worker failed; undefined where it is ready. */
  async start(trial: Trial = NO_TRIAL): Promise<WorkerFailure | undefined> {
    let worker: RunningWorker
    try {
      worker = this.#owner.launch(this)
    } catch (error) {
      return { why: 'exited', exit: { code: null, signal: null, error: error as Error } }
    }
    this.#tried = worker
    const outcome = await this.#owner.untilReady(worker, trial)
    this.#tried = undefined
    if (outcome === 'ready') {
      this.#current = worker
      this.#owner.onReady(worker)
      return undefined
    }
    // A worker that clients may have reached drains. Its sockets wait where the worker that it was to replace has died.
    const waits = this.#current?.state === 'gone'
    if (worker.state !== 'gone' && this.#owner.accepts(worker)) {
      const left = this.#owner.leave(worker, { waits })
      // An empty slot needs its next worker at once. A supervisor that stops waits for all that are alive.
      if (waits || outcome.why === 'stopped') return outcome
      await left
    } else worker.kill()
    await worker.exited
    return outcome
  }

  /**
   * Starts a successor, and tells the old worker to leave when the successor is ready. From then on the slot is free for
   * other work, such as the start of another worker where the successor dies. Where the successor fails, the old worker
   * goes on.
   *
   * @param soak ms for which both serve.
   * @returns why the successor failed, or the end of the old worker.
   */
  async replace(soak = 0): Promise<{ readonly failure: WorkerFailure } | { readonly left: Promise<unknown> }> {
    const old = this.#current
    const failure = await this.start({ health: true, soak })
    if (failure !== undefined) return { failure }
    return { left: old === undefined ? Promise.resolve() : this.#owner.leave(old) }
  }

  /** Drains the worker, if there is one. @returns whether it ended in time. */
  async end(): Promise<boolean> {
    this.isEnding = true
    const current = this.#current
    return current === undefined || (await this.#owner.leave(current))
  }
}
