import type { AbortSignalLike } from '../common/abort-signal.js'

/** Options of `drain`. Never written to. */
export interface DrainOptions {
  /** ms for what the kernel is doing at this moment to settle, after new connections go to others. Default 50. */
  readonly grace?: number | undefined
  /** ms at most for the handshakes that have begun to be finished by their clients. Default 1000. */
  readonly handshakeTimeout?: number | undefined
  /** ms for kept HTTP connections on which nothing happens, once the listener is closed. Default 1000. */
  readonly idleTimeout?: number | undefined
  /** ms for open connections to end, once the listener is closed; those that remain are destroyed. `Infinity` for no end. Default 10000. */
  readonly connectionTimeout?: number | undefined
  /**
   * Another process holds this socket too, and goes on accepting from it: only this process stops. The socket stays in
   * its group with all that waits in it. Default false.
   */
  readonly handOver?: boolean | undefined
  /** ms at most for others to finish draining the same group, one after the other. Default 10000. */
  readonly lockTimeout?: number | undefined
  /**
   * Ends the drain: before the listener has left its group the server stays as it was; later its connections are left
   * alone. The promise is rejected with the signal's reason.
   */
  readonly signal?: AbortSignalLike | undefined
}

/** How a listener left. */
export type DrainMethod =
  /** New connections were steered to the other members by a program of the group. */
  | 'steer'
  /** What had not been accepted in time the kernel moved to other members (`net.ipv4.tcp_migrate_req`). */
  | 'migrate'
  /** New connections were not answered, so that their clients asked again, a second later, and reached others. */
  | 'defer'
  /** Another process goes on accepting from the same socket (`handOver`). */
  | 'hand-over'
  /** There was nobody to steer to, or no way to: what waited was accepted, and the listener closed. */
  | 'close'

/** What `drain` did. Durations in ms. */
export interface DrainReport {
  /** Nothing that a client had begun was lost, as far as the kernel tells. */
  readonly lossless: boolean
  readonly method: DrainMethod
  /** Why it was not done by steering, or what may have been lost; undefined where there is nothing to say. */
  readonly reason: string | undefined
  /** Connections accepted between the call and the end of listening. */
  readonly acceptedWhileDraining: number
  /** Handshakes that had begun when new connections had stopped coming; each was waited for. */
  readonly handshakesAwaited: number
  /** Connections that were open when the listener closed and ended in time. */
  readonly connectionsClosed: number
  /** Those that were destroyed at `connectionTimeout`. */
  readonly connectionsDestroyed: number
  readonly duration: number
}
