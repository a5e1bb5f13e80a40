// Room: Node's internals, which no other room knows, and what Node must be asked for. It may import common.
// This file knows the internals of servers: `_listeningId`, `_connectionKey`, `_handle` and `net._createServerHandle`.
// Each is optional: where one is missing (another runtime, a later Node), the documented `listen({ fd })` serves, and
// only what depends on the missing one is lost.
import diagnostics from 'node:diagnostics_channel'
import net from 'node:net'
import process from 'node:process'
import { ReusePortUnsupportedError, type SystemFailure } from '../common/errors.js'
import { joinCluster, type Listening } from './cluster.js'
import { emitFailure, forgetFailure, rememberCall } from './failed-listen.js'
import { rememberSessions } from './http2-sessions.js'
import type { ListenableServer } from './server.js'
import { type Handle, type NetInternals, openHandle } from './server-handle.js'
import { rememberUpgrades } from './upgraded-sockets.js'

/** A listening descriptor whose owner is about to change. */
export interface OwnedDescriptor {
  readonly fd: number
  localPort(): number
  /** From now on the new owner closes the descriptor. */
  release(): void
  close(): void
}

interface ServerInternals {
  _listeningId?: number
  _connectionKey?: string
  readonly _handle?: { readonly fd?: unknown } | null
}

/**
 * Cancels any listen that this server still has pending (a host lookup), as a new call of `server.listen` does.
 *
 * @returns a function that says whether this call is still the latest. `server.close()` cancels this call too.
 */
export function supersede(server: ListenableServer & ServerInternals): () => boolean {
  forgetFailure(server)
  if (typeof server._listeningId !== 'number') return () => !server.listening
  server._listeningId++
  return latestListen(server)
}

/** The call goes on later, or fails later. */
export function awaitListen(server: ListenableServer & ServerInternals, isLatest: () => boolean): void {
  if (typeof server._listeningId === 'number' && isLatest()) rememberCall(server)
}

/** Gives a function that says whether the latest listen of this server is still the latest, and the server not closed. */
export function latestListen(server: ListenableServer & ServerInternals): () => boolean {
  const id = server._listeningId
  return typeof id === 'number' ? () => server._listeningId === id : () => server.listening
}

/**
 * Gives a listening descriptor to a server. It makes a handle first instead of calling `listen({ fd })`, for two
 * reasons: at each moment the descriptor has one known owner, and a cluster worker would look the number up among the
 * descriptors of its primary.
 */
export function adopt(
  server: ListenableServer & ServerInternals,
  descriptor: OwnedDescriptor,
  listening: Listening,
): SystemFailure | ReusePortUnsupportedError | undefined {
  const { _createServerHandle: createServerHandle } = net as NetInternals
  if (createServerHandle === undefined) return adoptByNumber(server, descriptor, listening.backlog)

  const handle = openHandle(createServerHandle, descriptor.fd)
  if (typeof handle === 'number') return { errno: handle, syscall: 'open' }
  descriptor.release()
  adoptHandle(server, handle, listening)
  return undefined
}

/** Gives a handle of a shared port to a server, which owns it from then on. */
export function adoptHandle(server: ListenableServer & ServerInternals, handle: Handle, listening: Listening): void {
  const { host, address, family, port, backlog } = listening
  try {
    joinCluster(server, handle, listening)
    // Node passes host and port to subscribers of its diagnostics channel.
    server.listen({ handle, host, port }, backlog)
  } catch (error) {
    if (!server.listening) handle.close()
    throw error
  }
  rememberSessions(server)
  rememberUpgrades(server)
  server._connectionKey = `${family}:${address}:${port}`
}

function adoptByNumber(
  server: ListenableServer,
  descriptor: OwnedDescriptor,
  backlog: number,
): ReusePortUnsupportedError | undefined {
  const port = descriptor.localPort()
  server.listen({ fd: descriptor.fd }, backlog)
  if (isListeningOn(server, port)) {
    descriptor.release()
    return undefined
  }
  // If it stayed open, clients would connect to it and wait for ever, because no process accepts from it.
  descriptor.close()
  // A server that does not listen emits the error itself.
  if (!server.listening) return undefined
  server.close()
  return new ReusePortUnsupportedError(
    'the server of this runtime ignores the descriptor it is given; use a net.Server',
  )
}

function isListeningOn(server: ListenableServer, port: number): boolean {
  const address = server.listening ? server.address() : null
  return typeof address === 'object' && address !== null && 'port' in address && address.port === port
}

/** The descriptor of a listening server; undefined where the cluster's primary holds it. */
export function serverDescriptor(server: ListenableServer & ServerInternals): number | undefined {
  const fd = server._handle?.fd
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

/**
 * Gives a listening unix socket to a server, also in a cluster worker, where `listen({ fd })` would look the number up
 * among the descriptors of the primary. `listen(handle)` would make a second handle of the number, where the handle is
 * one of a unix socket: both would close it, the second one perhaps for another thread.
 *
 * @returns the failure.
 */
export function listenOn(server: net.Server, fd: number, release: () => void): SystemFailure | undefined {
  const { _createServerHandle: createServerHandle } = net as NetInternals
  const internals = server as unknown as { _handle: unknown; readonly _listen2?: (...args: unknown[]) => void }
  if (createServerHandle === undefined || typeof internals._listen2 !== 'function') {
    server.listen({ fd })
    release()
    return undefined
  }
  const handle = createServerHandle(null, null, null, fd)
  if (typeof handle === 'number') return { errno: handle, syscall: 'open' }
  release()
  internals._handle = handle
  internals._listen2(null, -1, -1, BACKLOG)
  return undefined
}

/** What Node uses where no backlog is given. */
const BACKLOG = 511

/** The descriptor of a connection. */
export function connectionDescriptor(socket: net.Socket): number | undefined {
  return serverDescriptor(socket as unknown as ListenableServer)
}

/** Emits what a failed `server.listen` emits: messages on Node's diagnostics channels, and 'error' on the next tick. */
export function emitListenError(server: ListenableServer, options: object, error: unknown): void {
  const started = diagnostics.channel('tracing:net.server.listen:asyncStart')
  const failed = diagnostics.channel('tracing:net.server.listen:error')
  if (started.hasSubscribers) started.publish({ server, options })
  if (failed.hasSubscribers) failed.publish({ server, error })
  process.nextTick(emitFailure, server, error)
}
