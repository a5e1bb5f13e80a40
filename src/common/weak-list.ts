// Pure: objects that are remembered as long as somebody else does.

export class WeakList<T extends object> {
  readonly #isOver: (object: T) => boolean
  #references: WeakRef<T>[] = []
  #next = 64

  /** @param isOver Objects of which this says true are forgotten. */
  constructor(isOver: (object: T) => boolean) {
    this.#isOver = isOver
  }

  add(object: T): void {
    this.#references.push(new WeakRef(object))
    if (this.#references.length < this.#next) return
    this.#references = this.#references.filter((reference) => {
      const known = reference.deref()
      return known !== undefined && !this.#isOver(known)
    })
    // Each is looked at once for each time that the list doubles.
    this.#next = Math.max(64, 2 * this.#references.length)
  }

  all(): readonly T[] {
    return this.#references.flatMap((reference) => {
      const known = reference.deref()
      return known === undefined || this.#isOver(known) ? [] : [known]
    })
  }
}
