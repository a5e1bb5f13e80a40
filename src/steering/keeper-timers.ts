/** ms between two looks at the group: members that neither keep nor follow send no message. */
const LOOK = 1000

/** ms for which changes of the members are collected before one look at the group. */
const GATHER = 20

/** When a keeper looks at its group. No timer keeps the process alive. */
export class KeeperTimers {
  readonly #look: () => void
  #looking: NodeJS.Timeout | undefined
  #gathering: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined

  constructor(look: () => void) {
    this.#look = look
  }

  lookRegularly(): void {
    this.#looking ??= setInterval(this.#look, LOOK).unref()
  }

  lookSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      this.#look()
    }, GATHER).unref()
  }

  /** Runs it once, as long after now as two looks are apart. */
  tryAgain(action: () => void): void {
    clearTimeout(this.#again)
    this.#again = setTimeout(action, LOOK).unref()
  }

  stop(): void {
    clearInterval(this.#looking)
    clearTimeout(this.#gathering)
    clearTimeout(this.#again)
    this.#looking = undefined
    this.#gathering = undefined
  }
}
