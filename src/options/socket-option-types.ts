// Written by scripts/generate-options.mjs from src-native/core/option_table.cc.
import type { CommonOptions, CommonOptionValues } from './common-option-types.js'

/** Options of a TCP socket that shares its port. `socket(7)`, `tcp(7)`, `ip(7)`, `ipv6(7)`. */
export interface SocketOptions extends CommonOptions {
  /**
   * The kernel hands a connection to the server only when its first data has arrived. When a connection sends no
   * data for this long, the kernel hands it over or drops it. Linux rounds the time up to a time of its
   * retransmissions: 1, 3, 7, 15, 31 or 63. Not for protocols in which the server speaks first. 0 turns the option
   * off. 0 or more seconds. Default: the system's. Accepted sockets do not have it. Linux, Android. `tcp(7)
   * TCP_DEFER_ACCEPT`.
   */
  readonly deferAccept?: number | undefined
  /**
   * Length of the queue of connections whose data came with the SYN (TCP Fast Open). Takes effect if the bit 0x2 of
   * net.ipv4.tcp_fastopen is set. The kernel caps the length at somaxconn. 0 turns the option off. 0 or more
   * connections. Default: the system's. Accepted sockets do not have it. Linux, Android. `tcp(7) TCP_FASTOPEN, RFC
   * 7413`.
   */
  readonly fastOpen?: number | undefined
  /**
   * Sends small segments at once (disables Nagle's algorithm). Node sets the option for http by itself; setNoDelay()
   * of a connection changes it. Default: the system's. Accepted sockets inherit it. Every system that shares ports.
   * `tcp(7) TCP_NODELAY`.
   */
  readonly noDelay?: boolean | undefined
  /**
   * Probes idle connections, to find out whether the peer still answers. An object turns the probes on and sets
   * their times; a part that is left out keeps the system's value. Default: the system's. Accepted sockets inherit
   * it. Every system that shares ports. `socket(7) SO_KEEPALIVE`.
   */
  readonly keepAlive?:
    | boolean
    | {
        /**
         * Idle time before the first probe. 1 to 32767 seconds. Default: the system's. Accepted sockets inherit it. Linux,
         * Android, FreeBSD, NetBSD, macOS, Solaris, AIX. `tcp(7) TCP_KEEPIDLE`.
         */
        readonly idle?: number | undefined
        /**
         * Time between probes. 1 to 32767 seconds. Default: the system's. Accepted sockets inherit it. Linux, Android,
         * FreeBSD, NetBSD, macOS, Solaris, AIX. `tcp(7) TCP_KEEPINTVL`.
         */
        readonly interval?: number | undefined
        /**
         * Number of unanswered probes after which the kernel resets the connection. 1 to 127 probes. Default: the
         * system's. Accepted sockets inherit it. Linux, Android, FreeBSD, NetBSD, macOS, Solaris, AIX. `tcp(7)
         * TCP_KEEPCNT`.
         */
        readonly count?: number | undefined
      }
    | undefined
  /**
   * How long sent data may stay unacknowledged before the kernel resets the connection. 0 selects the system's
   * default. 0 or more milliseconds. Default: the system's. Accepted sockets inherit it. Linux, Android. `tcp(7)
   * TCP_USER_TIMEOUT, RFC 5482`.
   */
  readonly userTimeout?: number | undefined
  /**
   * Name of the congestion control algorithm, such as 'cubic' or 'bbr'. The algorithms listed in
   * net.ipv4.tcp_allowed_congestion_control need no privilege. 1 to 15 bytes. Default: the system's. Accepted
   * sockets inherit it. May take CAP_NET_ADMIN. Linux, Android, FreeBSD. `tcp(7) TCP_CONGESTION`.
   */
  readonly congestion?: string | undefined
  /**
   * Largest segment that the socket sends and announces. The MTU bounds the size too: reading the option of a
   * connection gives the size in use. 88 to 32767 bytes. Default: the system's. Accepted sockets inherit it. Every
   * system that shares ports. `tcp(7) TCP_MAXSEG`.
   */
  readonly maxSegment?: number | undefined
  /**
   * The socket counts as writable only while fewer than this many bytes wait unsent. The application then produces
   * its data later, so the data is fresher. 0 or more bytes. Default: the system's. Accepted sockets inherit it.
   * Linux, Android, macOS. `tcp(7) TCP_NOTSENT_LOWAT`.
   */
  readonly notSentLowWater?: number | undefined
  /**
   * What close() does with data that is still unsent. false: the kernel sends it in the background. 0: the kernel
   * discards it and resets the connection. A time: close() waits at most that long. Node's sockets do not block, so
   * a time has little effect there. false, or 0 to 32767 seconds. Default: the system's. Accepted sockets inherit
   * it. Every system that shares ports. `socket(7) SO_LINGER`.
   */
  readonly linger?: number | false | undefined
  /**
   * Acknowledges at once instead of together with the next data. The setting is not permanent: the kernel changes it
   * during the connection. Default: the system's. Accepted sockets inherit it. Linux, Android. `tcp(7)
   * TCP_QUICKACK`.
   */
  readonly quickAck?: boolean | undefined
  /**
   * Multipath TCP: clients that support it use several paths and get MPTCP connections; other clients get plain TCP.
   * Linux 5.6 and later with net.mptcp.enabled. On such a socket Linux 6.18 refuses ttl, hopLimit, trafficClass,
   * userTimeout and quickAck. Default: the system's. Accepted sockets inherit it. Linux, Android. `RFC 8684,
   * socket(2) IPPROTO_MPTCP`.
   */
  readonly mptcp?: boolean | undefined
  /**
   * Name of the filter that a connection must pass before the server can accept it, such as 'dataready' or
   * 'httpready'. 1 to 15 bytes. Default: the system's. Accepted sockets do not have it. FreeBSD, NetBSD.
   * `accept_filter(9), accf_http(9)`.
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
