// Pure: the times that a supervisor gives to its workers.

/** ms. */
export interface DrainTimes {
  readonly grace: number
  readonly drainTimeout: number
}
