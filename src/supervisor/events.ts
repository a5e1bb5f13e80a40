import type { WorkerExit } from './launch.js'
import type { WorkerState } from './running-worker.js'

/** A worker, as it was at that moment. */
export interface WorkerInfo {
  /** 0 to the number of workers - 1; who takes a worker's place has its number. */
  readonly slot: number
  /** Of the process; of this one where workers are threads. */
  readonly pid: number
  readonly threadId: number | undefined
  /** 1 at the start, one more with each reload. */
  readonly generation: number
  readonly state: WorkerState
  readonly startedAt: Date
}

export interface ListeningInfo {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
}

/** What `replace` ended, as process ids. */
export interface Replaced {
  /** Supervisors, and workers whose supervisor has died. */
  readonly ended: readonly number[]
  /** Members that nobody here has started. */
  readonly strangers: readonly number[]
  /** Those that did not end in time. */
  readonly late: readonly number[]
}

export interface SupervisorEvents {
  'worker:start': [worker: WorkerInfo]
  /** Once for each port. `isTakenOver`: the socket of its predecessor. */
  'worker:listening': [worker: WorkerInfo, where: ListeningInfo & { readonly isTakenOver: boolean }]
  'worker:ready': [worker: WorkerInfo]
  /** It has drained; `reason` says what was lost. */
  'worker:drained': [worker: WorkerInfo, report: { readonly lossless: boolean; readonly reason: string | undefined }]
  /** `isExpected`: it was told to. */
  'worker:exit': [worker: WorkerInfo, exit: WorkerExit & { readonly isExpected: boolean }]
  /** In so many ms another one takes the place of one that died. */
  'worker:restart': [slot: number, restart: { readonly delay: number; readonly earlyDeaths: number }]
  /** With `output: 'pipe'`. */
  'worker:output': [worker: WorkerInfo, stream: 'stdout' | 'stderr', text: string]
  /** What the program said by `process.send`. */
  'worker:message': [worker: WorkerInfo, message: unknown]
  /** All workers listen. */
  running: [workers: number]
  /** With `replace`: who was on the ports before has ended. */
  replaced: [replaced: Replaced]
  /** Something that one would want to know. */
  warning: [message: string]
  'reload:start': [generation: number]
  'reload:done': [generation: number, duration: number]
  'reload:failed': [generation: number, error: Error]
  scaled: [workers: number]
  /** It ends: it was told to, or has given up (`error`). */
  stopping: [error: Error | undefined]
}
