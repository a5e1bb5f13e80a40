import type { AbortSignalLike } from '../common/abort-signal.js'
import type { ListenableServer } from '../node/server.js'
import type { ListenerConfiguration } from '../options/configuration-types.js'
import type { SteeringOption } from '../steering/steering-types.js'

/**
 * What happens where the kernel does not balance the connections of a shared port:
 *
 * - `'error'`: the server emits `'error'` with `ERR_REUSEPORT_UNSUPPORTED` and the reason.
 * - `'unbalanced'`: share the port although one socket gets every connection (macOS, NetBSD, OpenBSD). Where the system
 *   cannot share a port at all, the same as `'error'`.
 * - `'exclusive'`: a plain `server.listen`, with one process warning (`REUSEPORT_FALLBACK_EXCLUSIVE`).
 */
export type FallbackPolicy = 'error' | 'unbalanced' | 'exclusive'

/** Options of `listenReusePort` for a port: those of `server.listen` and more. The object is never written to. */
export interface ListenReusePortOptions extends ListenerConfiguration {
  /** 0 to 65535. Default 0: the kernel chooses a free port, another one for every call. */
  readonly port?: number | string | null | undefined
  /**
   * Name or numeric address to bind. A name is looked up with `dns.lookup`, and the first address that is not
   * link-local is bound. Default `::`, or `0.0.0.0` where IPv6 is not available.
   */
  readonly host?: string | undefined
  /** Length of the accept queue, in connections. The kernel caps it at somaxconn. Default 511. `listen(2)`. */
  readonly backlog?: number | undefined
  /** Accept only IPv6 connections on an IPv6 address. Default false: also IPv4. `IPV6_V6ONLY`, `ipv6(7)`. */
  readonly ipv6Only?: boolean | undefined
  /** The server is closed when this signal aborts. */
  readonly signal?: AbortSignalLike | undefined
  /** What happens where the kernel does not balance. Default `'error'`. */
  readonly fallback?: FallbackPolicy | undefined
  /**
   * The policy by which the kernel chooses a member, set for the whole group as `steer` does once the server listens.
   * If the policy cannot be set, the server emits `'error'` with `ERR_REUSEPORT_STEERING_UNAVAILABLE` and goes on
   * listening. Default: the policy of the group stays unchanged. Linux.
   */
  readonly steering?: SteeringOption | undefined
  /** Accepted because Node accepts it. Has no effect on a shared port, whose socket is always this process's own. */
  readonly exclusive?: boolean | undefined
  /** Accepted because Node accepts it. `false` is refused. */
  readonly reusePort?: true | undefined
}

/** What `server.listen` takes a handle from: a server, a `net.Socket`, or an object with a handle or a descriptor. */
export type ListenHandle =
  | ListenableServer
  | { readonly connecting: boolean }
  | { readonly _handle: object }
  | { readonly fd: number }

/** The forms of `server.listen` without a port. They go to Node unchanged. */
export type UnsharedListenOptions =
  | {
      readonly path: string
      readonly backlog?: number | undefined
      readonly exclusive?: boolean | undefined
      readonly readableAll?: boolean | undefined
      readonly writableAll?: boolean | undefined
      readonly signal?: AbortSignalLike | undefined
    }
  | { readonly fd: number; readonly signal?: AbortSignalLike | undefined }
  | { readonly handle: object }
  | { readonly _handle: object }

/** Options of `openReusePortSocket`. */
export interface ReusePortSocketOptions extends ListenerConfiguration {
  /** 0 to 65535. Default 0: the kernel chooses a free port. */
  readonly port?: number | undefined
  /** Numeric address, with a zone where IPv6 needs one. Names are not looked up. Default as for `listenReusePort`. */
  readonly host?: string | undefined
  /** Length of the accept queue, 1 to 2147483647. The kernel caps it at somaxconn. Default 511. `listen(2)`. */
  readonly backlog?: number | undefined
  /** Accept only IPv6 connections on an IPv6 address. Default false: also IPv4. `IPV6_V6ONLY`, `ipv6(7)`. */
  readonly ipv6Only?: boolean | undefined
  /** What happens where the kernel does not balance. Default `'error'`. `'exclusive'` would need a server. */
  readonly fallback?: 'error' | 'unbalanced' | undefined
}
