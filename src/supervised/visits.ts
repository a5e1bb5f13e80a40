// Pure: for how long a guest accepts from the queue of another worker that stood. Not for longer than needed: a worker that
// keeps up with its own queue serves it alone, as the kernel has chosen. But a queue that stands again and again, because
// its owner is slow for long, is not left and visited in each of these times.

/** ms of a visit: at first, and at most where visits follow each other. */
export const SHORTEST_VISIT = 50
export const LONGEST_VISIT = 1000
/** How much longer a visit is than the one before it. */
const GROWTH = 4
/** ms after a visit in which the next one counts as its continuation. */
export const SOON = 250

interface Visited {
  length: number
  endedAt: number
}

export class Visits {
  readonly #visited = new Map<string, Visited>()

  /** The queue stands. @returns ms of the visit that begins. */
  begin(id: string, now: number): number {
    const before = this.#visited.get(id)
    const goesOn = before !== undefined && now - before.endedAt <= SOON
    const length = goesOn ? Math.min(LONGEST_VISIT, GROWTH * before.length) : SHORTEST_VISIT
    this.#visited.set(id, { length, endedAt: now + length })
    return length
  }

  ended(id: string, now: number): void {
    const visited = this.#visited.get(id)
    if (visited !== undefined) visited.endedAt = now
  }

  forget(id: string): void {
    this.#visited.delete(id)
  }
}
