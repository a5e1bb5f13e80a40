// This file knows how a server of Node gets its connections: `_handle.onconnection`, called with the connection's handle
// before there is a socket, and `_connections`, their number. Where one is missing, the server is left alone.
import type { ListenableServer } from './server.js'

/** The handle of a connection, of which nothing was read. */
export interface Connection {
  readonly fd: number
  close(...args: unknown[]): void
}

type OnConnection = (this: object, error: number, connection: Connection | undefined) => void

interface ServerInternals {
  _connections?: unknown
  readonly _handle?: { onconnection?: OnConnection } | null
}

/** What gives a connection to the server of a handle whose connections are intercepted. */
const entries = new WeakMap<object, (connection: Connection) => void>()

/** The connections of one server, while it listens. */
export interface Incoming {
  /** Connections of the server that are open. */
  open(): number
  /** Gives the server a connection, as if it had come just now: the server counts, drops and emits it. */
  enter(connection: Connection): void
}

/**
 * Asks `isTaken` about each connection before the server sees it; one that is taken is not the server's. `changed` is
 * called when `open()` has changed or will have in this turn.
 *
 * @returns undefined where the server is not one of Node, or does not listen.
 */
export function interceptConnections(
  server: ListenableServer,
  isTaken: (connection: Connection) => boolean,
  changed: () => void,
): Incoming | undefined {
  const internals = server as ServerInternals
  const handle = internals._handle
  const original = handle?.onconnection
  if (handle === null || handle === undefined || typeof original !== 'function') return undefined
  if (typeof internals._connections !== 'number') return undefined

  const pass = (listener: object, connection: Connection): void => {
    const { close } = connection
    // Node calls it where it counts the connection no more. A listener of the socket's 'close' would be the program's to see.
    connection.close = (...args) => {
      changed()
      Reflect.apply(close, connection, args)
    }
    changed()
    Reflect.apply(original, listener, [0, connection])
  }
  handle.onconnection = function onConnection(error, connection) {
    if (error !== 0 || connection === undefined) Reflect.apply(original, this, [error, connection])
    else if (!isTaken(connection)) pass(this, connection)
  }
  const enter = (connection: Connection): void => pass(handle, connection)
  entries.set(handle, enter)
  return { open: () => Number(internals._connections), enter }
}

/**
 * Gives the server a connection, as if it had come just now, and asks nobody who intercepts connections.
 *
 * @returns whether the server has it: it listens, and is one of Node.
 */
export function enterConnection(server: ListenableServer, connection: Connection): boolean {
  const handle = (server as ServerInternals)._handle ?? {}
  const { onconnection } = handle
  if (typeof onconnection !== 'function') return false
  const enter = entries.get(handle)
  if (enter === undefined) Reflect.apply(onconnection, handle, [0, connection])
  else enter(connection)
  return true
}

/** Whether what came with a message is a TCP connection. */
export function isConnection(handle: unknown): handle is Connection {
  return peerPort(handle) !== undefined
}

/** The port of the other end of a TCP connection; undefined where the handle is none. */
export function peerPort(handle: unknown): number | undefined {
  const { fd, getpeername } = (handle ?? {}) as { readonly fd?: unknown; readonly getpeername?: unknown }
  if (typeof fd !== 'number' || typeof getpeername !== 'function') return undefined
  const name: { port?: number } = {}
  return Reflect.apply(getpeername, handle, [name]) === 0 ? (name.port ?? 0) : undefined
}
