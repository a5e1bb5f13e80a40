import type { ListeningInfo } from './events.js'
import type { QueueNumbers } from './join-counts.js'

/** Options of `QueueKeeper`. */
export interface QueueKeeperOptions {
  /**
   * For how long the socket of a worker that has died waits for another worker to listen there, in ms. In the meantime the
   * other workers accept from it. Then they empty its queue and it is closed. Default: 30000.
   */
  readonly keepTimeout?: number | undefined
}

/** A queue that a worker accepts from although it is not its own. */
export interface JoinedQueue extends ListeningInfo {
  /** The pid of the worker whose queue it is, or was. */
  readonly of: number
}

/** The events of `QueueKeeper`, each with what its listeners get. */
export interface QueueKeeperEvents {
  /** The worker with this pid accepts from the queue of another worker too, which stands still, is busy or has died. */
  'queue:join': [pid: number, queue: JoinedQueue]
  /** It accepts no more from there. `accepted`: connections that it has accepted from there in the meantime. */
  'queue:part': [pid: number, queue: JoinedQueue & { readonly accepted: number }]
  /** A problem, as a sentence. */
  warning: [message: string]
}

/** What `status()` of a `QueueKeeper` says. */
export interface QueueKeeperStatus {
  /** Those that listen. `sockets`: the inodes, as in `ss -e`. */
  readonly workers: readonly ({ readonly pid: number; readonly sockets: readonly number[] } & QueueNumbers)[]
  /** Sockets of workers that have died, which no other worker has taken yet. */
  readonly waiting: readonly (ListeningInfo & { readonly inode: number })[]
}
