import { describeFailure, SupervisorError, type WorkerFailure } from './errors.js'
import { orAborted } from './or-aborted.js'
import { servedBy } from './served-by.js'
import type { Slot } from './slot.js'

/**
 * Replaces one worker at a time. The first of the new ones is the canary: it has to endure the soak, and until then the
 * worker that it replaces goes on.
 *
 * @param soak ms.
 * @param signal The supervisor ends. It waits for all workers together.
 * @throws SupervisorError where a new worker fails: the one that it was to replace, and those after it, stay.
 */
export async function replaceEach(slots: readonly Slot[], soak: number, signal: AbortSignal): Promise<void> {
  const all = [...slots]
  for (const [index, slot] of all.entries()) {
    if (signal.aborted) throw reloadError(slot, { why: 'stopped' }, slots)
    const outcome = await slot.run(() => slot.replace(index === 0 ? soak : 0))
    if ('failure' in outcome) throw reloadError(slot, outcome.failure, slots)
    await orAborted(outcome.left, signal)
  }
}

function reloadError({ index }: Slot, failure: WorkerFailure, slots: readonly Slot[]): SupervisorError {
  const cause = failure.why === 'exited' ? failure.exit.error : undefined
  const serving = servedBy(slots.map((slot) => ({ slot: slot.index, generation: slot.generation })))
  const text = `worker ${index} ${describeFailure(failure)}; ${serving}`
  const code = failure.why === 'stopped' ? 'ERR_REUSEPORT_SUPERVISOR_STATE' : 'ERR_REUSEPORT_WORKER_FAILED'
  return new SupervisorError(code, text, cause)
}
