// Room: dgram sockets that share their port. It may import listen and every room below.
import process from 'node:process'
import { bindError, type SystemFailure } from '../common/errors.js'
import { loadParts } from '../common/part.js'
import { type Admission, admit } from '../group/member-limit.js'
import { explain } from '../listen/address-in-use.js'
import { publishAdopt, publishListen } from '../listen/channels.js'
import { chooseRoute, fallBack, refusalOf } from '../listen/fallback.js'
import { openUnbound } from '../listen/shared-socket.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { reservePort } from '../native/reserved-port.js'
import {
  type Claim,
  claim,
  creationOptions,
  datagramDescriptor,
  isClosed,
  lookupFor,
  onceBound,
  refusesBind,
  shareByCore,
} from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { assertDatagramSocket, familyOf } from '../node/datagram-socket.js'
import { emitFailure, forgetFailure } from '../node/failed-listen.js'
import { networkDenied } from '../node/permission.js'
import { type Configuration, configure, parseConfiguration } from '../options/configure.js'
import { capabilities } from '../system/capabilities.js'
import { AfterBindError, adoptDatagram } from './adopt-datagram.js'
import { type BindRequest, parseBindArguments } from './bind-arguments.js'
import type { BindReusePortOptions, UnsharedBindOptions } from './bind-types.js'
import { closeOnAbort } from './close-on-abort.js'
import { askSupervisor, type Supervised } from './kept.js'

/**
 * Binds a UDP socket to a port that other processes of the same user may share, if each of them uses SO_REUSEPORT. The
 * kernel then gives every datagram to one of these processes: all datagrams of one source address and port go to the
 * same process, as long as the members of the group stay the same.
 *
 * Takes the arguments of `socket.bind` after the socket, and behaves as `socket.bind` does: what it throws and emits
 * and when, the default address, the socket's own `lookup`, `ipv6Only` and `reuseAddr` of `dgram.createSocket`. A
 * descriptor goes to Node unchanged. In a cluster worker the socket belongs to the worker itself. Returns the socket.
 *
 * ```js
 * bindReusePort(dgram.createSocket('udp4'), 8125)
 * ```
 *
 * Thrown: Node's `ERR_SOCKET_ALREADY_BOUND`, `ERR_SOCKET_DGRAM_NOT_RUNNING`, `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, and `ERR_SOCKET_BAD_PORT` for a value that is not a port;
 * `ERR_REUSEPORT_UNKNOWN_OPTION`. Emitted as `'error'`: Node's bind errors; `ERR_REUSEPORT_UNSUPPORTED` where the
 * system does not balance (see `fallback`); `ERR_REUSEPORT_ADDON_UNAVAILABLE` for an option that needs the addon;
 * `ERR_REUSEPORT_OPTION_UNSUPPORTED`, `_DENIED` or `_REFUSED` for an option that the system does not accept;
 * `ERR_REUSEPORT_GROUP_FULL`, `_LOCKED` or `_INSPECTION_UNAVAILABLE` for `maxMembers`.
 *
 * Balanced on Linux 3.9 and later, Android, FreeBSD 12; see `capabilities()`. `socket(7)`, `udp(7)`.
 */
export function bindReusePort<S extends BindableSocket>(socket: S, listener?: () => void): S
export function bindReusePort<S extends BindableSocket>(
  socket: S,
  port: number | string | null | undefined,
  address?: string,
  listener?: () => void,
): S
export function bindReusePort<S extends BindableSocket>(
  socket: S,
  port: number | string | null | undefined,
  listener: () => void,
): S
// Last, so that TypeScript names it where a misspelt option matches none.
export function bindReusePort<S extends BindableSocket>(
  socket: S,
  options: BindReusePortOptions | UnsharedBindOptions,
  listener?: () => void,
): S
export function bindReusePort(socket: BindableSocket, ...args: unknown[]): BindableSocket {
  assertDatagramSocket(socket)
  const toNode = (): BindableSocket => {
    Reflect.apply(socket.bind, socket, args)
    return socket
  }
  if (refusesBind(socket)) return toNode()
  const request = parseBindArguments(args)
  // Where Node's permission model denies the network, Node throws its own error.
  if (request.form === 'node' || networkDenied()) return toNode()
  serve(socket, request)
  loadParts()
  return socket
}

function serve(socket: BindableSocket, request: BindRequest): void {
  const route = chooseRoute(request.fallback, capabilities())
  const state = loadAddon()
  if (route.by === 'addon' && state.loaded) {
    const { addon } = state
    const configuration = parseConfiguration(addon, 'udp', request)
    start(socket, request, (address, claimed) => open(socket, { ...request, addon, configuration }, address, claimed))
    return
  }
  const error = refusalOf(route, state, request) ?? (route.by === 'core' ? shareByCore(socket) : undefined)
  if (error !== undefined) {
    start(socket, { ...request, address: undefined }, () => ({ error }))
    return
  }
  fallBack(route, state, socket)
  bindByNode(socket, request)
}

interface OpenRequest extends BindRequest {
  readonly addon: Addon
  readonly configuration: Configuration
}

/** Undefined where the socket is bound, or was closed in the meantime. */
type Failed = { readonly error: unknown } | undefined

/** Does what `socket.bind` does before and after it binds. */
function start(socket: BindableSocket, request: BindRequest, bind: (address: string, claimed: Claim) => Failed): void {
  const { address, callback, signal } = request
  const family = familyOf(socket)
  const claimed = claim(socket)
  forgetFailure(socket)
  const forget = callback === undefined ? ignore : onceBound(socket, callback)
  const ignoreSignal = signal === undefined ? ignore : closeOnAbort(socket, signal)
  let hasAnswered = false
  try {
    lookupFor(socket, address ?? (family === 6 ? '::' : '0.0.0.0'), family, (error, found) => {
      hasAnswered = true
      const failed = error ? { error } : bind(found, claimed)
      if (failed === undefined) return
      claimed.giveBack()
      emitFailure(socket, failed.error)
    })
  } catch (error) {
    // The lookup throws for an address that is not a string. If it has answered already, a listener has thrown.
    if (!hasAnswered) {
      claimed.giveBack()
      forget()
      ignoreSignal()
    }
    throw error
  }
}

/** Asks the supervisor first, if there is one. */
function open(socket: BindableSocket, request: OpenRequest, address: string, claimed: Claim): Failed {
  const { addon, configuration, givenPort, port } = request
  const supervised = askSupervisor(addon, socket, { address, family: familyOf(socket), port, configuration })
  if (supervised === undefined) return openAt(socket, request, address, claimed)
  if ('errno' in supervised) return { error: bindError(supervised, address, givenPort) }
  try {
    return openAt(socket, { ...request, port: supervised.port }, address, claimed, supervised)
  } finally {
    supervised.done()
  }
}

/** Gives the socket a descriptor that the addon has opened, bound to this address. */
function openAt(
  socket: BindableSocket,
  request: OpenRequest,
  address: string,
  claimed: Claim,
  supervised?: Supervised,
): Failed {
  const { addon, configuration, givenPort, port } = request
  const kept = supervised?.kept
  const family = familyOf(socket)
  const { ipv6Only } = creationOptions(socket)
  const wanted = { protocol: 'udp', family: family === 4 ? 'IPv4' : 'IPv6', address, port, ipv6Only } as const
  const failed = (failure: SystemFailure): Failed => ({
    error: explain(bindError(failure, address, givenPort), addon, wanted),
  })
  let fd: number | SystemFailure
  let admission: Admission | undefined
  try {
    admission = admit(addon, { protocol: 'udp', family, address, port }, kept ? undefined : configuration.maxMembers)
    fd = kept?.fd ?? openUnbound(addon, { transport: 'udp', ipv6Only, configuration }, family)
  } catch (error) {
    admission?.end()
    return { error }
  }
  if (typeof fd !== 'number') {
    admission.end()
    return failed(fd)
  }

  const descriptor = kept ?? new OwnedDescriptor(addon, fd, family)
  // Linux may choose a port that another socket of this user shares, and the group would have a stranger.
  const reserved =
    port === 0 && kept === undefined && process.platform === 'linux'
      ? reservePort(addon, 'udp', { address, family }, ipv6Only)
      : undefined
  try {
    // `onSocket` may have closed the socket.
    if (isClosed(socket)) return undefined
    const afterBind = (): void => {
      reserved?.close()
      // The admission ends before 'listening', because listeners of 'listening' may take long.
      admission.confirm()
      admission.end()
      if (kept === undefined) configure(descriptor, configuration, 'after-bind')
      publishListen(() => descriptor.describe('udp'))
    }
    const failure = adoptDatagram(socket, descriptor, {
      address,
      port: reserved?.port ?? port,
      isKept: kept !== undefined,
      claimed,
      afterBind,
      onHandle: (handle) => supervised?.onHandle(handle),
    })
    if (failure === undefined) {
      publishAdopt(() => {
        // A listener of 'listening' may have closed the socket.
        const message = datagramDescriptor(socket) === descriptor.fd ? descriptor.describe('udp') : undefined
        return message && { ...message, target: socket }
      })
      return undefined
    }
    return failure instanceof Error ? { error: failure } : failed(failure)
  } catch (error) {
    if (error instanceof AfterBindError) return { error: error.cause }
    throw error
  } finally {
    admission.end()
    reserved?.close()
    descriptor.close()
  }
}

function bindByNode(socket: BindableSocket, request: BindRequest): void {
  const { address, callback, exclusive, port, signal } = request
  if (callback !== undefined) onceBound(socket, callback)
  if (signal !== undefined) closeOnAbort(socket, signal)
  socket.bind({ port, address, exclusive })
}

function ignore(): void {}
