// What a server asks for that is to listen on a unix path: all workers accept from one socket, which the supervisor opens.
import type net from 'node:net'
import path from 'node:path'
import { listenError } from '../common/errors.js'
import type { ListenableServer } from '../index.js'
import { loadAddon } from '../native/addon.js'
import { emitListenError } from '../node/adopt.js'
import { canSharePaths as canShare, handleOfPath, listenOnPath } from '../node/path-listen.js'
import { type PathAccess, UNIX } from '../supervisor/protocol.js'
import type { Request } from './one-socket.js'

export interface PathCall extends PathAccess {
  /** Relative to the folder of this process, or abstract with a zero in front. */
  readonly path: string
  readonly backlog: number | undefined
  readonly signal: AbortSignal | undefined
}

/** False without the addon, by which the supervisor opens paths. */
export function canSharePaths(): boolean {
  return canShare() && loadAddon().loaded
}

/** @param open Calls Node's `server.listen`. */
export function pathRequest(server: net.Server, call: PathCall, open: () => void): Request {
  const { path: given, backlog, readableAll, writableAll, signal } = call
  const address = given.startsWith('\0') ? given : path.resolve(given)
  const fail: Request['fail'] = (failure, hint) => {
    const error = Object.assign(listenError(failure, given, -1), { port: -1 }, hint && { hint })
    emitListenError(server as unknown as ListenableServer, { path: given }, error)
  }
  return {
    wish: { address, port: 0, ipv6Only: false, options: UNIX },
    access: { readableAll, writableAll },
    signal,
    open,
    take(socket) {
      const handle = typeof socket === 'number' ? handleOfPath(socket) : socket
      if (typeof handle === 'number') fail({ errno: handle, syscall: 'listen' })
      else listenOnPath(server, handle, given, backlog)
    },
    fail,
  }
}
