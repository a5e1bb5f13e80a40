// Pure: counters of workers, summed up by slot: they go on where a worker is replaced or has died.

/** @internal */
export class SlotTotals<Name extends string> {
  /** Of workers that have ended, by slot. */
  readonly #ended = new Map<number, Map<Name, number>>()
  readonly #workers = new Map<string, { readonly slot: number; readonly counts: Map<Name, number> }>()

  /** @param value So far, of this worker. One that is less than before is not counted: a counter never goes back. */
  see(worker: string, slot: number, name: Name, value: number | undefined): void {
    if (value === undefined) return
    const known = this.#workers.get(worker) ?? { slot, counts: new Map<Name, number>() }
    this.#workers.set(worker, known)
    known.counts.set(name, Math.max(known.counts.get(name) ?? 0, value))
  }

  /** The worker has ended: what it was seen with last stays. */
  end(worker: string): void {
    const known = this.#workers.get(worker)
    if (known === undefined) return
    this.#workers.delete(worker)
    for (const [name, value] of known.counts) this.add(known.slot, name, value)
  }

  /** Counts something that belongs to the slot. */
  add(slot: number, name: Name, value: number): void {
    const counts = this.#ended.get(slot) ?? new Map<Name, number>()
    this.#ended.set(slot, counts.set(name, (counts.get(name) ?? 0) + value))
  }

  /** @returns undefined where nothing was ever seen. */
  of(slot: number, name: Name): number | undefined {
    const living = [...this.#workers.values()].flatMap((one) => (one.slot === slot ? (one.counts.get(name) ?? []) : []))
    const ended = this.#ended.get(slot)?.get(name)
    return ended === undefined && living.length === 0 ? undefined : living.reduce((sum, one) => sum + one, ended ?? 0)
  }
}
