// Pure: the sockets that a keeper has, and whose they are.
import type { JoinCounts } from './join-counts.js'
import type { KeptChild } from './kept-child.js'
import type { Kept } from './kept-socket.js'
import type { KeptQueue } from './queue-joining.js'
import type { QueueKeeperStatus } from './queue-keeper-types.js'

export interface KeptOf {
  readonly kept: Kept
  /** The last one that accepted from it as its own. */
  worker: KeptChild
  /**
   * `taken`: sent to the worker, which has not said that it listens. `waiting`: for another worker. `emptying`: nobody has
   * come in time, and guests accept what waits. `parting`: so do guests no more, and it is closed then.
   */
  state: 'accepted' | 'taken' | 'waiting' | 'emptying' | 'parting'
  timer: NodeJS.Timeout | undefined
}

export function isOwned({ state }: KeptOf): boolean {
  return state === 'accepted' || state === 'taken'
}

export function toQueue(socket: KeptOf): KeptQueue {
  const { kept, worker } = socket
  return { kept, slot: worker.pid, owners: isOwned(socket) ? [worker.name] : [] }
}

export function statusOf(workers: readonly KeptChild[], all: readonly KeptOf[], counts: JoinCounts): QueueKeeperStatus {
  return {
    workers: workers.flatMap((worker) => {
      const own = all.filter((socket) => socket.worker === worker && isOwned(socket)).map(({ kept }) => kept)
      if (own.length === 0) return []
      const ids = own.map(({ id }) => id)
      return [{ pid: worker.pid, sockets: own.map(({ inode }) => inode), ...counts.of(worker.name, ids) }]
    }),
    waiting: all
      .filter((socket) => !isOwned(socket))
      .map(({ kept: { address, family, port, inode } }) => ({ address, family, port, inode })),
  }
}
