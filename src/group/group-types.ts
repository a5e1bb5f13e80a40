import type { Transport } from '../common/transport.js'

/** One socket of a group. What this process may not see is undefined, never guessed. */
export interface GroupMember {
  /** Number of the socket in /proc/<pid>/fd; 0 for one that no process holds. */
  readonly inode: number
  /** What the kernel knows the socket by, in hexadecimal, as `ss -e` shows it. */
  readonly cookie: string
  /** Who made the socket. */
  readonly uid: number
  /** The name of that user. */
  readonly user: string | undefined
  /** A process that holds it: this one where it does, otherwise one of those that can be seen. */
  readonly pid: number | undefined
  /** The command line of `pid`, its arguments joined by blanks. */
  readonly command: string | undefined
  /** When `pid` was started. */
  readonly startedAt: Date | undefined
  /** Whether this process holds it. */
  readonly self: boolean
  /** No process that holds it can be seen: it is another user's, or in another process namespace. */
  readonly hidden: boolean
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
  /** TCP: connections waiting to be accepted. UDP: bytes waiting to be read. */
  readonly queued: number
  /** TCP: how many connections may wait. UDP: size of the receive buffer in bytes. */
  readonly backlog: number
  /** TCP: connections, UDP: datagrams that found no room. Since Linux 4.5. */
  readonly drops: number | undefined
  readonly state: 'listening' | 'bound'
  /** TCP: established connections to this address that `pid` holds. */
  readonly established: number | undefined
}

/** The sockets that the kernel chooses between: same protocol, family, address, port, device and user. */
export interface Group {
  readonly protocol: Transport
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  readonly port: number
  /** Of an IPv6 group: whether it leaves IPv4 alone. */
  readonly ipv6Only: boolean | undefined
  /** Index of the network device that the members are bound to. */
  readonly device: number | undefined
  readonly uid: number | undefined
  /** By process, then by inode; those that cannot be seen last. */
  readonly members: readonly GroupMember[]
}

/** What `inspectGroup` is asked for. */
export interface GroupTarget {
  /** 1 to 65535. */
  readonly port: number
  /** Name or numeric address. Default `::`, or `0.0.0.0` where no socket is bound to `::`. */
  readonly host?: string | undefined
  /** Default `'tcp'`. */
  readonly protocol?: Transport | undefined
}

/** What `inspectGroups` is asked for. */
export interface GroupFilter {
  /** Default: all. */
  readonly ports?: readonly number[] | undefined
  /** Default: both. */
  readonly protocol?: Transport | undefined
}
