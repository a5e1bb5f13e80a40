import net from 'node:net'
import { isPathHandle, listenOnPath, pathOf } from './path-listen.js'
import type { ListenableServer } from './server.js'

/** What `net.createServer` was called with, as the server remembers it. */
interface Remembered {
  readonly allowHalfOpen?: boolean
  readonly pauseOnConnect?: boolean
  readonly noDelay?: boolean
  readonly keepAlive?: boolean
  readonly keepAliveInitialDelay?: number
  readonly highWaterMark?: number
}

const serving = new WeakMap<object, ListenableServer>()

/** The server that serves the connections of this one. */
export function servingOf(server: ListenableServer): ListenableServer {
  return serving.get(server) ?? server
}

/**
 * Accepts connections for a server that a drain has closed, from a listening socket that came back to it. The server itself
 * stays closed, so its program is not told that it listens.
 *
 * @param socket A handle or a descriptor, which belongs to the result.
 * @returns a server that counts these connections as its own; undefined where the socket cannot be listened on.
 */
export function acceptFor(server: ListenableServer, socket: object | number): ListenableServer | undefined {
  const accepting = net.createServer(optionsOf(server as Remembered))
  accepting.on('error', () => {})
  accepting.on('connection', (connection) => server.emit('connection', connection))
  if (isPathHandle(socket)) listenOnPath(accepting, socket, pathOf(server) ?? '')
  else accepting.listen(typeof socket === 'number' ? { fd: socket } : socket)
  if (!accepting.listening) return undefined
  const listener = accepting as unknown as ListenableServer
  serving.set(listener, server)
  return listener
}

function optionsOf({ keepAliveInitialDelay, ...server }: Remembered): net.ServerOpts {
  const { allowHalfOpen, highWaterMark, keepAlive, noDelay, pauseOnConnect } = server
  const options = { allowHalfOpen, highWaterMark, keepAlive, noDelay, pauseOnConnect }
  return {
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    // Node keeps it in seconds.
    ...(keepAliveInitialDelay === undefined ? {} : { keepAliveInitialDelay: keepAliveInitialDelay * 1000 }),
  }
}
