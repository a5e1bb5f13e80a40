// Step 5 of a drain: the connections end.
import { Deadline, nextTurn, pause } from '../common/waiting.js'
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

/** ms between two looks at the connections: more where there are so many that a look takes more than a share of it. */
const POLL_INTERVAL = 50
const LONGEST_INTERVAL = 500
const LOOKING_SHARE = 0.1

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
    // Where the program was busy, what has come meanwhile is read first: it is no idle time.
    await nextTurn()
    connections.closeIdle(now, times.idleTimeout, times.handshakeTimeout)
    const longLived = connections.longLived()
    const due = longLived.slice(0, dueNow(now, total, told, longLived.length))
    for (const one of due) one.end()
    told += due.length
    const look = new Deadline(
      Math.min(untilNextLook(now, performance.now() - began, total), deadline.left()),
      times.signal,
    )
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

/**
 * @param began When this look began, in ms since the close of the listener.
 * @param ended When it ended.
 * @param total When all WebSockets and event streams have to be told: no look may miss that.
 */
function untilNextLook(began: number, ended: number, total: number): number {
  const interval = Math.min(LONGEST_INTERVAL, Math.max(POLL_INTERVAL, (ended - began) / LOOKING_SHARE))
  return ended < total ? Math.min(interval, Math.max(1, total - ended)) : interval
}
