// The end of a unix path in its last worker: clients find the file no more, and those that wait are accepted.
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { ListenableServer } from '../index.js'
import { ServerConnections } from '../node/server-connections.js'
import type { DrainTimes } from './drain-times.js'

/**
 * Accepts what waits in the queue of the path. The kernel does not tell how many wait there: the queue is empty when a turn
 * of the event loop, which looks at the socket, brought no connection. The time alone says nothing where the loop was
 * blocked.
 *
 * @returns whether the queue is empty.
 */
export async function emptyPath(server: ListenableServer, { grace, drainTimeout }: DrainTimes): Promise<boolean> {
  const connections = new ServerConnections(server)
  const came = (): number => connections.accepted + connections.dropped
  try {
    await sleep(grace)
    const end = performance.now() + drainTimeout
    for (;;) {
      const before = came()
      await turn()
      await turn()
      if (came() === before) return true
      if (performance.now() > end) return false
    }
  } finally {
    connections.forget()
  }
}
