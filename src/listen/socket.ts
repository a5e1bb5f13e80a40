/// <reference lib="esnext.disposable" preserve="true" />
import { getSystemErrorName } from 'node:util'
import { type BindAddress, type SocketAddressInfo, UNSPECIFIED_IPV4, UNSPECIFIED_IPV6 } from '../common/address.js'
import { listenError, ReusePortSocketError, type SystemFailure } from '../common/errors.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { adopt, emitListenError } from '../node/adopt.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer } from '../node/server.js'
import type { Configuration } from '../options/configure.js'
import { readOption } from '../options/read-option.js'
import type { SocketOptionValues } from '../options/socket-option-types.js'
import { explain } from './address-in-use.js'
import { type ListenMessage, publishAdopt, publishListen } from './channels.js'
import { openListener } from './shared-socket.js'
import { type ListenWish, supervision } from './supervision.js'

/** @internal */
export interface SocketRequest {
  /** Undefined for the unspecified address: `::`, or `0.0.0.0` where `::` cannot be bound. */
  readonly where: BindAddress | undefined
  readonly port: number
  readonly backlog: number
  readonly ipv6Only: boolean
  readonly configuration: Configuration
  /** The request in the form that the supervisor compares. Undefined without a supervisor. */
  readonly wish?: ListenWish
}

/**
 * A listening socket that shares its port and that you own: call `close()` unless a server takes the socket. As soon as
 * the socket exists, the kernel gives it a share of the connections, so hand it to a server or close it soon.
 */
export class ReusePortSocket {
  readonly #descriptor: OwnedDescriptor
  readonly #request: SocketRequest
  readonly #bound: BindAddress
  #state: 'open' | 'closed' | 'adopted' = 'open'

  /** @internal Use `openReusePortSocket`. */
  constructor(addon: Addon, fd: number, request: SocketRequest, bound: BindAddress) {
    this.#descriptor = new OwnedDescriptor(addon, fd, bound.family)
    this.#request = request
    this.#bound = bound
  }

  /**
   * The descriptor: listening, non-blocking, close-on-exec. This object owns it: close the object, not the number.
   *
   * @throws ReusePortSocketError after `close()` or `listen()`.
   */
  get fd(): number {
    this.#assertOpen()
    return this.#descriptor.fd
  }

  /**
   * The address that the socket is bound to, with the port that the kernel chose for port 0.
   *
   * @throws ReusePortSocketError after `close()` or `listen()`; a Node system error where getsockname(2) fails.
   */
  address(): SocketAddressInfo {
    this.#assertOpen()
    const { addon, fd } = this.#descriptor
    const address = addon.localAddress(fd)
    if ('errno' in address) throw this.#error(address)
    return address
  }

  /**
   * Reads the value that the kernel uses for an option of `socketOptions`. It may differ from the value that was set:
   * Linux doubles buffer sizes, rounds `deferAccept` up and caps `fastOpen`. `getsockopt(2)`.
   *
   * @throws ReusePortSocketError after `close()` or `listen()`; `ERR_REUSEPORT_UNKNOWN_OPTION` for an unknown name;
   *   `ERR_REUSEPORT_OPTION_UNSUPPORTED` for an option that this system lacks.
   */
  getOption<Name extends keyof SocketOptionValues>(name: Name): SocketOptionValues[Name] {
    this.#assertOpen()
    return readOption(this.#descriptor, 'tcp', name) as SocketOptionValues[Name]
  }

  /**
   * Hands the socket to a server, which owns it from then on. Returns the server, which emits `'listening'` on the next
   * tick.
   *
   * @throws ReusePortSocketError after `close()` or an earlier `listen()`; Node's `ERR_SERVER_ALREADY_LISTEN` where the
   *   server listens already (you then still own the socket).
   */
  listen<S extends ListenableServer>(server: S, listener?: () => void): S {
    this.#assertOpen()
    assertServer(server)
    // Throws Node's own ERR_SERVER_ALREADY_LISTEN.
    if (server.listening) server.listen({})
    if (listener !== undefined) server.once('listening', listener)
    const { where, port, backlog } = this.#request
    const { address, family } = this.#bound
    const own = this.#descriptor
    const descriptor = {
      fd: own.fd,
      localPort: (): number => this.address().port,
      release: (): void => {
        this.#state = 'adopted'
        own.release()
      },
      close: (): void => this.close(),
    }
    const failure = adopt(server, descriptor, { host: where?.address ?? null, address, family, port, backlog })
    if (failure !== undefined) {
      this.close()
      const error = failure instanceof Error ? failure : this.#error(failure)
      emitListenError(server, { host: where?.address ?? null, port }, error)
    } else {
      if (this.#request.wish !== undefined) supervision()?.adopted(server, this.#request.wish)
      publishAdopt(() => {
        const message = own.describe('tcp')
        return message && { ...message, target: server }
      })
    }
    return server
  }

  /** Closes the socket. Does nothing where the socket is closed already or a server has taken it. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    this.#descriptor.close()
    if (this.#request.wish !== undefined) supervision()?.dropped?.(this.#request.wish)
  }

  /** The same as `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw new ReusePortSocketError(this.#state)
    // Other code has closed the number, which may belong to another socket by now.
    if (!this.#descriptor.isOpen()) throw new ReusePortSocketError('closed')
  }

  #error(failure: SystemFailure): Error {
    return listenError(failure, this.#bound.address, this.#request.port)
  }
}

/**
 * Opens a listening socket. Returns Node's error where that fails; no descriptor stays open then.
 *
 * @throws the error of an option, or the value that `onSocket` throws.
 *
 * @internal
 */
export function openSocket(addon: Addon, request: SocketRequest): ReusePortSocket | Error {
  if (request.where !== undefined) return openAt(addon, request, request.where)
  const dual = tryAt(addon, request, UNSPECIFIED_IPV6)
  if (typeof dual !== 'number' && failedToBind(dual)) return openAt(addon, request, UNSPECIFIED_IPV4)
  return toSocket(addon, request, UNSPECIFIED_IPV6, dual)
}

function openAt(addon: Addon, request: SocketRequest, where: BindAddress): ReusePortSocket | Error {
  return toSocket(addon, request, where, tryAt(addon, request, where))
}

function toSocket(
  addon: Addon,
  request: SocketRequest,
  where: BindAddress,
  outcome: number | SystemFailure,
): ReusePortSocket | Error {
  if (typeof outcome === 'number') {
    publishListen(() => describe(addon, outcome))
    return new ReusePortSocket(addon, outcome, request, where)
  }
  return failureAt(addon, request, where, outcome)
}

/** @internal Node's error for a socket that could not listen. */
export function failureAt(
  addon: Addon,
  { port, ipv6Only }: SocketRequest,
  where: BindAddress,
  failure: SystemFailure,
): Error {
  const family = where.family === 4 ? 'IPv4' : 'IPv6'
  const error = listenError(failure, where.address, port)
  return explain(error, addon, { protocol: 'tcp', family, address: where.address, port, ipv6Only })
}

function tryAt(
  addon: Addon,
  { port, backlog, ipv6Only, configuration }: SocketRequest,
  where: BindAddress,
): number | SystemFailure {
  return openListener(addon, { transport: 'tcp', port, ipv6Only, backlog, configuration }, where)
}

/** @internal */
export function describe(addon: Addon, fd: number): ListenMessage | undefined {
  const address = addon.localAddress(fd)
  return 'errno' in address ? undefined : { protocol: 'tcp', fd, ...address }
}

/** After such a failure on `::` Node tries `0.0.0.0`: each failure before listen(), except a taken port. */
function failedToBind({ errno, syscall }: SystemFailure): boolean {
  return syscall !== 'listen' && getSystemErrorName(errno) !== 'EADDRINUSE'
}
