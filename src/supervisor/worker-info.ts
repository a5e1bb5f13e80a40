import { fstatSync } from 'node:fs'
import type { SupervisorStatus } from './control-protocol.js'
import type { WorkerInfo } from './events.js'
import type { Kept } from './kept-socket.js'
import type { RunningWorker } from './running-worker.js'

export function describe(worker: RunningWorker): WorkerInfo {
  const { slot, pid, threadId, generation, state, startedAt } = worker
  return { slot, pid, threadId, generation, state, startedAt }
}

/** The status of a worker, for JSON. @param sockets The kept sockets that it accepts from. */
export function toStatus(worker: RunningWorker, sockets: readonly Kept[]): SupervisorStatus['workers'][number] {
  const { threadId, startedAt, ...info } = describe(worker)
  return {
    ...info,
    ...(threadId !== undefined && { threadId }),
    startedAt: startedAt.toISOString(),
    sockets: sockets.map(({ fd }) => fstatSync(fd).ino),
  }
}
