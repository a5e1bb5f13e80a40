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
