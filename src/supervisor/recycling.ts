// Pure: which worker is replaced for its age or its memory, and when. All times are in ms of one clock, memory is in bytes.

/** Why a worker is replaced. `age` and its `limit` are in ms, `memory` and its `limit` in bytes. */
export type RecyclingReason =
  | { readonly why: 'age'; readonly age: number; readonly limit: number }
  | { readonly why: 'memory'; readonly memory: number; readonly limit: number }

/** @internal */
export interface RecyclingLimits {
  readonly maxAge: number | undefined
  /** Each worker may have up to so much more than `maxAge`, by chance. */
  readonly maxAgeJitter: number
  readonly maxMemory: number | undefined
}

/** @internal */
export interface Measured {
  readonly name: string
  readonly slot: number
  readonly age: number
  /** Undefined where it is not known. */
  readonly memory: number | undefined
}

/** @internal */
export interface Due {
  readonly worker: Measured
  readonly reason: RecyclingReason
}

/** Between two looks at the memory. */
const LOOKS = 5000
/** A worker that grows to its limit within this time grows faster than it is worth to replace it. */
const SOON = 60_000
const FIRST_REST = 10_000
const LONGEST_REST = 300_000
const SHORTEST_WAIT = 1000
const LONGEST_WAIT = 0x7fffffff

/** @internal */
export class Recycling {
  readonly #limits: RecyclingLimits
  readonly #random: () => number
  /** What the jitter gives each worker beyond `maxAge`. */
  readonly #extra = new Map<string, number>()
  /** Until when the worker of a slot is left alone. */
  readonly #rests = new Map<number, { readonly length: number; readonly until: number }>()

  /** @param random 0 to 1. */
  constructor(limits: RecyclingLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  /** @returns the worker to replace now: the largest that is too large, or else the oldest that is too old. */
  due(workers: readonly Measured[], now: number): Due | undefined {
    for (const name of this.#extra.keys()) if (!workers.some((one) => one.name === name)) this.#extra.delete(name)
    const awake = workers.filter(({ slot }) => this.#restOf(slot, now) === 0)
    const { maxAge = 0, maxMemory: limit } = this.#limits
    const [largest] = [...awake].sort((one, other) => (other.memory ?? 0) - (one.memory ?? 0))
    if (limit !== undefined && largest?.memory !== undefined && largest.memory >= limit)
      return { worker: largest, reason: { why: 'memory', memory: largest.memory, limit } }
    const old = awake.filter((worker) => this.#untilOld(worker) <= 0)
    const [oldest] = old.sort((one, other) => this.#untilOld(one) - this.#untilOld(other))
    return oldest && { worker: oldest, reason: { why: 'age', age: oldest.age, limit: maxAge } }
  }

  /** The worker has been replaced. @returns for how long its successor is left alone, where it grew too fast. */
  replaced({ worker, reason }: Due, now: number): number | undefined {
    const { age, slot } = worker
    const before = this.#rests.get(slot)?.length ?? 0
    if (reason.why === 'memory' && age < before + SOON) return this.#rest(slot, now)
    this.#rests.delete(slot)
    return undefined
  }

  /** Its successor has failed, and the worker goes on. @returns for how long it is left alone. */
  failed({ worker }: Due, now: number): number {
    return this.#rest(worker.slot, now)
  }

  /** @returns how long it takes at least until a worker may be due. */
  wait(workers: readonly Measured[], now: number): number {
    const { maxAge = LONGEST_WAIT, maxMemory } = this.#limits
    const looks = maxMemory === undefined ? LONGEST_WAIT : LOOKS
    const waits = workers.map((worker) => Math.max(this.#untilOld(worker), this.#restOf(worker.slot, now)))
    return Math.max(SHORTEST_WAIT, Math.min(LONGEST_WAIT, looks, maxAge, ...waits))
  }

  #rest(slot: number, now: number): number {
    const before = this.#rests.get(slot)?.length ?? 0
    const length = Math.min(LONGEST_REST, Math.max(FIRST_REST, before * 2))
    this.#rests.set(slot, { length, until: now + length })
    return length
  }

  #restOf(slot: number, now: number): number {
    return Math.max(0, (this.#rests.get(slot)?.until ?? 0) - now)
  }

  #untilOld({ age, name }: Measured): number {
    const { maxAge, maxAgeJitter } = this.#limits
    if (maxAge === undefined) return Number.POSITIVE_INFINITY
    const extra = this.#extra.get(name) ?? this.#random() * maxAgeJitter
    this.#extra.set(name, extra)
    return maxAge + extra - age
  }
}
