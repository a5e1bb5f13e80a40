// Written by scripts/generate-options.mjs from src-native/core/option_table.cc.

/** Options that both TCP and UDP sockets take. */
export interface CommonOptions {
  /**
   * Size of the receive buffer, which also bounds the TCP window. Linux caps it at net.core.rmem_max and doubles it
   * for its bookkeeping: the doubled size is what is read back. Setting it turns TCP's automatic tuning off. 1 or
   * more bytes. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `socket(7)
   * SO_RCVBUF`.
   */
  readonly receiveBufferSize?: number | undefined
  /**
   * Size of the send buffer. Linux caps it at net.core.wmem_max and doubles it: the doubled size is what is read
   * back. Setting it turns TCP's automatic tuning off. 1 or more bytes. Default: the system's. Accepted sockets
   * inherit it. Every system that shares ports. `socket(7) SO_SNDBUF`.
   */
  readonly sendBufferSize?: number | undefined
  /**
   * Mark on every packet that is sent, for routing rules and packet filters. Kernels from 5.17 on also accept
   * CAP_NET_RAW. 0 to 4294967295. Default: the system's. Accepted sockets inherit it. May take CAP_NET_ADMIN. Linux,
   * Android. `socket(7) SO_MARK`.
   */
  readonly mark?: number | undefined
  /**
   * Name of the one network device whose packets arrive here, such as 'eth0'. Sockets of different devices are
   * different groups. Kernels from 5.7 on need no capability. 1 to 15 bytes. Default: the system's. Accepted sockets
   * inherit it. May take CAP_NET_RAW. Linux, Android. `socket(7) SO_BINDTODEVICE`.
   */
  readonly bindToDevice?: string | undefined
  /**
   * Allows binding to an address that no interface has yet. For IPv6 from Linux 4.15 on. Default: the system's.
   * Accepted sockets inherit it. Linux, Android. `ip(7) IP_FREEBIND`.
   */
  readonly freebind?: boolean | undefined
  /**
   * Allows binding to addresses of others, for transparent proxies. CAP_NET_RAW does as well. Default: the system's.
   * Accepted sockets inherit it. May take CAP_NET_ADMIN. Linux, Android. `ip(7) IP_TRANSPARENT`.
   */
  readonly transparent?: boolean | undefined
  /**
   * Prefers this member of the group for what that CPU receives, where the kernel honours it in a group (6.2 and
   * later). Read back, it is the CPU that handled the last packet once there was one. 0 or more. Default: the
   * system's. Accepted sockets do not have it. Linux, Android. `socket(7) SO_INCOMING_CPU`.
   */
  readonly incomingCpu?: number | undefined
  /**
   * How long a receive call that finds nothing polls the device. Older kernels want the capability for more than
   * net.core.busy_read; 6.18 does not. 0 or more microseconds. Default: the system's. Accepted sockets inherit it.
   * May take CAP_NET_ADMIN. Linux, Android. `socket(7) SO_BUSY_POLL`.
   */
  readonly busyPoll?: number | undefined
  /**
   * Type of service (DSCP and ECN) in the IPv4 header; on a dual-stack IPv6 socket of its IPv4 traffic, where the
   * system allows that (Linux). TCP keeps the two ECN bits to itself. IPv6 has trafficClass. 0 to 255. Default: the
   * system's. Accepted sockets inherit it. Every system that shares ports. `ip(7) IP_TOS`.
   */
  readonly typeOfService?: number | undefined
  /**
   * Priority of what is sent, for queueing disciplines. 0 to 6 need no privilege. Linux derives it from
   * typeOfService unless it is given. 0 or more. Default: the system's. Accepted sockets do not have it. May take
   * CAP_NET_ADMIN. Linux, Android. `socket(7) SO_PRIORITY`.
   */
  readonly priority?: number | undefined
  /**
   * Traffic class (DSCP and ECN) in the IPv6 header. TCP keeps the two ECN bits to itself. Only for IPv6 sockets. 0
   * to 255. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `ipv6(7), RFC 3542
   * IPV6_TCLASS`.
   */
  readonly trafficClass?: number | undefined
  /**
   * Time to live in the IPv4 header; on a dual-stack IPv6 socket of its IPv4 traffic (Linux). IPv6 has hopLimit. 1
   * to 255 hops. Default: the system's. Accepted sockets inherit it. Every system that shares ports. `ip(7) IP_TTL`.
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
