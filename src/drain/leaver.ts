import type { AbortSignalLike } from '../common/abort-signal.js'
import type { LeavingTimes } from './times.js'

export interface DepartureTimes extends LeavingTimes {
  readonly signal: AbortSignalLike | undefined
}

/** The server that leaves its group. */
export interface Leaver {
  /** False where the program has closed the server in the meantime. */
  isListening(): boolean
  /** Connections in the accept queue when the drain began. */
  readonly waitingBefore: number
  /** Connections accepted since then, those that `maxConnections` refused among them. */
  accepted(): number
  /** Called once, when the drain begins. */
  onLeaving(): void
  /** Calls `tell` with the descriptor of each connection accepted from now on. @returns a function that ends this. */
  onAccepted(tell: (fd: number) => void): () => void
  /** Closes the listener synchronously. */
  stopListening(): void
}
