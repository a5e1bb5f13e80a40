// Listening on unix paths by handles: `net.Server.listen` takes only handles of TCP as they are. Of another one it reads
// the descriptor and makes a second handle of it, and both would close it.
import net from 'node:net'

interface Handle {
  readonly fd: number
  close(): void
}

interface NetInternals {
  readonly _createServerHandle?: (path: string | null, port: -1 | null, type: -1 | null, fd?: number) => Handle | number
}

interface ServerInternals {
  _handle: unknown
  _pipeName?: string
  readonly _listen2?: (path: string | null, port: -1, addressType: -1, backlog: number) => void
}

const BACKLOG = 511 // Node's

/** Whether this runtime can share a path. */
export function canSharePaths(): boolean {
  return (net as NetInternals)._createServerHandle !== undefined && '_listen2' in net.Server.prototype
}

/** Binds a unix path. @returns the handle, whose `close` removes the file; or the errno. */
export function bindPath(path: string): Handle | number {
  return (net as NetInternals)._createServerHandle?.(path, -1, -1) ?? -1
}

/** A handle of a unix socket whose `close` leaves the file. The descriptor belongs to it. @returns the errno where there is none. */
export function handleOfPath(fd: number): Handle | number {
  return (net as NetInternals)._createServerHandle?.(null, null, null, fd) ?? -1
}

/** Whether a handle that came over an IPC channel is one of a unix socket. */
export function isPathHandle(socket: unknown): socket is Handle {
  return typeof socket === 'object' && socket !== null && socket.constructor?.name === 'Pipe'
}

/** The path that a server listens on, as its program gave it; undefined for a server on a port. */
export function pathOf(server: object): string | undefined {
  return (server as ServerInternals)._pipeName
}

/** As `server.listen(path)`, on this handle of a socket that is bound to the path already. */
export function listenOnPath(server: net.Server, handle: object, path: string, backlog: number = BACKLOG): void {
  const internals = server as unknown as ServerInternals
  internals._pipeName = path
  internals._handle = handle
  internals._listen2?.(path, -1, -1, backlog)
}
