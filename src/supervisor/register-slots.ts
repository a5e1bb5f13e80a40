// Pure: the slots of the workers, each with its ready worker or without one.

export class Slots {
  /** The ready worker of each slot; undefined where the slot waits for one. */
  readonly #workers = new Map<number, string | undefined>()

  /** @returns the lowest number that no slot has: the number of a new slot. */
  open(): number {
    let slot = 0
    while (this.#workers.has(slot)) slot++
    this.#workers.set(slot, undefined)
    return slot
  }

  end(slot: number): void {
    this.#workers.delete(slot)
  }

  set(slot: number, worker: string): void {
    this.#workers.set(slot, worker)
  }

  /** The slot waits for another worker, if it has this one. */
  vacate(slot: number, worker: string): void {
    if (this.#workers.get(slot) === worker) this.#workers.set(slot, undefined)
  }

  workerOf(slot: number): string | undefined {
    return this.#workers.get(slot)
  }

  /** @param slot Undefined: whether any slot waits for a worker. */
  isWaiting(slot: number | undefined): boolean {
    if (slot !== undefined) return this.#workers.has(slot) && this.#workers.get(slot) === undefined
    return [...this.#workers.values()].includes(undefined)
  }
}
