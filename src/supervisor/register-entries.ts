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
  /** The worker, which has handed the socket over and still drains, accepts from it again. */
  | { readonly type: 'give-back'; readonly worker: string; readonly id: string }
  /** What went back to the worker is its own: the supervisor has closed its duplicate, or others accept too. */
  | { readonly type: 'yours'; readonly worker: string; readonly id: string }

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

/** A socket and the workers that accept from it, and that have a duplicate. */
export type SocketState = RegisteredSocket & {
  readonly accepting: readonly string[]
  readonly offered: readonly string[]
  /** It waits for the next worker of its slot. */
  readonly waits: boolean
}

export interface SocketEntry extends RegisteredSocket {
  /** How many servers of each worker accept, or are about to: those that were sent a common socket. */
  readonly accepting: Map<string, number>
  /** Workers that have a duplicate, and may listen on it (again). */
  readonly offered: Set<string>
  /** Workers that have handed it over and still run, the latest last. */
  readonly before: Set<string>
  /** The one of these that was told to take it back, and has not answered. */
  goesBackTo: string | undefined
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
  /** It leaves, and has drained all its sockets. */
  hasDrained: boolean
  /** Sockets that it was asked to release and has not released. */
  readonly asked: Set<string>
}

export function newSocket(socket: RegisteredSocket): SocketEntry {
  return { ...socket, accepting: new Map(), offered: new Set(), before: new Set(), goesBackTo: undefined, waits: false }
}

export function stateOf(socket: SocketEntry): SocketState {
  return { ...socket, accepting: [...socket.accepting.keys()], offered: [...socket.offered] }
}

export function newWorker(slot: number): WorkerEntry {
  return {
    slot,
    state: 'starting',
    saidReady: false,
    hasNested: false,
    isConnected: true,
    hasDrained: false,
    asked: new Set(),
  }
}

export function open(asker: Asker | undefined): readonly Action[] {
  return asker === undefined ? [] : [{ type: 'open', ...asker }]
}

export function addTo(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
