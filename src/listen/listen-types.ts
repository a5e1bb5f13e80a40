import type { AbortSignalLike } from '../common/abort-signal.js'
import type { ListenerConfiguration } from '../options/configuration-types.js'
import type { SteeringOption } from '../steering/steering-types.js'

/**
 * What happens where the kernel would not balance the connections of a shared port:
 *
 * - `'error'`: `ERR_REUSEPORT_UNSUPPORTED`, with the reason, on the server's `'error'` event.
 * - `'unbalanced'`: share the port where that is possible although one socket gets every connection (macOS, NetBSD,
 *   OpenBSD); otherwise as `'error'`.
 * - `'exclusive'`: a plain `server.listen`, with one process warning (`REUSEPORT_FALLBACK_EXCLUSIVE`).
 */
export type FallbackPolicy = 'error' | 'unbalanced' | 'exclusive'

/** Options of `listenReusePort` for a port: those of `server.listen`, and `fallback`. Never written to. */
export interface ListenReusePortOptions extends ListenerConfiguration {
  /** 0 to 65535. Default 0, which asks the kernel for a free port: every call then gets another one. */
  readonly port?: number | string | null | undefined
  /**
   * Name or numeric address to bind; a name is looked up with `dns.lookup` and the first address that is not
   * link-local is bound. Default `::`, or `0.0.0.0` where IPv6 is not available.
   */
  readonly host?: string | undefined
  /** Length of the accept queue of this socket, in connections; the kernel caps it at somaxconn. Default 511. `listen(2)`. */
  readonly backlog?: number | undefined
  /** On an IPv6 address, do not take IPv4 connections as well. Default false. `IPV6_V6ONLY`, `ipv6(7)`. */
  readonly ipv6Only?: boolean | undefined
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignalLike | undefined
  /** What to do where the kernel does not balance. Default `'error'`. */
  readonly fallback?: FallbackPolicy | undefined
  /**
   * How the kernel chooses, for the whole group, as by `steer` once the server listens. Where it cannot be had, `'error'`
   * (`ERR_REUSEPORT_STEERING_UNAVAILABLE`) follows and the server goes on. Default: as it is. Linux.
   */
  readonly steering?: SteeringOption | undefined
  /** Accepted for Node's sake: a shared port is always this process's own socket. */
  readonly exclusive?: boolean | undefined
  /** Accepted for Node's sake; `false` is refused. */
  readonly reusePort?: true | undefined
}

/** The forms of `server.listen` that name no port. They go to Node unchanged. */
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
  /** 0 to 65535. Default 0: a port that the kernel chooses. */
  readonly port?: number | undefined
  /** A numeric address, an IPv6 one with its zone where it needs one. Nothing is looked up. Default as for `listenReusePort`. */
  readonly host?: string | undefined
  /** 1 to 2147483647 connections; the kernel caps it at somaxconn. Default 511. `listen(2)`. */
  readonly backlog?: number | undefined
  /** On an IPv6 address, do not take IPv4 connections as well. Default false. `IPV6_V6ONLY`, `ipv6(7)`. */
  readonly ipv6Only?: boolean | undefined
  /** What to do where the kernel does not balance. Default `'error'`. There is no descriptor to give for `'exclusive'`. */
  readonly fallback?: 'error' | 'unbalanced' | undefined
}
