import type { Transport } from '../common/transport.js'

/** One socket of a group. A value that this process may not see is undefined, never a guess. */
export interface GroupMember {
  /** Number of the socket in /proc/<pid>/fd; 0 for a socket that no process holds. */
  readonly inode: number
  /** The kernel's identifier of the socket, in hexadecimal, as `ss -e` shows it. */
  readonly cookie: string
  /** The user who created the socket. */
  readonly uid: number
  /** The name of that user. */
  readonly user: string | undefined
  /** A process that holds the socket: this process if it does, otherwise one of the processes that it can see. */
  readonly pid: number | undefined
  /** The command line of `pid`, its arguments joined by spaces. */
  readonly command: string | undefined
  /** The time at which `pid` was started. */
  readonly startedAt: Date | undefined
  /** Whether this process holds the socket. */
  readonly self: boolean
  /** This process can see no holder of the socket: the holder is another user's, or in another process namespace. */
  readonly hidden: boolean
  /** The numeric address that the socket is bound to. */
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
  /** TCP: connections in the accept queue. UDP: bytes in the receive buffer. */
  readonly queued: number
  /** TCP: how many connections may wait in the accept queue. UDP: size of the receive buffer in bytes. */
  readonly backlog: number
  /**
   * What the socket has dropped since it was made, as the kernel counts it. UDP: datagrams that found no room. TCP: packets
   * of handshakes, because a queue was full, or because the client repeated or broke off its handshake; with the option
   * `deferAccept` also one of each connection. A member that a policy names by pid or inode counts one more when the policy
   * is put in force. Since Linux 4.5.
   */
  readonly drops: number | undefined
  /** `'listening'`: TCP. `'bound'`: UDP. */
  readonly state: 'listening' | 'bound'
  /** TCP: established connections to this address that `pid` holds. */
  readonly established: number | undefined
}

/** The set of sockets between which the kernel chooses: same protocol, family, address, port, device and user. */
export interface Group {
  readonly protocol: Transport
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  readonly port: number
  /** IPv6: whether the group takes no IPv4 traffic (IPV6_V6ONLY). Undefined for IPv4. */
  readonly ipv6Only: boolean | undefined
  /** Index of the network device to which the members are bound; undefined if they are bound to none. */
  readonly device: number | undefined
  /** The user of the members; undefined where there are none. */
  readonly uid: number | undefined
  /** Sorted by process, then by inode; members with a hidden process come last. */
  readonly members: readonly GroupMember[]
}

/** The address of a group, for `inspectGroup`. */
export interface GroupTarget {
  /** 1 to 65535. */
  readonly port: number
  /** Name or numeric address. Default `::`, or `0.0.0.0` if no socket is bound to `::`. */
  readonly host?: string | undefined
  /** Default `'tcp'`. */
  readonly protocol?: Transport | undefined
}

/** Which groups `inspectGroups` returns. */
export interface GroupFilter {
  /** Default: all ports. */
  readonly ports?: readonly number[] | undefined
  /** Default: both protocols. */
  readonly protocol?: Transport | undefined
}
