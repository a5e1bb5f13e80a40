// Pure: when workers are pinged, and which of them hang: their event loop has not turned for the time of `hangTimeout`.

interface Entry {
  /** ms without an answer to the last ping. */
  silence: number
  isPinged: boolean
  isHung: boolean
}

export class Hangs {
  /** ms between two calls of `tick`. */
  readonly interval: number
  readonly #timeout: number
  readonly #workers = new Map<string, Entry>()
  #tickedAt: number | undefined

  /** @param timeout ms. */
  constructor(timeout: number) {
    this.#timeout = timeout
    this.interval = timeout / 4
  }

  /** @param workers Those that must answer: ready, connected, not leaving. @returns whom to ping, and who hangs, each once. */
  tick(
    workers: readonly string[],
    now: number,
  ): { readonly ping: readonly string[]; readonly hung: readonly string[] } {
    // A supervisor that was stopped itself, or a computer that was asleep, has not waited for so long.
    const waited = Math.min(now - (this.#tickedAt ?? now), this.interval * 1.5)
    this.#tickedAt = now
    for (const name of this.#workers.keys()) if (!workers.includes(name)) this.#workers.delete(name)
    const [ping, hung]: [string[], string[]] = [[], []]
    for (const name of workers) {
      const worker = this.#workers.get(name) ?? { silence: 0, isPinged: false, isHung: false }
      this.#workers.set(name, worker)
      if (worker.isHung) continue
      // One ping at a time: what a worker does not read would fill its channel.
      if (!worker.isPinged) ping.push(name)
      else worker.silence += waited
      worker.isPinged = true
      worker.isHung = worker.silence >= this.#timeout
      if (worker.isHung) hung.push(name)
    }
    return { ping, hung }
  }

  /** The worker has answered any ping. */
  ponged(name: string): void {
    const worker = this.#workers.get(name)
    if (worker === undefined) return
    worker.silence = 0
    worker.isPinged = false
  }
}
