import type { DatagramSocketOptions, DatagramSocketOptionValues } from './datagram-option-types.js'
import type { SocketOptions, SocketOptionValues } from './socket-option-types.js'

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
