// Pure: how much joining may cost. A join takes one to three milliseconds of processor time in all, and under a load that
// all workers share it gains nothing. So joins are paid from a budget that fills with time. The less is left, the longer a
// queue must have stood: a worker that really stands still is found at any time, and one that is only late is not joined.
// What was paid for a queue whose owner did stand still is given back.

/** Joins in any second, at most, over all queues: also for queues that are never too dear. */
export const JOINS_PER_SECOND = 400
/** Joins that the budget gains in a second, for each CPU: about 1 % of its time. */
const GAIN = 5
/** Joins for each CPU that are paid from a full budget. */
const MOST = 10
/** The price of a report, in joins: it wakes the supervisor, which looks at all queues. */
const REPORT = 0.2
/** ms of standing from which on a queue is joined whatever is left, where there are no more queues than `FEW` for each CPU. */
export const DEAREST = 32
/** Where there are more, it takes longer in proportion, so that there are no more reports. */
const FEW = 4

export class JoinBudget {
  readonly #cpus: number
  #left: number
  #at = Number.NEGATIVE_INFINITY
  #turns = 0
  /** The times of the last joins, as a ring. */
  readonly #joins = new Float64Array(JOINS_PER_SECOND).fill(Number.NEGATIVE_INFINITY)

  constructor(cpus: number) {
    this.#cpus = cpus
    this.#left = MOST * cpus
  }

  /** The number of joins so far. */
  get turns(): number {
    return this.#turns
  }

  mayJoin(now: number): boolean {
    return now - (this.#joins[this.#turns % JOINS_PER_SECOND] as number) >= 1000
  }

  pay(now: number): void {
    this.#spend(1, now)
    this.#joins[this.#turns++ % JOINS_PER_SECOND] = now
  }

  giveBack(joins: number): void {
    this.#left = Math.min(MOST * this.#cpus, this.#left + joins)
  }

  reported(now: number): void {
    this.#spend(REPORT, now)
  }

  /** ms for which one of so many queues must have stood, at most 1000: none while more than half is left. */
  patience(queues: number, now: number): number {
    this.#fill(now)
    const dear = Math.max(0, 1 - (2 * this.#left) / (MOST * this.#cpus))
    return Math.min(1000, Math.ceil(dear * DEAREST * Math.max(1, queues / (FEW * this.#cpus))))
  }

  #spend(price: number, now: number): void {
    this.#fill(now)
    this.#left = Math.max(0, this.#left - price)
  }

  #fill(now: number): void {
    const passed = this.#at === Number.NEGATIVE_INFINITY ? 0 : Math.max(0, now - this.#at)
    this.#left = Math.min(MOST * this.#cpus, this.#left + (passed * GAIN * this.#cpus) / 1000)
    this.#at = Math.max(this.#at, now)
  }
}
