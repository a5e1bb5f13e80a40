// Pure: how long a listener may take to leave its group.

/** ms. */
export interface LeavingTimes {
  readonly grace: number
  readonly handshakeTimeout: number
  readonly lockTimeout: number
}

/** ms for the server to accept the connections in its accept queue. */
export const ACCEPT_TIMEOUT = 2000

/** ms in which a listener finishes what its clients have begun, at most. */
export function longestFinish({ grace, handshakeTimeout }: LeavingTimes): number {
  return grace + handshakeTimeout + ACCEPT_TIMEOUT
}

/** ms in which others join a departure. Each that joins prolongs it, up to MOST_GATHER. */
export const GATHER = 20
export const MOST_GATHER = 200

/** ms from joining a departure to its first order: the leader gathers others and waits for the group's lock. */
export function longestBeginning({ lockTimeout }: Pick<LeavingTimes, 'lockTimeout'>): number {
  return lockTimeout + 2 * MOST_GATHER
}

/** ms in which a listener has joined a departure and was told to leave; after that it leaves without the others. */
export function longestCompany(times: LeavingTimes): number {
  return longestBeginning(times) + longestFinish(times)
}

/** ms in which a listener has left its group, at most. */
export function longestDeparture(times: LeavingTimes): number {
  return longestCompany(times) + longestFinish(times)
}
