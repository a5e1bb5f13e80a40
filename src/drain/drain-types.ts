import type { AbortSignalLike } from '../common/abort-signal.js'

/** Options of `drain`. Never written to. */
export interface DrainOptions {
  /** ms after new connections go to other members, for what the kernel is processing at that moment. Default 50. */
  readonly grace?: number | undefined
  /**
   * ms at most for the clients to finish the TCP handshakes that have begun, and from the last byte of a client to the
   * next one while the first message of its TLS handshake has begun and is not complete. Default 1000.
   */
  readonly handshakeTimeout?: number | undefined
  /**
   * ms for which a connection of an HTTP or TLS server may be idle after the close of the listener; then it is closed. A
   * connection is idle between two requests, and where nothing has come on it. Default 1000.
   */
  readonly idleTimeout?: number | undefined
  /**
   * ms from the close of the listener for open connections to end; connections that remain are destroyed. `Infinity`
   * waits for all of them. Default 10000.
   */
  readonly connectionTimeout?: number | undefined
  /**
   * ms from the close of the listener in which WebSockets are ended by a Close frame (1001), and answers of the type
   * text/event-stream by their end: one after the other, spread over this time. It ends a moment before
   * `connectionTimeout` at the latest (a fifth of it, a second at most), so that the clients can answer. Default: as
   * `connectionTimeout`, or 10000 where that is `Infinity`.
   */
  readonly websocketTimeout?: number | undefined
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
  /** How the listener left its group. */
  readonly method: DrainMethod
  /** What may have been lost, and then why `method` is not `'steer'`; undefined where neither applies. */
  readonly reason: string | undefined
  /** Connections accepted between the call and the end of listening; of a UDP socket, datagrams received. */
  readonly acceptedWhileDraining: number
  /** Handshakes of the port that were under way when new connections had stopped; the drain waited for each. */
  readonly handshakesAwaited: number
  /** Connections that were open when the listener closed and that ended in time. */
  readonly connectionsClosed: number
  /** Connections that the drain destroyed at `connectionTimeout`, and that were gone afterwards. */
  readonly connectionsDestroyed: number
  /**
   * Connections that were still open afterwards: those that the program has unref()ed, which Node does not list, or all of
   * them where the program listens again in the meantime.
   */
  readonly connectionsLeft: number
  /** From the call to the end of the drain. */
  readonly duration: number
}
