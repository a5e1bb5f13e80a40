// Step 5 of a drain: the connections end.
import { Deadline, pause } from '../common/waiting.js'
import type { ServerConnections } from '../node/server-connections.js'
import type { DrainTimes } from './drain-options.js'
import { dueNow, spreadOver } from './spread.js'

export interface Ending {
  readonly closed: number
  readonly destroyed: number
  /** Those that were still open afterwards. */
  readonly left: number
  /** The program listens again, so its connections are left to it. */
  readonly listensAgain: boolean
}

/** How the connections of a server came to their end by themselves. */
export type Over = 'closed' | 'listens again'

/** ms between two looks at the connections; more where there are so many that a look takes more than a share of it. */
const POLL_INTERVAL = 50
const LOOKING_SHARE = 0.05

/** ms to wait for 'close' after the last connection was destroyed. */
const CLOSE_TIMEOUT = 1000

/** @param over The server has closed, with its last connection; or it listens again. @throws the signal's reason. */
export async function endConnections(
  connections: ServerConnections,
  over: Promise<Over>,
  times: DrainTimes,
): Promise<Ending> {
  const open = await connections.count()
  const deadline = new Deadline(times.connectionTimeout, times.signal)
  const began = performance.now()
  const total = spreadOver(times)
  for (let told = 0; ; ) {
    const now = performance.now() - began
    connections.closeIdle(now, times.idleTimeout, times.handshakeTimeout)
    const longLived = connections.longLived()
    const due = longLived.slice(0, dueNow(now, total, told, longLived.length))
    for (const one of due) one.end()
    told += due.length
    const taken = performance.now() - began - now
    const interval = Math.max(POLL_INTERVAL, taken / LOOKING_SHARE)
    const look = new Deadline(Math.min(interval, deadline.left()), times.signal)
    const end = await look.race(over)
    if (end === 'closed') return { closed: open, destroyed: 0, left: 0, listensAgain: false }
    if (end === 'listens again') {
      const left = Math.min(open, await connections.count())
      return { closed: open - left, destroyed: 0, left, listensAgain: true }
    }
    if (deadline.left() === 0) break
  }
  const before = await connections.count()
  connections.destroyAll()
  const end = await Promise.race([over, pause(CLOSE_TIMEOUT)])
  const left = end === 'closed' ? 0 : await connections.count()
  return { closed: open - before, destroyed: before - left, left, listensAgain: false }
}
