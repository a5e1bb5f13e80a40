import type { AbortSignalLike } from '../common/abort-signal.js'
import type { FallbackPolicy } from '../listen/listen-types.js'
import type { RawDatagramSocketOption, UnboundDatagramSocket } from '../options/configuration-types.js'
import type { DatagramSocketOptions } from '../options/datagram-option-types.js'

/** Options of `bindReusePort`: those of `socket.bind`, and more. Never written to. */
export interface BindReusePortOptions {
  /** 0 to 65535. Default 0: every call gets another port, one that no socket has. */
  readonly port?: number | string | null | undefined
  /** Name or numeric address, looked up with the socket's own `lookup`. Default `0.0.0.0` for udp4, `::` for udp6. */
  readonly address?: string | undefined
  /** Closes the socket when the signal aborts. */
  readonly signal?: AbortSignalLike | undefined
  /** What happens on a system whose kernel does not balance. Default `'error'`. */
  readonly fallback?: FallbackPolicy | undefined
  /** Further options of the socket, by name, as for `listenReusePort`. */
  readonly socketOptions?: DatagramSocketOptions | undefined
  /** Options without a name here, set in this order after the named options of their stage. `setsockopt(2)`. */
  readonly rawSocketOptions?: readonly RawDatagramSocketOption[] | undefined
  /** Called with the socket after its options are set and before bind. What it throws is emitted as `'error'`. */
  readonly onSocket?: ((socket: UnboundDatagramSocket) => void) | undefined
  /**
   * How many members the group may have, this one included: for one more, `ERR_REUSEPORT_GROUP_FULL` is emitted, with
   * the members. With 1 this socket is the only member. Processes that give this option count members under a common
   * lock. Processes that omit the option can still join. Linux.
   */
  readonly maxMembers?: number | undefined
  /** Accepted for compatibility with Node: the socket of a shared port always belongs to this process alone. */
  readonly exclusive?: boolean | undefined
}

/** The form of `socket.bind` that names no port. It goes to Node unchanged. */
export interface UnsharedBindOptions {
  readonly fd: number
  readonly exclusive?: boolean | undefined
}
