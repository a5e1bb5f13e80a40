// Replaces workers that are too old or too large, one at a time. There is a timer only where that is asked for.
import { describeFailure } from './errors.js'
import { orAborted } from './or-aborted.js'
import { memoryOf } from './process-usage.js'
import type { Queue } from './queue.js'
import { readBounded } from './read-bounded.js'
import { type Due, type Measured, Recycling } from './recycling.js'
import type { RestartOwner } from './restart.js'
import type { Slot } from './slot.js'
import { describe } from './worker-info.js'

/** ms between two looks where nothing is recycled. */
const MIXED = 10_000

interface Recycled {
  readonly slots: readonly Slot[]
  /** Nothing is recycled: what a new worker would run is not known to be good. */
  readonly isMixed: boolean
}

export function startRecycling(pool: Recycled, work: Queue, owner: RestartOwner): void {
  const { settings, signal } = owner
  const { maxAge, maxAgeJitter, maxMemory } = settings
  if (maxAge === undefined && maxMemory === undefined) return
  const recycling = new Recycling({ maxAge, maxAgeJitter, maxMemory }, Math.random)
  let timer: NodeJS.Timeout
  const look = async (): Promise<void> => {
    const due = pool.isMixed ? undefined : recycling.due(measure(pool.slots, maxMemory !== undefined), now())
    const told = (error: Error): void => owner.emit('warning', `recycling failed: ${error.message}`)
    if (due !== undefined) await work.run(() => replace(due, pool, recycling, owner)).catch(told)
    if (!signal.aborted) arm()
  }
  const arm = (): void => {
    const wait = Math.max(pool.isMixed ? MIXED : 0, recycling.wait(measure(pool.slots, false), now()))
    timer = setTimeout(() => void look(), wait).unref()
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  arm()
}

function now(): number {
  return performance.now()
}

function measure(slots: readonly Slot[], isMemory: boolean): readonly Measured[] {
  return slots.flatMap(({ current, index, isEnding }) => {
    if (current?.state !== 'ready' || isEnding) return []
    const memory = isMemory ? memoryOf(current.pid, readBounded) : undefined
    return { name: current.name, slot: index, age: current.upTime ?? 0, memory }
  })
}

async function replace(due: Due, pool: Recycled, recycling: Recycling, owner: RestartOwner): Promise<void> {
  const { emit, signal } = owner
  const { worker, reason } = due
  const slot = pool.slots.find(({ current }) => current?.name === worker.name)
  const outcome = await slot?.run(async () => {
    const { current } = slot
    // It may have ended, or been replaced, before its turn came.
    if (current?.name !== worker.name || current.state !== 'ready' || slot.isEnding) return undefined
    if (signal.aborted || pool.isMixed) return undefined
    emit('worker:recycle', describe(current), reason)
    return await slot.replace()
  })
  if (outcome === undefined) return
  if ('failure' in outcome) {
    if (outcome.failure.why === 'stopped') return
    const rest = recycling.failed(due, now()) / 1000
    const text = `the successor of worker ${worker.slot} ${describeFailure(outcome.failure)}`
    emit('warning', `${text}: worker ${worker.slot} goes on, and is not recycled for ${rest} s`)
    return
  }
  const rest = recycling.replaced(due, now())
  if (rest !== undefined) {
    const text = `worker ${worker.slot} took only ${Math.round(worker.age / 1000)} s to reach its limit of memory`
    emit('warning', `${text}: its successor is not recycled for ${rest / 1000} s`)
  }
  await orAborted(outcome.left, signal)
}
