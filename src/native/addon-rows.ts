// The types of the addon's requests and results.
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'

export interface PeerRow {
  /** 0 where the pid namespace of this process does not see it. */
  readonly pid: number
  readonly uid: number
  /** Whether it is this user, not one that only looks so (`isUidAmbiguous`). */
  readonly isOwn: boolean
}

export interface NameOwner {
  /** Null where the kernel does not tell. */
  readonly uid: number | null
  readonly isOwn: boolean
}

export interface ReceivedDescriptor {
  readonly fd: number
  readonly text: string
}

export type ProgramWords = Uint32Array | SystemFailure

export interface SocketRequest {
  readonly transport: Transport
  readonly family: 4 | 6
  readonly ipv6Only: boolean
  /** MPTCP instead of TCP. */
  readonly multipath: boolean
}

export interface DumpRequest {
  readonly transport: Transport
  readonly family: 4 | 6
  /** A bit mask of the states in tcp_states.h. */
  readonly states: number
  /** The local port, or 0 for all ports. */
  readonly port: number
}

export interface Connections {
  readonly addresses: readonly string[]
  readonly rows: Float64Array
}

/** A socket as the kernel describes it. Linux: sock_diag(7). */
export interface SocketRow {
  readonly address: string
  readonly port: number
  /** Index of the interface that the socket is bound to. 0 where it is bound to none. */
  readonly device: number
  readonly inode: number
  /** Hexadecimal. */
  readonly cookie: string
  readonly uid: number
  /** For a listener: the connections in its accept queue. For other sockets: the bytes received and not yet read. */
  readonly queued: number
  /** For a listener: the length of its accept queue. */
  readonly limit: number
  /** Bytes. */
  readonly receiveBuffer: number | null
  readonly drops: number | null
  readonly ipv6Only: boolean | null
  readonly state: number
}

/** When an option is set. For UDP only before and after bind. */
export type Stage = 'creation' | 'before-bind' | 'before-listen' | 'after-listen' | 'after-bind'

/** A row of the table in src-native/core/option_table.cc. */
export interface OptionRow {
  /** The name of a part contains a dot, such as `keepAlive.idle`. */
  readonly name: string
  readonly kind: 'boolean' | 'integer' | 'text' | 'time or false'
  readonly unit: string | null
  /** The range of the value. For text, the range of its length in bytes. */
  readonly minimum: number
  readonly maximum: number
  readonly stage: Stage
  readonly tcp: boolean
  readonly udp: boolean
  /** Null where this system lacks the option or the family has no such option. */
  readonly ipv4: KernelOption | null
  readonly ipv6: KernelOption | null
  /** Whether accepted sockets inherit the option, on Linux. */
  readonly inherited: boolean
  /** The capability that setting the option may need on Linux. */
  readonly capability: string | null
  /** Names of `process.platform`, separated by one blank. */
  readonly systems: string
  /** This and `about` are sources of the generated documentation. Null in the binaries of the package. */
  readonly manual: string | null
  readonly about: string | null
}

interface KernelOption {
  readonly level: number
  readonly name: number
}
