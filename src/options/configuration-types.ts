import type { DatagramSocketOptions, DatagramSocketOptionValues } from './datagram-option-types.js'
import type { SocketOptions, SocketOptionValues } from './socket-option-types.js'

/** A socket option that this library does not name. */
export interface RawSocketOption {
  /** The level, by the system's number: `SOL_SOCKET` (1 on Linux), `IPPROTO_TCP` (6) … */
  readonly level: number
  /** The option, by the system's number. */
  readonly name: number
  /** A number from -2^31 to 2^32 - 1 is passed as a 32-bit int. Bytes, at most 65,535, are passed unchanged. */
  readonly value: number | Uint8Array
  /** When the option is set. Default `'before-bind'`. */
  readonly stage?: 'before-bind' | 'before-listen' | 'after-listen' | undefined
}

/**
 * The argument of `onSocket`: a TCP socket whose options are set and which is not bound yet. The library owns the
 * socket: do not close it. After `onSocket` has returned, only `family` and `transport` can be read: every other member
 * throws `ERR_REUSEPORT_SOCKET_BOUND`.
 */
export interface UnboundSocket {
  readonly transport: 'tcp'
  readonly family: 4 | 6
  /** The descriptor: non-blocking, close-on-exec, not bound. */
  readonly fd: number
  /** Reads the value that the kernel uses, as `ReusePortSocket.getOption` does. */
  getOption<Name extends keyof SocketOptionValues>(name: Name): SocketOptionValues[Name]
  /** Sets an option as `socketOptions` does. Throws the same errors. */
  setOption<Name extends keyof SocketOptionValues>(name: Name, value: NonNullable<SocketOptions[Name]>): void
  setRawOption(option: Omit<RawSocketOption, 'stage'>): void
}

/** An option of a UDP socket that this library does not name. */
export type RawDatagramSocketOption = Omit<RawSocketOption, 'stage'> & {
  /** When the option is set. Default `'before-bind'`. */
  readonly stage?: 'before-bind' | 'after-bind' | undefined
}

/** The same as `UnboundSocket`, for a UDP socket. */
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

/** The options of a listening socket besides its address. */
export interface ListenerConfiguration {
  /**
   * Socket options by name. An option that this system lacks fails with `ERR_REUSEPORT_OPTION_UNSUPPORTED`. An option
   * whose privilege this process lacks fails with `ERR_REUSEPORT_OPTION_DENIED`. In both cases an option that
   * `optional` names is left out instead.
   */
  readonly socketOptions?: SocketOptions | undefined
  /**
   * Options that this library does not name. They are set in this order, after the named options of the same stage.
   * `setsockopt(2)`.
   */
  readonly rawSocketOptions?: readonly RawSocketOption[] | undefined
  /**
   * Called with the socket after its options are set and before it is bound, as `ListenConfig.Control` in Go. Called a
   * second time where `::` cannot be bound and `0.0.0.0` is tried. If the function throws, the socket is closed and the
   * call fails with the thrown value.
   */
  readonly onSocket?: ((socket: UnboundSocket) => void) | undefined
  /**
   * How many members the group may have, this one included. With 1 this socket is the only member. If the group is
   * full, the call fails with `ERR_REUSEPORT_GROUP_FULL`, which lists the members. Every process that gives this option
   * counts under the same lock. A process that omits the option can still join a full group. Linux.
   */
  readonly maxMembers?: number | undefined
}
