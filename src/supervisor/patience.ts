// Pure: how long a worker that was told to leave may take, from the waits that are allowed to it.
import { longestDeparture } from '../drain/times.js'

/** ms at most for the drains of a worker's servers to wait for drains of other processes, and for open handshakes. */
export const LOCK_TIMEOUT = 1000
export const HANDSHAKE_TIMEOUT = 1000

/** ms for what the program does itself when its servers are drained. */
export const PROGRAM = 5000

/** ms from the order to leave to the end of the process, where the worker does not say that it has drained. */
export function leaveTimeout({
  drainTimeout,
  grace,
}: {
  readonly drainTimeout: number
  readonly grace: number
}): number {
  const departure = longestDeparture({ grace, lockTimeout: LOCK_TIMEOUT, handshakeTimeout: HANDSHAKE_TIMEOUT })
  return departure + drainTimeout + PROGRAM
}
