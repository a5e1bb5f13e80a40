import { getSystemErrorName } from 'node:util'
import { listenError, type SystemFailure } from '../common/errors.js'
import type { Addon } from '../native/addon-contract.js'
import { duplicateOf } from '../native/duplicate-for.js'
import { openSocket, ReusePortSocket, type SocketRequest } from './socket.js'
import { supervision, toWish } from './supervision.js'

/**
 * Returns a socket that the supervisor has kept for this request, or else a new socket. Returns Node's error where
 * neither can be had.
 *
 * @throws the error of an option, or the value that `onSocket` throws.
 */
export function inheritOrOpen(addon: Addon, request: SocketRequest): ReusePortSocket | Error {
  const supervisor = supervision()
  if (supervisor === undefined) return openSocket(addon, request)
  const wish = toWish(request)
  const kept = supervisor.take(wish)
  if (kept === undefined) return openSocket(addon, { ...request, wish, port: supervisor.portFor(wish) })
  let socket: ReusePortSocket | Error | undefined
  try {
    socket = inherit(addon, { ...request, wish }, kept)
    return socket ?? openSocket(addon, { ...request, wish, port: supervisor.portFor(wish) })
  } finally {
    kept.done(socket instanceof ReusePortSocket)
  }
}

/** @returns undefined where the descriptor is another file's by now. */
function inherit(
  addon: Addon,
  request: SocketRequest,
  kept: { readonly fd: number; readonly inode?: number | undefined },
): ReusePortSocket | Error | undefined {
  const fd = duplicateOf(addon, kept.fd, kept.inode)
  if (fd === undefined) return undefined
  if (typeof fd !== 'number') return toError(fd, request)
  const bound = addon.localAddress(fd)
  // The socket listens already. listen() sets the backlog of this process's request.
  const failure = 'errno' in bound ? bound : addon.listen(fd, request.backlog)
  if ('errno' in bound || failure !== undefined) {
    addon.close(fd)
    return toError(failure as SystemFailure, request)
  }
  return new ReusePortSocket(addon, fd, request, { address: bound.address, family: bound.family === 'IPv4' ? 4 : 6 })
}

function toError(failure: SystemFailure, { where, port }: SocketRequest): Error {
  const error = listenError(failure, where?.address ?? '::', port)
  error.message += `: this process cannot use the socket that the supervisor keeps (${failure.syscall} ${getSystemErrorName(failure.errno)})`
  return error
}
