// Pure: what is counted of guests, for the status.

/** What a worker has done for the queues of others, and others for its queues. */
export interface QueueNumbers {
  /** How often the worker has joined the queue of another worker. */
  readonly joins: number
  /** Connections that it has accepted from the queues of other workers. */
  readonly acceptedAsGuest: number
  /** ms in which connections stood in the queues of its slot, because it did not accept them. */
  readonly stood: number
}

interface Standing {
  total: number
  since: number | undefined
}

/** @internal */
export class JoinCounts {
  readonly #joins = new Map<string, number>()
  readonly #accepted = new Map<string, number>()
  /** By socket. */
  readonly #standing = new Map<string, Standing>()

  joined(worker: string): void {
    this.#joins.set(worker, (this.#joins.get(worker) ?? 0) + 1)
  }

  accepted(worker: string, count: number): void {
    this.#accepted.set(worker, (this.#accepted.get(worker) ?? 0) + count)
  }

  stands(id: string, now: number): void {
    const standing = this.#standing.get(id) ?? { total: 0, since: undefined }
    standing.since ??= now
    this.#standing.set(id, standing)
  }

  empty(id: string, now: number): void {
    const standing = this.#standing.get(id)
    if (standing?.since === undefined) return
    standing.total += now - standing.since
    standing.since = undefined
  }

  gone(worker: string): void {
    this.#joins.delete(worker)
    this.#accepted.delete(worker)
  }

  removed(id: string): void {
    this.#standing.delete(id)
  }

  /** @param sockets The ids of those that the worker accepts from. */
  of(worker: string, sockets: readonly string[], now: number): QueueNumbers {
    const stood = sockets.reduce((sum, id) => {
      const { since, total } = this.#standing.get(id) ?? { total: 0, since: undefined }
      return sum + total + (since === undefined ? 0 : now - since)
    }, 0)
    return { joins: this.#joins.get(worker) ?? 0, acceptedAsGuest: this.#accepted.get(worker) ?? 0, stood }
  }
}
