import { fstatSync } from 'node:fs'
import type { SupervisorStatus } from './control-protocol.js'
import type { WorkerInfo } from './events.js'
import type { Kept } from './kept-socket.js'
import type { RunningWorker } from './running-worker.js'

export function describe(worker: RunningWorker): WorkerInfo {
  const { slot, pid, threadId, generation, state, startedAt } = worker
  return { slot, pid, threadId, generation, state, startedAt }
}

interface Known {
  /** The kept sockets that the worker accepts from. */
  readonly sockets: { acceptedBy(worker: RunningWorker): readonly Kept[] }
  readonly balancing: { passedOn(worker: RunningWorker): number | undefined }
}

/** The status of a worker, for JSON. */
export function toStatus(worker: RunningWorker, { balancing, sockets }: Known): SupervisorStatus['workers'][number] {
  const passedOn = balancing.passedOn(worker)
  const { threadId, startedAt, ...info } = describe(worker)
  return {
    ...info,
    ...(threadId !== undefined && { threadId }),
    startedAt: startedAt.toISOString(),
    sockets: sockets.acceptedBy(worker).map(({ fd }) => fstatSync(fd).ino),
    ...(passedOn !== undefined && { passedOn }),
  }
}
