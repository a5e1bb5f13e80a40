import type { Readable } from 'node:stream'
import type { WorkersLimit } from './automatic-workers.js'
import type { WorkerExit } from './launch.js'
import type { RecyclingReason } from './recycling.js'

/** `'leaving'`: it drains, and its program ends. `'gone'`: it has ended. */
export type WorkerState = 'starting' | 'ready' | 'leaving' | 'gone'

/** The state of a worker at the moment of the event or call. */
export interface WorkerInfo {
  /** 0 to the number of workers - 1. The successor of a worker has the same slot. */
  readonly slot: number
  /** The pid of the worker's process; with `threads`, the pid of this process. */
  readonly pid: number
  /** Undefined where the worker is a process. */
  readonly threadId: number | undefined
  /** 1 at the start; each reload adds 1. */
  readonly generation: number
  readonly state: WorkerState
  /** When the supervisor started it. */
  readonly startedAt: Date
}

/** Where a worker listens: a numeric address. */
export interface ListeningInfo {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
}

/** A queue that a worker accepts from although it is not its own. */
export interface JoinInfo extends ListeningInfo {
  /** The slot of the worker whose queue it is. */
  readonly of: number
}

/** The result of the option `replace`, as process ids. */
export interface Replaced {
  /** Processes that were told to end: supervisors, and workers whose supervisor has died. */
  readonly ended: readonly number[]
  /** Members of the group that no supervisor has started. They stay. */
  readonly strangers: readonly number[]
  /** Processes of `ended` that did not end in time. */
  readonly late: readonly number[]
}

/** The events of `Supervisor`, each with what its listeners get. */
export interface SupervisorEvents {
  /** At the start with `workers: 'auto'`: the number of workers, and what limits it. */
  'workers:auto': [workers: number, from: WorkersLimit]
  /** A process or thread was started. It is not ready yet. */
  'worker:start': [worker: WorkerInfo]
  /** Once for each port. `isTakenOver`: the supervisor already held the socket, such as that of a predecessor. */
  'worker:listening': [worker: WorkerInfo, where: ListeningInfo & { readonly isTakenOver: boolean }]
  /** The worker listens on this unix path, as all workers do. An abstract name begins with a zero. */
  'worker:path': [worker: WorkerInfo, path: string]
  /** The worker serves: it listens wherever its predecessor did, or its program has sent `'ready'`. */
  'worker:ready': [worker: WorkerInfo]
  /** The worker has drained. `reason` says what was lost, or is undefined. */
  'worker:drained': [worker: WorkerInfo, report: { readonly lossless: boolean; readonly reason: string | undefined }]
  /** `isExpected`: the worker was told to end, by the supervisor or by a signal. */
  'worker:exit': [worker: WorkerInfo, exit: WorkerExit & { readonly isExpected: boolean }]
  /** The worker is replaced by a new one, because of its age or its memory. */
  'worker:recycle': [worker: WorkerInfo, reason: RecyclingReason]
  /** A new worker starts in the slot of a dead one after `delay` ms. `earlyDeaths`: early deaths in a row. */
  'worker:restart': [slot: number, restart: { readonly delay: number; readonly earlyDeaths: number }]
  /**
   * Text that the worker printed, with `output: 'pipe'`. After `from.pause()` no more is read of this stream until
   * `from.resume()`, and the worker waits as it would for any slow reader. 'close' of `from` comes after the last text.
   */
  'worker:output': [worker: WorkerInfo, stream: 'stdout' | 'stderr', text: string, from: Readable]
  /** The worker accepts from the queue of another worker too, which stands still, is busy or has died. */
  'queue:join': [worker: WorkerInfo, queue: JoinInfo]
  /** It accepts no more from there. `accepted`: connections that it has accepted from there in the meantime. */
  'queue:part': [worker: WorkerInfo, queue: JoinInfo & { readonly accepted: number }]
  /** A message of the program, by `process.send` or, in a thread, `parentPort.postMessage`. */
  'worker:message': [worker: WorkerInfo, message: unknown]
  /** All workers are ready. */
  running: [workers: number]
  /** With `replace`: the earlier processes on the ports have ended, except those of `late` and `strangers`. */
  replaced: [replaced: Replaced]
  /** A problem that does not stop the supervisor, as a sentence. */
  warning: [message: string]
  /** With `watch`: these files, from `cwd`, have changed, and a reload follows. */
  'watch:change': [files: readonly string[]]
  /** The workers are replaced, one after the other, by those of this generation. */
  'reload:start': [generation: number]
  /** The first new worker serves beside the one that it replaces, for `soak` ms. Where it fails, that one goes on. */
  'reload:soak': [worker: WorkerInfo, soak: number]
  /** All workers are of this generation. `duration` in ms. */
  'reload:done': [generation: number, duration: number]
  /** A new worker did not become ready or healthy, or died during the soak; the old one, and those after it, go on. */
  'reload:failed': [generation: number, error: Error]
  /** `scale` has changed the number of workers. */
  scaled: [workers: number]
  /** The supervisor drains its workers and ends. `error`: why it has given up; undefined where it was told to end. */
  stopping: [error: Error | undefined]
}
