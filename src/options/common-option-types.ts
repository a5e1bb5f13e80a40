// Written by scripts/generate-options.mjs from src-native/core/option_table.cc.

/** Options that both TCP and UDP sockets take. */
export interface CommonOptions {
  /**
   * Size of the receive buffer, which also bounds the TCP window. Linux caps the value at net.core.rmem_max and
   * doubles it for its bookkeeping; reading the option gives the doubled size. Setting the option turns TCP's
   * automatic tuning off. 1 or more bytes. Default: the system's. Accepted sockets inherit it. Every system that
   * shares ports. `socket(7) SO_RCVBUF`.
   */
  readonly receiveBufferSize?: number | undefined
  /**
   * Size of the send buffer. Linux caps the value at net.core.wmem_max and doubles it; reading the option gives the
   * doubled size. Setting the option turns TCP's automatic tuning off. 1 or more bytes. Default: the system's.
   * Accepted sockets inherit it. Every system that shares ports. `socket(7) SO_SNDBUF`.
   */
  readonly sendBufferSize?: number | undefined
  /**
   * Mark on every packet that the socket sends, for routing rules and packet filters. Linux 5.17 and later also
   * accept CAP_NET_RAW. 0 to 4294967295. Default: the system's. Accepted sockets inherit it. May take CAP_NET_ADMIN.
   * Linux, Android. `socket(7) SO_MARK`.
   */
  readonly mark?: number | undefined
  /**
   * Name of the only network device from which the socket receives packets, such as 'eth0'. Sockets of different
   * devices form different groups. Linux 5.7 and later need no capability. 1 to 15 bytes. Default: the system's.
   * Accepted sockets inherit it. May take CAP_NET_RAW. Linux, Android. `socket(7) SO_BINDTODEVICE`.
   */
  readonly bindToDevice?: string | undefined
  /**
   * Allows binding to an address that no interface has yet. For IPv6: Linux 4.15 and later. Default: the system's.
   * Accepted sockets inherit it. Linux, Android. `ip(7) IP_FREEBIND`.
   */
  readonly freebind?: boolean | undefined
  /**
   * Allows binding to an address that is not local, for transparent proxies. CAP_NET_RAW suffices too. Default: the
   * system's. Accepted sockets inherit it. May take CAP_NET_ADMIN. Linux, Android. `ip(7) IP_TRANSPARENT`.
   */
  readonly transparent?: boolean | undefined
  /**
   * Where the kernel honours the option within groups (Linux 6.2 and later), it prefers this member for packets that
   * the CPU with this number receives. Once a packet has arrived, reading the option gives the CPU that handled the
   * last packet. 0 or more. Default: the system's. Accepted sockets do not have it. Linux, Android. `socket(7)
   * SO_INCOMING_CPU`.
   */
  readonly incomingCpu?: number | undefined
  /**
   * How long a receive call polls the device when no data is there. Older kernels require the capability for values
   * above net.core.busy_read; Linux 6.18 does not. 0 or more microseconds. Default: the system's. Accepted sockets
   * inherit it. May take CAP_NET_ADMIN. Linux, Android. `socket(7) SO_BUSY_POLL`.
   */
  readonly busyPoll?: number | undefined
  /**
   * Type of service (DSCP and ECN) in the IPv4 header. On a dual-stack IPv6 socket the option applies to the IPv4
   * traffic, where the system allows that (Linux). TCP controls the two ECN bits itself. For IPv6 use trafficClass.
   * 0 to 255. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `ip(7) IP_TOS`.
   */
  readonly typeOfService?: number | undefined
  /**
   * Priority of the packets that the socket sends, for queueing disciplines. Values from 0 to 6 need no privilege.
   * If the option is not given, Linux derives the priority from typeOfService. 0 or more. Default: the system's.
   * Accepted sockets do not have it. May take CAP_NET_ADMIN. Linux, Android. `socket(7) SO_PRIORITY`.
   */
  readonly priority?: number | undefined
  /**
   * Traffic class (DSCP and ECN) in the IPv6 header. TCP controls the two ECN bits itself. Only for IPv6 sockets. 0
   * to 255. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `ipv6(7), RFC 3542
   * IPV6_TCLASS`.
   */
  readonly trafficClass?: number | undefined
  /**
   * Time to live in the IPv4 header. On a dual-stack IPv6 socket the option applies to the IPv4 traffic (Linux). For
   * IPv6 use hopLimit. 1 to 255 hops. Default: the system's. Accepted sockets inherit it. Every system that shares
   * ports. `ip(7) IP_TTL`.
   */
  readonly ttl?: number | undefined
  /**
   * Hop limit in the IPv6 header. Only for IPv6 sockets. 1 to 255 hops. Default: the system's. Accepted sockets
   * inherit it. Every system that shares ports. `ipv6(7) IPV6_UNICAST_HOPS`.
   */
  readonly hopLimit?: number | undefined
}

/** The values of these options, read back from a socket. */
export interface CommonOptionValues {
  readonly receiveBufferSize: number
  readonly sendBufferSize: number
  readonly mark: number
  readonly bindToDevice: string
  readonly freebind: boolean
  readonly transparent: boolean
  readonly incomingCpu: number
  readonly busyPoll: number
  readonly typeOfService: number
  readonly priority: number
  readonly trafficClass: number
  readonly ttl: number
  readonly hopLimit: number
}
