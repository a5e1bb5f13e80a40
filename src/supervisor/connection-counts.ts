// Pure: how many connections are open, by place and worker, and which of these numbers a worker has to know.
import { isAhead } from './ahead.js'

interface Count {
  /** As the worker has told last. */
  open: number
  /** Connections that are on their way to the worker. */
  booked: number
  /** The fewest connections of another worker, as this worker knows it. */
  told: number | undefined
}

/** What a worker has to know: the fewest open connections of another worker at that place. */
export interface Share {
  readonly worker: string
  readonly place: string
  readonly fewest: number | undefined
}

/** The most places of one worker. */
const MOST_PLACES = 4096

export class ConnectionCounts {
  readonly #places = new Map<string, Map<string, Count>>()
  readonly #isHost: (worker: string) => boolean

  /** @param isHost Whether connections can be passed on to this worker. */
  constructor(isHost: (worker: string) => boolean) {
    this.#isHost = isHost
  }

  /** The worker listens at this place, and has so many open connections there. */
  set(worker: string, place: string, open: number): void {
    const known = this.#places.get(place)?.get(worker)
    if (known !== undefined) known.open = open
    else if (this.#placesOf(worker) < MOST_PLACES) {
      const counts = this.#places.get(place) ?? new Map<string, Count>()
      counts.set(worker, { open, booked: 0, told: undefined })
      this.#places.set(place, counts)
    }
  }

  open(worker: string, place: string): number {
    return this.#places.get(place)?.get(worker)?.open ?? 0
  }

  /** @param by 1 where a connection is sent to the worker, -1 where the worker has answered. */
  book(worker: string, place: string, by: 1 | -1): void {
    const count = this.#places.get(place)?.get(worker)
    if (count !== undefined) count.booked = Math.max(0, count.booked + by)
  }

  /** The worker does not listen there any more; without a place, anywhere. */
  remove(worker: string, place?: string): void {
    for (const [of, counts] of place === undefined ? [...this.#places] : [[place, this.#places.get(place)] as const]) {
      counts?.delete(worker)
      if (counts?.size === 0) this.#places.delete(of)
    }
  }

  /** The workers that can serve a connection of this place; those with fewest connections come first. */
  hosts(place: string): readonly { readonly worker: string; readonly load: number }[] {
    return [...(this.#places.get(place) ?? [])]
      .filter(([worker]) => this.#isHost(worker))
      .map(([worker, { open, booked }]) => ({ worker, load: open + booked }))
      .sort((one, other) => one.load - other.load)
  }

  fewestFor(worker: string, place: string): number | undefined {
    const [first, second] = this.hosts(place)
    return first?.worker === worker ? second?.load : first?.load
  }

  /** Takes down that the worker knows this number. */
  told(worker: string, place: string, fewest: number | undefined): void {
    const count = this.#places.get(place)?.get(worker)
    if (count !== undefined) count.told = fewest
  }

  /** The numbers that have changed, for those workers that decide by them. Takes down that they know them. */
  shares(): readonly Share[] {
    const shares: Share[] = []
    for (const [place, counts] of this.#places) {
      const [first, second] = this.hosts(place)
      for (const [worker, count] of counts) {
        const fewest = first?.worker === worker ? second?.load : first?.load
        if (fewest === count.told || !isNeeded(count, fewest)) continue
        count.told = fewest
        shares.push({ worker, place, fewest })
      }
    }
    return shares
  }

  #placesOf(worker: string): number {
    return [...this.#places.values()].filter((counts) => counts.has(worker)).length
  }
}

/** A worker that has fewer connections than the others keeps what it accepts, whatever their numbers are. */
function isNeeded({ open, told }: Count, fewest: number | undefined): boolean {
  if (fewest === undefined || told === undefined) return true
  // Two connections more, and it would decide by this number.
  return isAhead(open + 2, Math.min(told, fewest))
}
