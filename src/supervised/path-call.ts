// A call of `server.listen` with a unix path, in a worker of a supervisor.
import type net from 'node:net'
import { resolve } from 'node:path'
import type { OneSocket } from './one-socket.js'
import { canSharePaths, pathRequest } from './path-request.js'

type Listen = (this: net.Server, ...args: unknown[]) => net.Server

/** Characters of the absolute path: more than any message has. */
const LONGEST = 1024

/**
 * Listens on a path, whose one socket all workers accept from.
 *
 * @param listen Node's own.
 * @returns false for a call that names no path to share, or that Node has to refuse.
 */
export function listenOnPath(
  common: OneSocket,
  server: net.Server,
  args: readonly unknown[],
  isShared: (path: string) => boolean,
  listen: Listen,
): boolean {
  const [first, second] = args
  const options = (typeof first === 'object' && first !== null ? first : { path: first }) as Record<string, unknown>
  const { backlog, exclusive, fd, _handle, handle, path, port, readableAll, reusePort, signal, writableAll } = options
  // Node takes a path that is a number for a port.
  if (typeof path !== 'string' || path === '' || Number(path) >= 0 || port !== undefined) return false
  if (_handle || handle || typeof fd === 'number' || exclusive === true || reusePort === false) return false
  if (server.listening || !canSharePaths()) return false
  const name = path.startsWith('\0') ? `@${path.slice(1)}` : resolve(path)
  if (name.length > LONGEST || !isShared(name)) return false
  if (signal !== undefined && !(signal instanceof AbortSignal)) return false
  const callback = args.at(-1)
  if (typeof callback === 'function') server.once('listening', callback as () => void)
  const rest = typeof callback === 'function' ? args.slice(0, -1) : args
  const call = {
    path,
    backlog: Number(backlog) || Number(second) || undefined,
    readableAll: readableAll === true,
    writableAll: writableAll === true,
    signal,
  }
  common.ask(
    server,
    pathRequest(server, call, () => void Reflect.apply(listen, server, rest)),
  )
  return true
}
