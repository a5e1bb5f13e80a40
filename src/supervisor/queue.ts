/** Runs one work at a time, in the order of the calls. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` when all earlier work has settled. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Resolves when all work so far has settled. */
  get settled(): Promise<unknown> {
    return this.#last
  }
}
