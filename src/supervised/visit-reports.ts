import type { FromWorker } from '../supervisor/protocol.js'

/** ms between two messages. */
const REPORTS = 100

/** Tells the supervisor of visits: at once, and then not again for a while. */
export class VisitReports {
  readonly #send: (message: FromWorker) => void
  #begun = new Set<string>()
  #ended: { readonly id: string; readonly accepted: number }[] = []
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(send: (message: FromWorker) => void) {
    this.#send = send
  }

  begun(id: string): void {
    // An end that was not told goes first.
    if (this.#ended.some((visit) => visit.id === id)) this.flush()
    this.#begun.add(id)
    this.#soon()
  }

  ended(id: string, accepted: number): void {
    this.#ended.push({ id, accepted })
    this.#soon()
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#begun.size + this.#ended.length === 0) return
    this.#sentAt = performance.now()
    this.#send({ type: 'visits', begun: [...this.#begun], ended: this.#ended })
    this.#begun = new Set()
    this.#ended = []
  }

  #soon(): void {
    const rest = this.#sentAt + REPORTS - performance.now()
    if (rest <= 0) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), rest).unref()
  }
}
