import type { EndingSignal } from '../common/ending-signals.js'
import { type RestartOwner, restart } from './restart.js'
import type { RunningWorker } from './running-worker.js'
import type { Slot, SlotOwner } from './slot.js'

/** Replaces a worker that got a signal. */
export async function relieve(
  slot: Slot,
  worker: RunningWorker,
  signal: EndingSignal,
  pool: Pick<SlotOwner, 'leave'>,
  owner: RestartOwner,
): Promise<void> {
  if (slot.current !== worker || slot.isEnding) return
  const outcome = await slot.replace()
  // A supervisor that stops drains the worker with the others.
  if (!('failure' in outcome) || outcome.failure.why === 'stopped') return
  // Without a successor the worker ends too, as the signal asked; its accept queue waits for the next worker.
  await pool.leave(worker, { waits: true, signal })
  await restart(slot, undefined, owner)
}

interface Departures {
  readonly leaveTimeout: number
  readonly sockets: { leaves(worker: RunningWorker, waits: boolean): readonly string[] }
}

/** The same for a worker that is not the one of its slot yet: it leaves without a successor. @param isTried It is ready, and on trial. */
export function leaveOnTrial(worker: RunningWorker, isTried: boolean, signal: EndingSignal, pool: Departures): void {
  // A worker in the state 'leaving' has got this message already.
  if (worker.state !== 'starting' && !(worker.state === 'ready' && isTried)) return
  const kept = pool.sockets.leaves(worker, true)
  if (worker.state === 'ready') void worker.leave(kept, pool.leaveTimeout, signal)
  else worker.send({ type: 'leave', kept, signal })
}
