// Pure: what the register knows of sockets and workers, and what it wants done.
import type { Asker } from './grants.js'

export type Action =
  /** The supervisor closes its duplicate. */
  | { readonly type: 'close'; readonly id: string }
  /** The worker closes its duplicates of those sockets that none of its servers has. */
  | { readonly type: 'release'; readonly worker: string; readonly ids: readonly string[] }
  /** The worker opens the socket that it asked for. */
  | { readonly type: 'open'; readonly worker: string; readonly want: number }
  /** The worker gets the socket that it asked for. */
  | { readonly type: 'take'; readonly worker: string; readonly want: number; readonly id: string }

export interface RegisteredSocket {
  readonly id: string
  /** The request to listen, as text (`wishKey`): the places of two workers are the same where this is. */
  readonly place: string
  /** Undefined where all workers accept from the socket. */
  readonly slot: number | undefined
  /** Another process, such as systemd, has opened the socket. The supervisor keeps it to the end. */
  readonly isGiven: boolean
  /** Whether the supervisor has a duplicate. */
  readonly isKept: boolean
}

export interface SocketEntry extends RegisteredSocket {
  /** How many servers of each worker accept, or are about to: those that were sent a common socket. */
  readonly accepting: Map<string, number>
  /** Workers that have a duplicate, and may listen on it (again). */
  readonly offered: Set<string>
  /** The last worker that accepted has ended. */
  waits: boolean
}

export interface WorkerEntry {
  readonly slot: number
  state: 'starting' | 'ready' | 'leaving'
  /** The program sent 'ready'. */
  saidReady: boolean
  /** A thread or cluster worker of the program listens on a socket that nobody keeps. */
  hasNested: boolean
  isConnected: boolean
  /** Sockets that it was asked to release and has not released. */
  readonly asked: Set<string>
}

export function newSocket(socket: RegisteredSocket): SocketEntry {
  return { ...socket, accepting: new Map(), offered: new Set(), waits: false }
}

export function newWorker(slot: number): WorkerEntry {
  return { slot, state: 'starting', saidReady: false, hasNested: false, isConnected: true, asked: new Set() }
}

type Sockets = ReadonlyMap<string, SocketEntry>

/** How many servers of the worker accept at each place. */
export function placesOf(sockets: Sockets, worker: string): ReadonlyMap<string, number> {
  return counted([...sockets.values()].map(({ accepting, place }) => [place, accepting.get(worker) ?? 0]))
}

/** How many sockets at each place wait for the next worker of the slot. */
export function placesWaiting(sockets: Sockets, slot: number): ReadonlyMap<string, number> {
  const waits = (one: SocketEntry): boolean =>
    one.waits && (one.slot === slot || (one.slot === undefined && one.accepting.size === 0))
  return counted([...sockets.values()].map((one) => [one.place, waits(one) ? 1 : 0]))
}

function counted(places: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const [place, count] of places) if (count > 0) all.set(place, (all.get(place) ?? 0) + count)
  return all
}

export function open(asker: Asker | undefined): readonly Action[] {
  return asker === undefined ? [] : [{ type: 'open', ...asker }]
}

export function addTo(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
