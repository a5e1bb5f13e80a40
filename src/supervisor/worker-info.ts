import { fstatSync } from 'node:fs'
import type { SupervisorStatus } from './control-protocol.js'
import type { WorkerInfo } from './events.js'
import type { Kept } from './kept-socket.js'
import type { RunningWorker } from './running-worker.js'

export function describe(worker: RunningWorker): WorkerInfo {
  const { slot, pid, threadId, generation, state, startedAt } = worker
  return { slot, pid, threadId, generation, state, startedAt }
}

/** The status of a worker, for JSON. @param kept All sockets that the supervisor holds. */
export function toStatus(worker: RunningWorker, kept: readonly Kept[]): SupervisorStatus['workers'][number] {
  const { threadId, startedAt, ...info } = describe(worker)
  return {
    ...info,
    ...(threadId !== undefined && { threadId }),
    startedAt: startedAt.toISOString(),
    sockets: kept.filter(({ id }) => worker.claimed.has(id)).map(({ fd }) => fstatSync(fd).ino),
  }
}
