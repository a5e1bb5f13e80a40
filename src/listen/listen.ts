// Room: sockets that share their port, and servers that listen on them. It may import steering and every room below.
import { addAbortListener } from 'node:events'
import process from 'node:process'
import type { AbortSignalLike } from '../common/abort-signal.js'
import type { BindAddress } from '../common/address.js'
import { loadParts } from '../common/part.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { awaitListen, emitListenError, supersede } from '../node/adopt.js'
import { type Agreement, endWithServer } from '../node/cluster-port.js'
import { emitFailure } from '../node/failed-listen.js'
import { lookupHost } from '../node/lookup.js'
import { networkDenied } from '../node/permission.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer } from '../node/server.js'
import { parseConfiguration } from '../options/configure.js'
import { steerWhenListening } from '../steering/steer.js'
import { capabilities } from '../system/capabilities.js'
import { inCluster } from './cluster-port.js'
import { chooseRoute, fallBack, refusalOf } from './fallback.js'
import { inheritOrOpen } from './inherit.js'
import { type PortRequest, parseListenArguments } from './listen-arguments.js'
import type { ListenHandle, ListenReusePortOptions, UnsharedListenOptions } from './listen-types.js'
import { adoptPlain, openPlain } from './plain.js'
import type { ReusePortSocket, SocketRequest } from './socket.js'
import { supervision, toWish } from './supervision.js'

/**
 * Starts a server listening on a port that other processes of the same user may share, if each of them uses
 * SO_REUSEPORT. The kernel then gives every new connection to one of these processes.
 *
 * After the server, takes the arguments of `server.listen`. Behaves as `server.listen` does in what it throws, what it
 * emits and when, the default host, lookups, `signal`, and the messages of a cluster worker to its primary. Paths,
 * descriptors and handles share no port and go to Node unchanged. Returns the server.
 *
 * ```js
 * listenReusePort(http.createServer(app), 8080)
 * ```
 *
 * Thrown: Node's `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_SOCKET_BAD_PORT`, `ERR_SERVER_ALREADY_LISTEN`;
 * `ERR_REUSEPORT_UNKNOWN_OPTION` for a misspelt option; other unknown names are ignored as by Node. Emitted as `'error'`:
 * Node's listen errors, and `ERR_REUSEPORT_UNSUPPORTED` where the system does not balance (see `fallback`).
 * `EADDRINUSE` means that a socket without SO_REUSEPORT, or a socket of another user, has the port.
 *
 * Balanced on Linux 3.9 and later, Android, FreeBSD 12, Solaris 11.4 and AIX 7.2 TL5; see `capabilities()`. `socket(7)`.
 */
export function listenReusePort<S extends ListenableServer>(server: S, listener?: () => void): S
export function listenReusePort<S extends ListenableServer>(
  server: S,
  port: number | string | null | undefined,
  host?: string,
  backlog?: number,
  listener?: () => void,
): S
export function listenReusePort<S extends ListenableServer>(
  server: S,
  port: number | string | null | undefined,
  host: string,
  listener: () => void,
): S
export function listenReusePort<S extends ListenableServer>(
  server: S,
  portOrPathOrHandle: number | string | ListenHandle | null | undefined,
  backlog: number,
  listener?: () => void,
): S
export function listenReusePort<S extends ListenableServer>(
  server: S,
  portOrPathOrHandle: number | string | ListenHandle | null | undefined,
  listener: () => void,
): S
// The last overload is the one that TypeScript names where none matches: for a misspelt option this one has to be it.
export function listenReusePort<S extends ListenableServer>(
  server: S,
  options: ListenReusePortOptions | UnsharedListenOptions,
  listener?: () => void,
): S
export function listenReusePort(server: ListenableServer, ...args: unknown[]): ListenableServer {
  assertServer(server)
  const toNode = (): ListenableServer => {
    Reflect.apply(server.listen, server, args)
    return server
  }
  if (server.listening) return toNode()
  const request = parseListenArguments(args)
  // Where the permission model denies the network, server.listen throws Node's own error.
  if (request.form === 'node' || networkDenied()) return toNode()
  serve(server, request)
  loadParts()
  return server
}

function serve(server: ListenableServer, request: PortRequest): void {
  const route = chooseRoute(request.fallback, capabilities())
  const state = loadAddon()
  if (route.by === 'addon' && state.loaded) {
    const configuration = parseConfiguration(state.addon, 'tcp', request)
    start(server, request, (where, isLatest) => {
      const serveAt = (wanted: SocketRequest, agreement?: Agreement): void => {
        const serveNow = (): void => {
          if (isLatest() && open(server, state.addon, wanted, isLatest)) steerBy(request, server)
          if (agreement !== undefined) endWithServer(server, agreement)
        }
        if (supervision()?.ask?.(server, toWish(wanted), serveNow) !== true) serveNow()
      }
      const { port, backlog, ipv6Only } = request
      const wanted = { where, port, backlog, ipv6Only, configuration }
      const isAgreed =
        !request.exclusive &&
        inCluster(state.addon, wanted, (agreement) => {
          if (!isLatest()) {
            agreement?.end()
            return
          }
          serveAt({ ...wanted, port: agreement?.port ?? 0 }, agreement)
        })
      if (!isAgreed) serveAt(wanted)
    })
    return
  }
  const error = refusalOf(route, state, request)
  if (error === undefined) {
    fallBack(route, state, server)
    listenByNode(server, request, route.by === 'exclusive')
    return
  }
  const { host, port } = request
  start(server, { ...request, host: undefined }, () => emitListenError(server, { host, port }, error))
}

/** Does what `server.listen` does before it binds, in the same order. */
function start(
  server: ListenableServer,
  request: PortRequest,
  bind: (where: BindAddress | undefined, isLatest: () => boolean) => void,
): void {
  const { callback, host, signal } = request
  if (callback !== undefined) server.once('listening', callback)
  const isLatest = supersede(server)
  if (signal !== undefined) closeOnAbort(server, signal)
  if (host === undefined) {
    bind(undefined, isLatest)
    if (!server.listening) awaitListen(server, isLatest)
    return
  }
  awaitListen(server, isLatest)
  lookupHost(host, (error, address) => {
    if (!isLatest()) return
    if (error) emitFailure(server, error)
    else bind(address ?? undefined, isLatest)
  })
}

/** @returns whether the server listens. */
function open(server: ListenableServer, addon: Addon, request: SocketRequest, isLatest: () => boolean): boolean {
  const plain = openPlain(addon, request)
  if (plain instanceof Error) {
    emitListenError(server, placeOf(request), plain)
    return false
  }
  if (plain !== undefined) {
    adoptPlain(server, plain, { addon, request, isLatest })
    return server.listening
  }
  let socket: ReusePortSocket | undefined
  try {
    const opened = inheritOrOpen(addon, request)
    if (opened instanceof Error) throw opened
    socket = opened
  } catch (error) {
    emitListenError(server, placeOf(request), error)
    return false
  }
  try {
    // onSocket may have closed the server or made it listen elsewhere.
    if (isLatest()) socket.listen(server)
  } finally {
    // Does nothing where the server has taken the socket. Otherwise the socket has no other owner that would close it.
    socket.close()
  }
  return server.listening
}

/** As Node reports it to subscribers of its diagnostics channel. */
function placeOf({ where, port }: SocketRequest): object {
  return { host: where?.address ?? null, port }
}

function closeOnAbort(server: ListenableServer, signal: AbortSignalLike): void {
  const close = (): void => {
    server.close()
  }
  if (signal.aborted) {
    process.nextTick(close)
    return
  }
  const listening = addAbortListener(signal as AbortSignal, close)
  server.once('close', () => listening[Symbol.dispose]())
}

function listenByNode(server: ListenableServer, request: PortRequest, exclusively: boolean): void {
  const { port, host, backlog, ipv6Only, signal, callback, exclusive } = request
  const sharing = exclusively ? { exclusive } : { reusePort: true }
  if (callback !== undefined) server.once('listening', callback)
  server.listen({ port, host, backlog, ipv6Only, signal, ...sharing })
  steerBy(request, server)
}

function steerBy({ steering }: PortRequest, server: ListenableServer): void {
  if (steering !== undefined) steerWhenListening(server, steering.policy, steering.optional)
}
