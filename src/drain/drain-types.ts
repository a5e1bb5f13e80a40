import type { AbortSignalLike } from '../common/abort-signal.js'

/** Options of `drain`. Never written to. */
export interface DrainOptions {
  /** ms after new connections go to other members, for what the kernel is processing at that moment. Default 50. */
  readonly grace?: number | undefined
  /** ms at most for the clients to finish the handshakes that have begun. Default 1000. */
  readonly handshakeTimeout?: number | undefined
  /** ms from the close of the listener until kept HTTP connections that are idle are closed. Default 1000. */
  readonly idleTimeout?: number | undefined
  /**
   * ms from the close of the listener for open connections to end; connections that remain are destroyed. `Infinity`
   * waits for all of them. Default 10000.
   */
  readonly connectionTimeout?: number | undefined
  /**
   * Says that another process holds this socket too and continues to accept from it: only this process stops. The
   * socket stays in its group, with the connections in its accept queue. Default false.
   */
  readonly handOver?: boolean | undefined
  /** ms at most to wait for drains of the group that began earlier; the drain then goes on by `'defer'`. Default 10000. */
  readonly lockTimeout?: number | undefined
  /**
   * Aborts the drain. Before the listener has left its group, the server stays as it was. After that, its open
   * connections are left alone. The promise is rejected with the signal's reason.
   */
  readonly signal?: AbortSignalLike | undefined
}

/** How a listener left its group. */
export type DrainMethod =
  /** A program of the group steered new connections to the other members. */
  | 'steer'
  /** The kernel moved what the server had not accepted in time to other members (`net.ipv4.tcp_migrate_req`). */
  | 'migrate'
  /** New connections got no answer: their clients asked again a second later and reached other members. */
  | 'defer'
  /** Another process has the same socket and continues to accept from it (`handOver`, or seen in /proc). */
  | 'hand-over'
  /**
   * The group had no other member: the server accepted what waited, and the listener closed. Or this system offers none
   * of the other methods: the listener closed, and what waited may be lost. `reason` says which.
   */
  | 'close'

/** What `drain` did. Durations in ms. */
export interface DrainReport {
  /** True where nothing that a client had begun was lost, as far as the kernel reports. */
  readonly lossless: boolean
  readonly method: DrainMethod
  /** Why `method` is not `'steer'`, and what may have been lost; undefined where neither applies. */
  readonly reason: string | undefined
  /** Connections accepted between the call and the end of listening; of a UDP socket, datagrams received. */
  readonly acceptedWhileDraining: number
  /** Handshakes of the port that were under way when new connections had stopped; the drain waited for each. */
  readonly handshakesAwaited: number
  /** Connections that were open when the listener closed and that ended in time. */
  readonly connectionsClosed: number
  /** Connections that the drain destroyed at `connectionTimeout`. */
  readonly connectionsDestroyed: number
  readonly duration: number
}
