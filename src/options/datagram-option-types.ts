// Written by scripts/generate-options.mjs from src-native/core/option_table.cc.
import type { CommonOptions, CommonOptionValues } from './common-option-types.js'

/** Options of a UDP socket that shares its port. `socket(7)`, `udp(7)`, `ip(7)`, `ipv6(7)`. */
export interface DatagramSocketOptions extends CommonOptions {
  /**
   * Allows sending to broadcast addresses. Default: the system's. Every system that shares ports. `socket(7)
   * SO_BROADCAST`.
   */
  readonly broadcast?: boolean | undefined
  /**
   * Whether multicast datagrams that this socket sends also reach the sockets of this machine. On by default.
   * Default: the system's. Every system that shares ports. `ip(7) IP_MULTICAST_LOOP`.
   */
  readonly multicastLoop?: boolean | undefined
  /**
   * Time to live (IPv4) or hop limit (IPv6) of the multicast datagrams that this socket sends. 1 by default: the
   * datagrams stay in the local network. 0 to 255 hops. Default: the system's. Every system that shares ports.
   * `ip(7) IP_MULTICAST_TTL`.
   */
  readonly multicastTtl?: number | undefined
  /**
   * Control messages carry the address and the device at which a datagram arrived; on FreeBSD and OpenBSD for IPv6
   * only. dgram does not expose control messages: this option is for code that reads from the descriptor itself.
   * Default: the system's. Linux, Android, FreeBSD, OpenBSD, NetBSD, macOS, Solaris. `ip(7) IP_PKTINFO, RFC 3542`.
   */
  readonly receivePacketInfo?: boolean | undefined
  /**
   * The kernel may deliver several datagrams of one sender as one, with their size in a control message (Linux 5.0).
   * dgram does not expose that size and would emit them as one 'message': this option is only for code that reads
   * from the descriptor itself. Default: the system's. Linux, Android. `udp(7) UDP_GRO`.
   */
  readonly gro?: boolean | undefined
  /** Options to leave out where this system lacks or denies them. A value that the system refuses is still an error. */
  readonly optional?: readonly (keyof DatagramSocketOptionValues)[] | undefined
}

/** The values of `DatagramSocketOptions`, read back from a socket. */
export interface DatagramSocketOptionValues extends CommonOptionValues {
  readonly broadcast: boolean
  readonly multicastLoop: boolean
  readonly multicastTtl: number
  readonly receivePacketInfo: boolean
  readonly gro: boolean
}
