// Pure: who may be a guest of whose queue. A guest has the socket of another worker and watches its queue; where that
// stands, the guest accepts from it for a while (supervised/visits.ts). So all that is decided here is who has which socket.
//   Each queue has at most `GUESTS` guests: the workers of the same place whose slots come next. With more of them a
// connection would wake more event loops and be accepted no sooner.

/** A queue, as this file sees it. */
export interface QueueState {
  readonly id: string
  /** Queues of one place are for the same clients. */
  readonly place: string
  readonly slot: number
  /** The workers that accept from it as their own. None: the owner is dead. */
  readonly owners: readonly string[]
  /** Whether others may accept from it. */
  readonly isOpen: boolean
}

export type GuestAction = { readonly type: 'join' | 'part'; readonly worker: string; readonly id: string }

/** Guests of one queue. */
export const GUESTS = 3
/** ms in which a worker that could not join is not asked again: at first, and at most. Each refusal doubles it. */
export const REST = 1000
export const LONGEST_REST = 64_000

interface Guest {
  state: 'asked' | 'in' | 'parting' | 'refused'
  /** ms of rest after the next refusal, and when the last one ends. */
  rest: number
  until: number
}

export class GuestList {
  readonly #guests = new Map<string, Map<string, Guest>>()

  /** The answer to `join`. */
  joined(worker: string, id: string, isTaken: boolean, now: number): void {
    const guest = this.#guests.get(id)?.get(worker)
    if (guest?.state !== 'asked' && guest?.state !== 'parting') return
    if (isTaken) {
      if (guest.state === 'asked') Object.assign(guest, { state: 'in', rest: REST })
    } else if (guest.state === 'parting') this.#forget(worker, id)
    else
      Object.assign(guest, { state: 'refused', until: now + guest.rest, rest: Math.min(LONGEST_REST, 2 * guest.rest) })
  }

  /** The answer to `part`, or the guest has parted by itself. */
  parted(worker: string, id: string): void {
    if (this.#guests.get(id)?.get(worker)?.state !== 'refused') this.#forget(worker, id)
  }

  /** The worker has ended, or has closed its channel. */
  gone(worker: string): void {
    for (const id of [...this.#guests.keys()]) this.#forget(worker, id)
  }

  /** Whether the worker has the socket, as far as is known. */
  has(worker: string, id: string): boolean {
    const state = this.#guests.get(id)?.get(worker)?.state
    return state !== undefined && state !== 'refused'
  }

  /** The workers that have the socket, or may have it. */
  of(id: string): readonly string[] {
    return [...(this.#guests.get(id)?.keys() ?? [])].filter((worker) => this.has(worker, id))
  }

  /** The socket leaves the supervisor, or its queue is emptied. */
  removed(id: string): readonly GuestAction[] {
    return this.of(id).flatMap((worker) => this.#part(worker, id))
  }

  /**
   * @param hosts The workers that may be guests: ready, connected, not leaving.
   * @returns what is to be done, and the ms to the next look; undefined: the next look follows an event.
   */
  look(
    queues: readonly QueueState[],
    hosts: ReadonlySet<string>,
    now: number,
  ): { readonly actions: readonly GuestAction[]; readonly next: number | undefined } {
    const actions: GuestAction[] = []
    let next = Number.POSITIVE_INFINITY
    for (const queue of queues) {
      const wanted = guestsOf(queue, queues, hosts)
      for (const worker of this.of(queue.id)) {
        if (!wanted.includes(worker)) actions.push(...this.#part(worker, queue.id))
      }
      for (const worker of wanted) {
        const guest = this.#guest(worker, queue.id)
        if (guest.state === 'refused' && guest.until <= now) {
          guest.state = 'asked'
          actions.push({ type: 'join', worker, id: queue.id })
        } else if (guest.state === 'refused') next = Math.min(next, guest.until - now)
      }
    }
    return { actions, next: Number.isFinite(next) ? next : undefined }
  }

  #guest(worker: string, id: string): Guest {
    const guests = this.#guests.get(id) ?? new Map<string, Guest>()
    this.#guests.set(id, guests)
    const guest: Guest = guests.get(worker) ?? { state: 'refused', rest: REST, until: Number.NEGATIVE_INFINITY }
    guests.set(worker, guest)
    return guest
  }

  #part(worker: string, id: string): GuestAction[] {
    const guest = this.#guests.get(id)?.get(worker)
    if (guest?.state !== 'asked' && guest?.state !== 'in') return []
    guest.state = 'parting'
    return [{ type: 'part', worker, id }]
  }

  #forget(worker: string, id: string): void {
    const guests = this.#guests.get(id)
    guests?.delete(worker)
    if (guests?.size === 0) this.#guests.delete(id)
  }
}

/** Those whose slots follow the queue's own, around. */
function guestsOf(queue: QueueState, queues: readonly QueueState[], hosts: ReadonlySet<string>): readonly string[] {
  if (!queue.isOpen) return []
  const others = queues.filter(({ id, place }) => place === queue.place && id !== queue.id)
  const after = others.filter(({ slot }) => slot > queue.slot)
  const before = others.filter(({ slot }) => slot <= queue.slot)
  const bySlot = [after, before].flatMap((some) => some.toSorted((one, other) => one.slot - other.slot))
  const names = new Set(bySlot.flatMap(({ owners }) => owners))
  return [...names].filter((name) => hosts.has(name) && !queue.owners.includes(name)).slice(0, GUESTS)
}
