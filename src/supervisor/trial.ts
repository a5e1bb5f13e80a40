// A new worker is tried: it has to listen, to be healthy, and to go on so for a while beside the worker that it replaces.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkerFailure } from './errors.js'
import type { Health } from './health.js'
import type { RestartOwner } from './restart.js'
import type { RunningWorker } from './running-worker.js'
import type { Trial } from './slot.js'
import type { Readiness } from './worker-events.js'
import { describe } from './worker-info.js'

/** ms between two questions to a worker that is not healthy yet. */
const AGAIN = 200
/** ms between two questions during the soak. */
const SOAK_LOOKS = 1000

type Owner = Pick<RestartOwner, 'emit' | 'settings' | 'signal'>
type Outcome = 'ready' | WorkerFailure

/** @returns 'ready', or why this is no worker to go on with. */
export async function tryOut(
  worker: RunningWorker,
  readiness: Readiness,
  trial: Trial,
  owner: Owner,
  health: Health,
): Promise<Outcome> {
  const { emit, settings, signal } = owner
  const { readyTimeout } = settings
  const until = performance.now() + readyTimeout
  const outcome = await worker.ready(readiness, readyTimeout, signal)
  const path = trial.health ? settings.health : undefined
  if (outcome !== 'ready' || (path === undefined && trial.soak === 0)) return outcome
  const over = new AbortController()
  const end = (): void => over.abort()
  signal.addEventListener('abort', end, { once: true, signal: over.signal })
  if (signal.aborted) end()
  void worker.exited.then(end)
  const tried: Tried = { emit, settings, health, worker, path, over: over.signal }
  try {
    const healthy = path === undefined ? 'ready' : await untilHealthy(tried, path, until)
    return healthy === 'ready' && trial.soak > 0 ? await endure(tried, trial.soak) : healthy
  } finally {
    end()
  }
}

interface Tried extends Omit<Owner, 'signal'> {
  readonly health: Health
  readonly worker: RunningWorker
  readonly path: string | undefined
  /** The worker has ended, or the supervisor ends. */
  readonly over: AbortSignal
}

async function untilHealthy(tried: Tried, path: string, until: number): Promise<Outcome> {
  const { health, over, settings, worker } = tried
  for (;;) {
    const problem = await health.ask(worker, path, over)
    if (over.aborted) return await endOf(tried)
    if (problem === undefined) return 'ready'
    if (performance.now() >= until) return { why: 'unhealthy', path, problem, within: settings.readyTimeout }
    await rest(AGAIN, over)
  }
}

/** The soak. The worker that is to be replaced goes on in the meantime. */
async function endure(tried: Tried, soak: number): Promise<Outcome> {
  const { emit, health, over, path, worker } = tried
  const end = performance.now() + soak
  emit('reload:soak', describe(worker), soak)
  for (let left = soak; left > 0; ) {
    await rest(path === undefined ? left : Math.min(left, SOAK_LOOKS), over)
    left = end - performance.now()
    const problem = path === undefined ? undefined : await health.ask(worker, path, over)
    if (over.aborted) return await endOf(tried)
    if (problem !== undefined && path !== undefined) return { why: 'unhealthy', path, problem, within: undefined }
  }
  // It got a signal, and leaves: it is none to go on with.
  if (worker.state === 'leaving') await worker.exited
  return worker.state === 'gone' ? await endOf(tried) : 'ready'
}

async function endOf({ worker }: Tried): Promise<WorkerFailure> {
  if (worker.state !== 'gone') return { why: 'stopped' }
  return { why: 'exited', exit: await worker.exited, upTime: worker.upTime }
}

async function rest(time: number, over: AbortSignal): Promise<void> {
  await sleep(time, undefined, { signal: over }).catch(() => {})
}
