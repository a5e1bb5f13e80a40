// Pure: what is known of the queues that workers join, and of the workers, and the times that the decision keeps.

/** A queue at the moment of a look. */
export interface QueueState {
  readonly id: string
  readonly place: string
  /** Connections that wait. */
  readonly length: number
  /** The workers that accept from it as their own. None: the owner is dead. */
  readonly owners: readonly string[]
}

export interface Look {
  readonly queues: readonly QueueState[]
  /** Workers that may be guests: ready, connected, not leaving. */
  readonly hosts: ReadonlySet<string>
  /** ms. */
  readonly now: number
}

export type JoinAction =
  | { readonly type: 'join'; readonly worker: string; readonly id: string }
  | { readonly type: 'part'; readonly worker: string; readonly id: string }
  | { readonly type: 'ping'; readonly worker: string }
  /** From now on the watch reports when this queue has stood for `patience` ms. It may be watched already. */
  | { readonly type: 'watch'; readonly id: string; readonly patience: number }

/** Guests of one queue, and queues of one guest, at most. */
export const GUESTS = 3
/** ms. A worker that has not answered a join by then is busy, and another one is asked. */
export const ANSWER = 3
/** ms. A queue that was seen with connections for so long: its guests do not serve it, and its owner is not idle. */
export const STANDING = 2
/** ms of emptiness that end a visit: at first, and where visits follow each other within `SOON` ms. */
export const SHORTEST_HOLD = 5
export const LONGEST_HOLD = 40
export const SOON = 100
/** ms for which a queue must have stood: at least, and at most where visits were of no use. */
export const SHORTEST_PATIENCE = 1
export const LONGEST_PATIENCE = 16
/** ms between looks at a queue that is watched with more patience than it will need. */
export const RELAX = 250
/** ms. An owner that answers so soon was not standing still: it would have accepted the connections itself. */
export const QUICK = 4
/** ms. An owner that has not answered for so long stood still: the joins of the visit cost nothing. */
export const LATE = 16
/** ms between looks, at most. */
export const LONGEST_WAIT = 8
/** ms in which a worker that could not join is not asked again. */
export const REST = 1000

export interface Guest {
  state: 'asked' | 'in' | 'parting'
  /** When it was asked; then, when it answered. */
  since: number
  /** It came while it was needed: what it accepts says whether the visit was of use. */
  isCounted: boolean
}

export interface QueueEntry {
  readonly id: string
  state: 'new' | 'watched' | 'active'
  /** The patience that it is watched with. */
  watchedFor: number
  hadOwners: boolean
  /** When it was first seen with connections, or without, and at every look since. */
  fullSince: number | undefined
  emptySince: number | undefined
  readonly guests: Map<string, Guest>
  /** The visit: when the first guest was asked, and when the owners had answered first. */
  visit: { readonly since: number; joins: number; answeredAt: number | undefined } | undefined
  /** Whether a guest of the visit has accepted anything, and its owner was not quick. */
  wasUseful: boolean
  wasQuick: boolean
  visitedUntil: number
  hold: number
  /** What its visits have taught. */
  patience: number
  /** ms of patience where it stood and nobody was idle. */
  unmet: number
  /** ms to the next look, doubled while there is nothing to do. */
  wait: number
}

export interface WorkerEntry {
  /** It has not answered the last ping. */
  isPinged: boolean
  pongedAt: number
  /** Queues whose guest it is, or was asked to be. */
  visits: number
  /** It has not answered a join. */
  isAsked: boolean
  restsUntil: number
  /** The number of the join that it was asked last. */
  turn: number
  /** The look at which a queue of its own had connections; at which such a queue stood. */
  busyAt: number
  standingAt: number
}

export function newQueue(id: string): QueueEntry {
  return {
    id,
    state: 'new',
    watchedFor: SHORTEST_PATIENCE,
    hadOwners: true,
    fullSince: undefined,
    emptySince: undefined,
    guests: new Map(),
    visit: undefined,
    wasUseful: false,
    wasQuick: false,
    visitedUntil: Number.NEGATIVE_INFINITY,
    hold: SHORTEST_HOLD,
    patience: SHORTEST_PATIENCE,
    unmet: 0,
    wait: 1,
  }
}

export function newWorker(): WorkerEntry {
  return {
    isPinged: false,
    pongedAt: Number.NEGATIVE_INFINITY,
    visits: 0,
    isAsked: false,
    restsUntil: Number.NEGATIVE_INFINITY,
    turn: 0,
    busyAt: 0,
    standingAt: 0,
  }
}
