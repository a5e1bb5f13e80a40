// Pure: who may open the one socket of a place, where all workers accept from one socket. The first worker that asks opens
// it, the others wait. What was granted ends in exactly one answer: the socket, that it could not be opened, or the end of
// the worker.

/** A server of a worker that waits for a socket. The answer repeats the number `want`. */
export interface Asker {
  readonly worker: string
  readonly want: number
}

interface Grant {
  opener: string | undefined
  askers: Asker[]
}

export class Grants {
  readonly #grants = new Map<string, Grant>()

  /** @returns who opens the socket of this place now; undefined where another worker is about to. */
  ask(key: string, asker: Asker): Asker | undefined {
    const grant = this.#grants.get(key) ?? { opener: undefined, askers: [] }
    this.#grants.set(key, grant)
    grant.askers.push(asker)
    return this.#next(key, grant)
  }

  /** The worker has opened the socket. @returns all who wait for it. */
  opened(key: string, worker: string): readonly Asker[] {
    const grant = this.#grants.get(key)
    if (grant === undefined) return []
    if (grant.opener === worker) grant.opener = undefined
    const waiting = grant.askers.splice(0)
    this.#tidy(key, grant)
    return waiting
  }

  /** The worker could not open the socket, or does not want it any more. @returns who opens it now. */
  notOpened(key: string, worker: string): Asker | undefined {
    const grant = this.#grants.get(key)
    if (grant?.opener !== worker) return undefined
    grant.opener = undefined
    return this.#next(key, grant)
  }

  /**
   * The worker leaves: what it was told to open it may still open. @returns its requests that wait for another worker,
   * which it answers itself.
   */
  leaves(worker: string): readonly Asker[] {
    return [...this.#grants].flatMap(([key, grant]) => {
      const own = grant.askers.filter((asker) => asker.worker === worker)
      grant.askers = grant.askers.filter((asker) => asker.worker !== worker)
      this.#tidy(key, grant)
      return own
    })
  }

  /** The worker has ended. @returns who opens now what the worker was about to open. */
  gone(worker: string): readonly Asker[] {
    return [...this.#grants].flatMap(([key, grant]) => {
      grant.askers = grant.askers.filter((asker) => asker.worker !== worker)
      if (grant.opener === worker) grant.opener = undefined
      return this.#next(key, grant) ?? []
    })
  }

  #next(key: string, grant: Grant): Asker | undefined {
    const next = grant.opener === undefined ? grant.askers.shift() : undefined
    if (next !== undefined) grant.opener = next.worker
    this.#tidy(key, grant)
    return next
  }

  #tidy(key: string, { askers, opener }: Grant): void {
    if (opener === undefined && askers.length === 0) this.#grants.delete(key)
  }
}
