import net from 'node:net'
import type { ListenableServer } from './server.js'
import { ServerConnections } from './server-connections.js'

/** What `net.createServer` was called with, as the server remembers it. */
interface Remembered {
  readonly allowHalfOpen?: boolean
  readonly pauseOnConnect?: boolean
  readonly noDelay?: boolean
  readonly keepAlive?: boolean
  readonly keepAliveInitialDelay?: number
  readonly highWaterMark?: number
}

/**
 * Accepts connections for a server that a drain has closed, from a listening socket that came back to it. The server itself
 * stays closed, so its program is not told that it listens. What these connections are told is as in a drain: HTTP/1
 * responses say `Connection: close`, HTTP/2 sessions get a GOAWAY.
 */
export class SecondListener {
  /** Counts these connections as its own. */
  readonly accepting: net.Server
  /** Undefined where `accepting` does not listen. */
  readonly #connections: ServerConnections | undefined

  /** @param socket A handle or a descriptor, which belongs to this object where `accepting` listens. */
  constructor(server: ListenableServer, socket: object | number) {
    this.accepting = net.createServer(optionsOf(server as Remembered))
    this.accepting.on('error', () => {})
    this.accepting.on('connection', (connection) => server.emit('connection', connection))
    this.accepting.listen(typeof socket === 'number' ? { fd: socket } : socket)
    this.#connections = this.accepting.listening ? new ServerConnections(server) : undefined
    this.#connections?.announceEnd()
  }

  /**
   * Closes what is idle, and ends what would last. Call it repeatedly.
   *
   * @param now ms since this listener closed.
   */
  closeIdle(now: number): void {
    this.#connections?.closeIdle(now, IDLE, IDLE)
    for (const one of this.#connections?.longLived() ?? []) one.end()
  }

  /** Destroys the connections that are left. */
  end(): void {
    this.#connections?.destroyAll()
    this.#connections?.forget()
  }
}

/** ms that a connection may stay idle, as in a drain. */
const IDLE = 1000

function optionsOf({ keepAliveInitialDelay, ...server }: Remembered): net.ServerOpts {
  const { allowHalfOpen, highWaterMark, keepAlive, noDelay, pauseOnConnect } = server
  const options = { allowHalfOpen, highWaterMark, keepAlive, noDelay, pauseOnConnect }
  return {
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    // Node keeps it in seconds.
    ...(keepAliveInitialDelay === undefined ? {} : { keepAliveInitialDelay: keepAliveInitialDelay * 1000 }),
  }
}
