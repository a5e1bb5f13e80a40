import { setTimeout as sleep } from 'node:timers/promises'
import { describeExit, describeFailure, SupervisorError } from './errors.js'
import type { SupervisorEvents } from './events.js'
import type { WorkerExit } from './launch.js'
import type { Settings } from './options.js'
import type { Slot } from './slot.js'

/** ms. A worker that ends within this time after it was ready has died early. */
const EARLY = 1000
/** ms. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 5000

export type Emit = <Name extends keyof SupervisorEvents>(name: Name, ...args: SupervisorEvents[Name]) => void

export interface RestartOwner {
  readonly settings: Settings
  readonly emit: Emit
  readonly signal: AbortSignal
  giveUp(error: SupervisorError): void
}

/**
 * Starts another worker in the slot of a dead worker, with the sockets of that slot: at once, or, after an early death,
 * with a delay that doubles with each early death in a row.
 *
 * @param died How the worker ended; undefined where it got a signal and its successor failed.
 */
export async function restart(slot: Slot, died: WorkerExit | undefined, owner: RestartOwner): Promise<void> {
  const { emit, settings, signal } = owner
  let why = died === undefined ? '' : describeExit(died)
  let isEarly = (slot.current?.upTime ?? 0) < EARLY
  while (!(slot.isEnding || signal.aborted)) {
    slot.earlyDeaths = isEarly ? slot.earlyDeaths + 1 : 0
    const { earlyDeaths } = slot
    if (earlyDeaths > settings.maxRestarts) {
      const times = earlyDeaths === 1 ? 'once' : `${earlyDeaths} times in a row`
      const text = `worker ${slot.index} died early ${times}; the last time it ${why}`
      owner.giveUp(new SupervisorError('ERR_REUSEPORT_GAVE_UP', text))
      return
    }
    const delay = earlyDeaths === 0 ? 0 : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (earlyDeaths - 1))
    emit('worker:restart', slot.index, { delay, earlyDeaths })
    // A supervisor that stops aborts the wait; the next line returns.
    await sleep(delay, undefined, { signal }).catch(() => {})
    if (slot.isEnding || signal.aborted) return
    const failure = await slot.start()
    if (failure === undefined || failure.why === 'stopped') return
    why = describeFailure(failure)
    isEarly = true
  }
}
