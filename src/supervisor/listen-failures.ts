import type { ListenFailure } from '../common/listen-failure.js'
import type { WorkerFailure } from './errors.js'
import type { WorkerExit } from './launch.js'
import type { FromWorker } from './protocol.js'
import type { Emit } from './restart.js'
import type { RunningWorker } from './running-worker.js'
import { describe } from './worker-info.js'

type ListenFailed = FromWorker & { readonly type: 'listen-failed' }

/** What the last call of `listen` of each worker met: why a worker did not become ready, where that is why. */
export class ListenFailures {
  readonly #failures = new WeakMap<RunningWorker, ListenFailure>()
  readonly #emit: Emit

  constructor(emit: Emit) {
    this.#emit = emit
  }

  hear(worker: RunningWorker, message: ListenFailed): void {
    const { type: _, ...failure } = message
    this.#failures.set(worker, failure)
    this.#emit('worker:listen-failed', describe(worker), failure)
  }

  /** It listens, there or elsewhere. */
  listens(worker: RunningWorker): void {
    this.#failures.delete(worker)
  }

  explainExit<E extends WorkerExit>(worker: RunningWorker, exit: E): E & { readonly listen?: ListenFailure } {
    const listen = this.#failures.get(worker)
    // A thread that threw may be told to end before it has.
    return (exit.signal === null || exit.error !== undefined) && listen !== undefined ? { ...exit, listen } : exit
  }

  explain(worker: RunningWorker, outcome: 'ready' | WorkerFailure): 'ready' | WorkerFailure {
    const listen = this.#failures.get(worker)
    if (outcome === 'ready' || listen === undefined) return outcome
    return outcome.why === 'exited' || outcome.why === 'late' ? { ...outcome, listen } : outcome
  }
}
