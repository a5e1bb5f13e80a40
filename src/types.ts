/// <reference lib="esnext.disposable" preserve="true" />
import type { DatagramSocketOptions, DatagramSocketOptionValues } from './datagram-option-types.js'
import type { SocketOptions, SocketOptionValues } from './socket-option-types.js'
import type { SteeringOption } from './steering-types.js'

/**
 * The part of `net.Server` that listening needs: `net`, `http`, `https`, `http2` and `tls` servers have it. Described
 * here, so that these types compile also where Node's are not installed.
 */
export interface ListenableServer {
  readonly listening: boolean
  listen(handle: object, backlog?: number): unknown
  address(): unknown
  close(callback?: (error?: Error) => void): unknown
  once(event: string, listener: () => void): unknown
  emit(event: string, ...args: unknown[]): boolean
}

/** The part of `dgram.Socket` that binding needs, described here for the same reason. */
export interface BindableSocket {
  bind(options: object): unknown
  address(): unknown
  close(): unknown
  on(event: string | symbol, listener: () => void): unknown
  once(event: string | symbol, listener: () => void): unknown
  prependOnceListener(event: string | symbol, listener: () => void): unknown
  removeListener(event: string | symbol, listener: () => void): unknown
  emit(event: string | symbol, ...args: unknown[]): boolean
}

/** The part of `AbortSignal` that is used. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * What happens where the kernel would not balance the connections of a shared port:
 *
 * - `'error'`: `ERR_REUSEPORT_UNSUPPORTED`, with the reason, on the server's `'error'` event.
 * - `'unbalanced'`: share the port where that is possible although one socket gets every connection (macOS, NetBSD,
 *   OpenBSD); otherwise as `'error'`.
 * - `'exclusive'`: a plain `server.listen`, with one process warning (`REUSEPORT_FALLBACK_EXCLUSIVE`).
 */
export type FallbackPolicy = 'error' | 'unbalanced' | 'exclusive'

/** An option that has no name here. */
export interface RawSocketOption {
  /** As the system numbers it: `SOL_SOCKET` (1 on Linux), `IPPROTO_TCP` (6) … */
  readonly level: number
  /** As the system numbers it. */
  readonly name: number
  /** A number goes as an int of 32 bits, -2^31 to 2^32 - 1; bytes, at most 65,535, go as they are. */
  readonly value: number | Uint8Array
  /** Default `'before-bind'`. */
  readonly stage?: 'before-bind' | 'before-listen' | 'after-listen' | undefined
}

/**
 * A TCP socket with its options and without an address: what `onSocket` is given. It is the library's: do not close it.
 * From the moment that `onSocket` returns everything but `family` throws `ERR_REUSEPORT_SOCKET_BOUND`.
 */
export interface UnboundSocket {
  readonly transport: 'tcp'
  readonly family: 4 | 6
  /** The descriptor: non-blocking, close-on-exec, not bound. */
  readonly fd: number
  /** What the kernel uses; as `ReusePortSocket.getOption`. */
  getOption<Name extends keyof SocketOptionValues>(name: Name): SocketOptionValues[Name]
  /** Sets an option as `socketOptions` does, with the same errors, thrown. */
  setOption<Name extends keyof SocketOptionValues>(name: Name, value: NonNullable<SocketOptions[Name]>): void
  setRawOption(option: Omit<RawSocketOption, 'stage'>): void
}

/** An option of a UDP socket that has no name here. */
export type RawDatagramSocketOption = Omit<RawSocketOption, 'stage'> & {
  /** Default `'before-bind'`. */
  readonly stage?: 'before-bind' | 'after-bind' | undefined
}

/** As `UnboundSocket`, for UDP. */
export interface UnboundDatagramSocket {
  readonly transport: 'udp'
  readonly family: 4 | 6
  /** The descriptor: non-blocking, close-on-exec, not bound. */
  readonly fd: number
  getOption<Name extends keyof DatagramSocketOptionValues>(name: Name): DatagramSocketOptionValues[Name]
  setOption<Name extends keyof DatagramSocketOptionValues>(
    name: Name,
    value: NonNullable<DatagramSocketOptions[Name]>,
  ): void
  setRawOption(option: Omit<RawDatagramSocketOption, 'stage'>): void
}

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

/** What a listening socket is given beyond its address. */
export interface ListenerConfiguration {
  /**
   * What else the socket is given, by name. An option that this system lacks is `ERR_REUSEPORT_OPTION_UNSUPPORTED`, one
   * that takes a privilege `ERR_REUSEPORT_OPTION_DENIED`; those named in `optional` are then left out.
   */
  readonly socketOptions?: SocketOptions | undefined
  /** Options that have no name here, after the others of their stage and in this order. `setsockopt(2)`. */
  readonly rawSocketOptions?: readonly RawSocketOption[] | undefined
  /**
   * Called with the socket when its options are set and it is not bound yet, as `ListenConfig.Control` in Go: a second
   * time where `::` could not be bound and `0.0.0.0` is tried. What it throws closes the socket and is the error.
   */
  readonly onSocket?: ((socket: UnboundSocket) => void) | undefined
  /**
   * How many members the group may have, this one included; one more is `ERR_REUSEPORT_GROUP_FULL`, with the members.
   * 1 means nobody else. Counted under a lock that all who give this option take; who does not is not kept out. Linux.
   */
  readonly maxMembers?: number | undefined
}

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
