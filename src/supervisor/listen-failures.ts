import type { ListenFailure } from '../common/listen-failure.js'
import type { WorkerFailure } from './errors.js'
import type { WorkerExit } from './launch.js'
import type { FromWorker } from './protocol.js'
import type { Emit } from './restart.js'
import type { RunningWorker } from './running-worker.js'
import { describe } from './worker-info.js'

type ListenFailed = FromWorker & { readonly type: 'listen-failed' }

/** ms from a failed call to the end of a worker that ends because of it. */
const SOON = 2000

/** What the last call of `listen` of each worker met: why a worker did not become ready, where that is why. */
export class ListenFailures {
  readonly #failures = new WeakMap<RunningWorker, { readonly failure: ListenFailure; readonly at: number }>()
  readonly #emit: Emit

  constructor(emit: Emit) {
    this.#emit = emit
  }

  hear(worker: RunningWorker, message: ListenFailed): void {
    const { type: _, ...failure } = message
    this.#failures.set(worker, { failure, at: performance.now() })
    this.#emit('worker:listen-failed', describe(worker), failure)
  }

  /** It listens, there or elsewhere. */
  listens(worker: RunningWorker): void {
    this.#failures.delete(worker)
  }

  explainExit<E extends WorkerExit>(worker: RunningWorker, exit: E): E & { readonly listen?: ListenFailure } {
    const known = this.#failures.get(worker)
    if (known === undefined) return exit
    // A worker that has served since has died of something else.
    const isWhy = worker.upTime === undefined || performance.now() - known.at < SOON
    // A thread that threw may be told to end before it has.
    return isWhy && (exit.signal === null || exit.error !== undefined) ? { ...exit, listen: known.failure } : exit
  }

  explain(worker: RunningWorker, outcome: 'ready' | WorkerFailure): 'ready' | WorkerFailure {
    const listen = this.#failures.get(worker)?.failure
    if (outcome === 'ready' || listen === undefined) return outcome
    return outcome.why === 'exited' || outcome.why === 'late' ? { ...outcome, listen } : outcome
  }
}
