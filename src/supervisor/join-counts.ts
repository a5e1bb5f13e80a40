// Pure: what is counted of guests, for the status.

/** What a worker has done for the queues of others, and others for its queues. */
export interface QueueNumbers {
  /** How often the worker began to accept from the queue of another worker. */
  readonly joins: number
  /** Connections that it has accepted from the queues of other workers. */
  readonly acceptedAsGuest: number
  /** ms in which connections stood in the queues of its slot and nobody accepted them: times of 50 ms or more, in steps of 50. */
  readonly stood: number
}

/** @internal */
export class JoinCounts {
  readonly #joins = new Map<string, number>()
  readonly #accepted = new Map<string, number>()
  /** By socket. */
  readonly #standing = new Map<string, number>()

  joined(worker: string): void {
    this.#joins.set(worker, (this.#joins.get(worker) ?? 0) + 1)
  }

  accepted(worker: string, count: number): void {
    this.#accepted.set(worker, (this.#accepted.get(worker) ?? 0) + count)
  }

  /** @param time ms more. */
  stood(id: string, time: number): void {
    this.#standing.set(id, (this.#standing.get(id) ?? 0) + time)
  }

  gone(worker: string): void {
    this.#joins.delete(worker)
    this.#accepted.delete(worker)
  }

  removed(id: string): void {
    this.#standing.delete(id)
  }

  /** @param sockets The ids of those that the worker accepts from. */
  of(worker: string, sockets: readonly string[]): QueueNumbers {
    const stood = sockets.reduce((sum, id) => sum + (this.#standing.get(id) ?? 0), 0)
    return { joins: this.#joins.get(worker) ?? 0, acceptedAsGuest: this.#accepted.get(worker) ?? 0, stood }
  }
}
