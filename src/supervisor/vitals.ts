// How a supervisor and its workers are. Nothing is measured until somebody asks.
import process from 'node:process'
import { acceptQueueOf } from '../native/accept-queue.js'
import type { SupervisorStatus } from './control-protocol.js'
import type { SupervisorEvents } from './events.js'
import { History } from './history.js'
import { isListener } from './kept-by-slot.js'
import type { Kept } from './kept-socket.js'
import { usageOf } from './process-usage.js'
import type { OwnVitals } from './questions.js'
import { readBounded } from './read-bounded.js'
import type { RunningWorker } from './running-worker.js'
import type { SupervisorVitals, WorkerVitals } from './vitals-protocol.js'
import { type Known, toStatus } from './worker-info.js'

interface Emitter {
  on<Name extends keyof SupervisorEvents>(name: Name, listener: (...args: SupervisorEvents[Name]) => void): unknown
}

/** The history of a supervisor from now on. */
export function historyOf(supervisor: Emitter): History {
  const history = new History()
  supervisor.on('worker:exit', (worker, exit) => history.exited(worker, exit, new Date()))
  supervisor.on('worker:restart', (slot) => history.restarted(slot))
  supervisor.on('reload:done', (generation, duration) => history.reloaded(generation, duration, new Date()))
  supervisor.on('reload:failed', (generation, error) => history.reloaded(generation, error, new Date()))
  return history
}

interface Workers extends Known {
  readonly alive: readonly RunningWorker[]
  readonly slots: readonly { readonly index: number }[]
}

/** @param status Of the supervisor. Its workers are looked at again when all have answered. */
export async function vitalsOf(
  status: SupervisorStatus,
  workers: Workers,
  history: History,
): Promise<SupervisorVitals> {
  const asked = workers.alive
  const answers = await Promise.all(asked.map(({ questions }) => questions.vitals()))
  const seen = asked.flatMap((worker, index) =>
    worker.state === 'gone' ? [] : { ...toStatus(worker, workers), ...ofWorker(worker, answers[index], workers) },
  )
  const { lastReload } = history
  return {
    ...status,
    workers: seen,
    clock: Math.round(performance.now()),
    ...usageOf(process.pid, readBounded),
    slots: workers.slots.map(({ index }) => history.of(index)),
    ...(lastReload !== undefined && { lastReload }),
  }
}

function ofWorker(worker: RunningWorker, own: OwnVitals | undefined, { sockets }: Workers): WorkerVitals {
  const { pid, questions, threadId } = worker
  const { silence } = questions
  return {
    ...(own !== undefined && toVitals(own)),
    ...(silence !== undefined && { silence: Math.round(silence) }),
    // Those of the kernel, where it tells them: a worker that hangs has some too.
    ...(threadId === undefined && usageOf(pid, readBounded)),
    ...queueOf(sockets.acceptedBy(worker)),
  }
}

function toVitals({ accepted, cpu, delay, memory, open }: OwnVitals): WorkerVitals {
  return {
    delay: Math.round(delay * 10) / 10,
    open,
    ...(accepted !== undefined && { accepted }),
    ...(cpu !== undefined && { cpu: Math.round(cpu) }),
    memory,
  }
}

function queueOf(kept: readonly Kept[]): Pick<WorkerVitals, 'queued' | 'backlog'> {
  const queues = kept.filter(isListener).flatMap(({ fd }) => acceptQueueOf(fd) ?? [])
  if (queues.length === 0) return {}
  const queued = queues.reduce((sum, { waiting }) => sum + waiting, 0)
  const backlog = queues.reduce((sum, { limit }) => sum + limit, 0)
  return { queued, backlog }
}
