// Pure: the signals that ask a process to end, and which of them asks for the end at once.

export const ENDING_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const

/** A signal that asks a process to end, and that its program may listen for. */
export type EndingSignal = (typeof ENDING_SIGNALS)[number]

/**
 * Two signals within this time (ms) are one: yarn and pnpm send the SIGINT of Ctrl-C a second time, systemd and Heroku send
 * SIGTERM to each process of a tree, and a shell that passes signals on sends it again.
 */
export const ONE_WISH = 1000

/** Counts the signals that ask a process to end, of whichever name. */
export class SignalCount {
  readonly #now: () => number
  #count = 0
  #first = 0

  /** @param now The time in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  get count(): number {
    return this.#count
  }

  /**
   * Counts a signal.
   *
   * @returns 'first', 'same' for a second one within ONE_WISH of the first, and otherwise 'at once': somebody does not
   *   want to wait. Whoever is in a hurry sends a third.
   */
  hear(): 'first' | 'same' | 'at once' {
    this.#count++
    if (this.#count > 2) return 'at once'
    const now = this.#now()
    if (this.#count === 1) {
      this.#first = now
      return 'first'
    }
    return now - this.#first < ONE_WISH ? 'same' : 'at once'
  }
}
