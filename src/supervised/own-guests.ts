import type { FromWorker } from '../supervisor/protocol.js'

/** ms for whoever keeps a duplicate to say that the guests have parted. */
const PARTS = 2000

/** The guests of this worker's own sockets. They keep a socket in its group that is about to leave it. */
export class OwnGuests {
  readonly #send: (message: FromWorker) => void
  readonly #parting = new Map<string, () => void>()

  constructor(send: (message: FromWorker) => void) {
    this.#send = send
  }

  /** Resolves when they have parted, or late. */
  part(id: string): Promise<void> {
    this.#send({ type: 'drains', id })
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.parted(id), PARTS)
      this.#parting.set(id, () => {
        clearTimeout(timer)
        this.#parting.delete(id)
        resolve()
      })
    })
  }

  /** The answer: `yours`. */
  parted(id: string): void {
    this.#parting.get(id)?.()
  }
}
