// Pure: when WebSockets and event streams end. Their clients connect again at once, all of them to the members that stay.

/** The share of `connectionTimeout` that is left for clients to answer the end, and the longest, in ms. */
const ANSWER_SHARE = 0.2
const LONGEST_ANSWER = 1000

export interface SpreadTimes {
  readonly websocketTimeout: number
  readonly connectionTimeout: number
}

/** ms from the close of the listener until the last one has been told. */
export function spreadOver({ websocketTimeout, connectionTimeout }: SpreadTimes): number {
  const answer = Math.min(LONGEST_ANSWER, connectionTimeout * ANSWER_SHARE)
  return Math.min(
    websocketTimeout,
    connectionTimeout === Number.POSITIVE_INFINITY ? websocketTimeout : connectionTimeout - answer,
  )
}

/**
 * How many have to be told now, so that equal times are between them.
 *
 * @param elapsed ms since the close of the listener.
 * @param total ms until the last one is told.
 * @param told How many have been told.
 * @param waiting How many have not.
 */
export function dueNow(elapsed: number, total: number, told: number, waiting: number): number {
  if (elapsed >= total) return waiting
  return Math.max(0, Math.floor((told + waiting) * (elapsed / total)) - told)
}
