import type { AbortSignalLike } from '../common/abort-signal.js'
import type { FallbackPolicy } from '../listen/listen-types.js'
import type { RawDatagramSocketOption, UnboundDatagramSocket } from '../options/configuration-types.js'
import type { DatagramSocketOptions } from '../options/datagram-option-types.js'

/** Options of `bindReusePort`: those of `socket.bind`, and more. Never written to. */
export interface BindReusePortOptions {
  /** 0 to 65535. Default 0, which asks the kernel for a free port: every call then gets another one. */
  readonly port?: number | string | null | undefined
  /** Name or numeric address to bind, looked up with the socket's own `lookup`. Default `0.0.0.0` for udp4, `::` for udp6. */
  readonly address?: string | undefined
  /** Closes the socket when it aborts. */
  readonly signal?: AbortSignalLike | undefined
  /** What to do where the kernel does not balance. Default `'error'`. */
  readonly fallback?: FallbackPolicy | undefined
  /** What else the socket is given, by name; as for `listenReusePort`. */
  readonly socketOptions?: DatagramSocketOptions | undefined
  /** Options that have no name here, after the others of their stage and in this order. `setsockopt(2)`. */
  readonly rawSocketOptions?: readonly RawDatagramSocketOption[] | undefined
  /** Called with the socket when its options are set and it is not bound yet. What it throws is the error. */
  readonly onSocket?: ((socket: UnboundDatagramSocket) => void) | undefined
  /**
   * How many members the group may have, this one included; one more is `ERR_REUSEPORT_GROUP_FULL`, with the members.
   * 1 means nobody else. Counted under a lock that all who give this option take; who does not is not kept out. Linux.
   */
  readonly maxMembers?: number | undefined
  /** Accepted for Node's sake: a shared port is always this process's own socket. */
  readonly exclusive?: boolean | undefined
}

/** The form of `socket.bind` that names no port. It goes to Node unchanged. */
export interface UnsharedBindOptions {
  readonly fd: number
  readonly exclusive?: boolean | undefined
}
