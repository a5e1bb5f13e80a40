// Written by scripts/generate-options.mjs from src-native/core/option_table.cc.
import type { CommonOptions, CommonOptionValues } from './common-option-types.js'

/** Options of a TCP socket that shares its port. `socket(7)`, `tcp(7)`, `ip(7)`, `ipv6(7)`. */
export interface SocketOptions extends CommonOptions {
  /**
   * A connection is accepted only when its first data is here; one that sends none for this long is accepted or
   * dropped then. Linux rounds up to the times of its retransmissions: 1, 3, 7, 15, 31, 63. Not for protocols in
   * which the server speaks first. 0 is off. 0 or more seconds. Default: the system's. Accepted sockets do not have
   * it. Linux, Android. `tcp(7) TCP_DEFER_ACCEPT`.
   */
  readonly deferAccept?: number | undefined
  /**
   * Length of the queue of connections whose data came with the SYN (TCP Fast Open). Takes effect where bit 2 of
   * net.ipv4.tcp_fastopen is set; the kernel caps it at somaxconn. 0 is off. 0 or more connections. Default: the
   * system's. Accepted sockets do not have it. Linux, Android. `tcp(7) TCP_FASTOPEN, RFC 7413`.
   */
  readonly fastOpen?: number | undefined
  /**
   * Sends small segments at once (no Nagle). Node sets it by itself for http; a connection's setNoDelay() changes
   * it. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `tcp(7) TCP_NODELAY`.
   */
  readonly noDelay?: boolean | undefined
  /**
   * Asks peers that are silent whether they are still there. An object turns it on and sets its times; what is left
   * out stays the system's. Default: the system's. Accepted sockets inherit it. Every system that shares ports.
   * `socket(7) SO_KEEPALIVE`.
   */
  readonly keepAlive?:
    | boolean
    | {
        /**
         * Silence before the first question. 1 to 32767 seconds. Default: the system's. Accepted sockets inherit it.
         * Linux, Android, FreeBSD, NetBSD, macOS, Solaris, AIX. `tcp(7) TCP_KEEPIDLE`.
         */
        readonly idle?: number | undefined
        /**
         * Time between questions. 1 to 32767 seconds. Default: the system's. Accepted sockets inherit it. Linux, Android,
         * FreeBSD, NetBSD, macOS, Solaris, AIX. `tcp(7) TCP_KEEPINTVL`.
         */
        readonly interval?: number | undefined
        /**
         * Unanswered questions after which the connection is reset. 1 to 127 questions. Default: the system's. Accepted
         * sockets inherit it. Linux, Android, FreeBSD, NetBSD, macOS, Solaris, AIX. `tcp(7) TCP_KEEPCNT`.
         */
        readonly count?: number | undefined
      }
    | undefined
  /**
   * How long sent data may stay unacknowledged before the connection is reset. 0 is the system's default. 0 or more
   * milliseconds. Default: the system's. Accepted sockets inherit it. Linux, Android. `tcp(7) TCP_USER_TIMEOUT, RFC
   * 5482`.
   */
  readonly userTimeout?: number | undefined
  /**
   * Name of the congestion control algorithm, such as 'cubic' or 'bbr'. Those of
   * net.ipv4.tcp_allowed_congestion_control need no privilege. 1 to 15 bytes. Default: the system's. Accepted
   * sockets inherit it. May take CAP_NET_ADMIN. Linux, Android, FreeBSD. `tcp(7) TCP_CONGESTION`.
   */
  readonly congestion?: string | undefined
  /**
   * Largest segment that is sent and announced. The MTU bounds it as well: a connection reports what is in use. 88
   * to 32767 bytes. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `tcp(7)
   * TCP_MAXSEG`.
   */
  readonly maxSegment?: number | undefined
  /**
   * The socket counts as writable only while less than this waits unsent, so that data is made up later and is
   * fresher. 0 or more bytes. Default: the system's. Accepted sockets inherit it. Linux, Android, macOS. `tcp(7)
   * TCP_NOTSENT_LOWAT`.
   */
  readonly notSentLowWater?: number | undefined
  /**
   * What closing does with data that is still unsent: false sends it in the background, 0 throws it away and resets
   * the connection, a time lets close() wait that long. Node's sockets do not block, so a time means little there.
   * false, or 0 to 32767 seconds. Default: the system's. Accepted sockets inherit it. Every system that shares
   * ports. `socket(7) SO_LINGER`.
   */
  readonly linger?: number | false | undefined
  /**
   * Acknowledges at once rather than with the next data. Not permanent: the kernel changes it as the connection goes
   * on. Default: the system's. Accepted sockets inherit it. Linux, Android. `tcp(7) TCP_QUICKACK`.
   */
  readonly quickAck?: boolean | undefined
  /**
   * Multipath TCP: clients that speak it use several paths and get connections of it, others get plain TCP. Linux
   * 5.6 and later with net.mptcp.enabled. On such a socket Linux 6.18 takes neither ttl, hopLimit, trafficClass,
   * userTimeout nor quickAck. Default: the system's. Accepted sockets inherit it. Linux, Android. `RFC 8684,
   * socket(2) IPPROTO_MPTCP`.
   */
  readonly mptcp?: boolean | undefined
  /**
   * Name of the filter that a connection passes before it is accepted, such as 'dataready' or 'httpready'. 1 to 15
   * bytes. Default: the system's. Accepted sockets do not have it. FreeBSD, NetBSD. `accept_filter(9),
   * accf_http(9)`.
   */
  readonly acceptFilter?: string | undefined
  /** Options to leave out where this system lacks or denies them. A value that the system refuses is still an error. */
  readonly optional?: readonly (keyof SocketOptionValues)[] | undefined
}

/** The values of `SocketOptions`, read back from a socket. */
export interface SocketOptionValues extends CommonOptionValues {
  readonly deferAccept: number
  readonly fastOpen: number
  readonly noDelay: boolean
  readonly keepAlive:
    | false
    | {
        readonly idle?: number | undefined
        readonly interval?: number | undefined
        readonly count?: number | undefined
      }
  readonly userTimeout: number
  readonly congestion: string
  readonly maxSegment: number
  readonly notSentLowWater: number
  readonly linger: number | false
  readonly quickAck: boolean
  readonly mptcp: boolean
  readonly acceptFilter: string
}
