// The connections of a server, which are internals of Node: `process._getActiveHandles`, the connection list of an http
// server, the response under way on a connection, the sessions of an http2 server. Each is optional: where one is
// missing, the connections that it would find are left to `connectionTimeout`.
import net from 'node:net'
import process from 'node:process'
import { InvalidArgumentTypeError } from '../common/errors.js'
import type { ListenableServer } from './server.js'
import { closeForDrain } from './withheld-close.js'

interface Response {
  shouldKeepAlive?: boolean
  readonly headersSent?: boolean
}

interface HttpConnection {
  readonly _httpMessage?: Response | null
}

interface Connection {
  destroy(): void
}

interface Session extends Connection {
  readonly closed: boolean
  close(): void
  goaway(code: number, lastStreamId: number): void
  ping(answered: () => void): boolean
  once(event: 'stream', listener: () => void): void
  readonly state: { readonly lastProcStreamID?: number }
}

interface ConnectionServer extends ListenableServer {
  on(event: string, listener: (...args: never[]) => void): unknown
  off(event: string, listener: (...args: never[]) => void): unknown
  prependListener(event: string, listener: (...args: never[]) => void): unknown
  getConnections?(answer: (error: Error | null, count: number) => void): unknown
  closeIdleConnections?(): void
  closeAllConnections?(): void
  updateSettings?: unknown
}

/** The http2 sessions of servers that share a port by this library. Node 24 and later keep a list in the server. */
const sessionsOf = new WeakMap<object, Set<Session>>()

/** Remembers the sessions of an http2 server, because Node before 24 has no list of them. */
export function rememberSessions(server: ListenableServer): void {
  const http2 = server as ConnectionServer
  if (typeof http2.updateSettings !== 'function' || sessionsOf.has(server)) return
  const sessions = new Set<Session>()
  sessionsOf.set(server, sessions)
  http2.on('session', (session: Session & { once(event: 'close', listener: () => void): void }) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
}

/** The connections of one server during its drain. */
export class ServerConnections {
  readonly #server: ConnectionServer
  #accepted = 0
  readonly #undo: (() => void)[] = []

  constructor(server: ListenableServer) {
    this.#server = server as ConnectionServer
    if (typeof this.#server.on !== 'function' || typeof this.#server.off !== 'function') {
      throw new InvalidArgumentTypeError('server', 'an instance of net.Server', server)
    }
    this.#listen('on', 'connection', () => {
      this.#accepted++
    })
  }

  /** Connections accepted since this object was created. */
  get accepted(): number {
    return this.#accepted
  }

  /** Calls `tell` with the descriptor of each new connection, before any other listener. @returns what ends this. */
  onAccepted(tell: (fd: number) => void): () => void {
    return this.#listen('prependListener', 'connection', (socket: { readonly _handle?: { readonly fd?: unknown } }) => {
      const fd = socket._handle?.fd
      if (typeof fd === 'number' && fd >= 0) tell(fd)
    })
  }

  /** Every response that has not begun, and every later one, says `Connection: close`; http2 sessions get a GOAWAY. */
  announceEnd(): void {
    for (const { socket } of this.#httpConnections()) {
      const response = (socket as HttpConnection | undefined)?._httpMessage
      if (response && response.headersSent === false) response.shouldKeepAlive = false
    }
    for (const event of ['request', 'checkContinue', 'checkExpectation']) {
      // A first listener of the other two events would replace Node's default answer. A first listener of 'request' makes
      // an http2 server answer each stream a second time: trailers that the program sends then throw.
      const mayBeFirst = event === 'request' && !this.#isHttp2
      if (!mayBeFirst && (this.#server as unknown as Emitter).listenerCount(event) === 0) continue
      this.#listen('prependListener', event, (_request: unknown, response: Response) => {
        response.shouldKeepAlive = false
      })
    }
    if (!this.#isHttp2) return
    for (const session of this.#sessions()) announceEnd(session)
    this.#listen('on', 'session', announceEnd)
  }

  /** Removes all listeners of this object. Later responses and sessions are no longer told of the end. */
  forget(): void {
    for (const undo of this.#undo.splice(0)) undo()
  }

  count(): Promise<number> {
    return new Promise((resolve) => {
      const { getConnections } = this.#server
      if (typeof getConnections !== 'function') resolve(0)
      else Reflect.apply(getConnections, this.#server, [(_error: unknown, count: number) => resolve(count ?? 0)])
    })
  }

  /** Stops listening. Unlike `close()` of an http server, keeps idle connections: a request may be on its way there. */
  stopListening(): void {
    closeForDrain(this.#server, () => this.#close())
  }

  #close(): void {
    const server = this.#server
    // From Node 24 on, `close()` of an http2 server refuses the requests that its sessions begin at this moment.
    if (this.#isHttp2) {
      Reflect.apply(net.Server.prototype.close, server, [])
      return
    }
    if (typeof server.closeIdleConnections !== 'function') {
      server.close()
      return
    }
    const own = Object.getOwnPropertyDescriptor(server, 'closeIdleConnections')
    Object.defineProperty(server, 'closeIdleConnections', { value: () => {}, configurable: true, writable: true })
    try {
      server.close()
    } finally {
      if (own === undefined) Reflect.deleteProperty(server, 'closeIdleConnections')
      else Object.defineProperty(server, 'closeIdleConnections', own)
    }
  }

  /** Whether there are connections that may be idle between two requests. */
  get mayBeIdle(): boolean {
    return this.#isHttp2 || typeof this.#server.closeIdleConnections === 'function'
  }

  closeIdle(): void {
    for (const session of this.#sessions()) closeSession(session)
    this.#server.closeIdleConnections?.()
    // Node does not count a connection without any received byte as idle, but as one whose request is under way.
    for (const { socket } of this.#httpConnections()) {
      if (isSilent(socket)) socket.destroy()
    }
  }

  destroyAll(): void {
    for (const session of this.#sessions()) session.destroy()
    this.#server.closeAllConnections?.()
    const { _getActiveHandles: activeHandles } = process as { _getActiveHandles?: () => readonly object[] }
    if (typeof activeHandles !== 'function') return
    for (const handle of Reflect.apply(activeHandles, process, [])) {
      if ('server' in handle && handle.server === this.#server && 'destroy' in handle) (handle as Connection).destroy()
    }
  }

  get #isHttp2(): boolean {
    return typeof this.#server.updateSettings === 'function'
  }

  #httpConnections(): readonly { readonly socket?: object | null }[] {
    const list = hidden(this.#server, 'http.server.connections')
    if (typeof list !== 'object' || list === null || !('all' in list) || typeof list.all !== 'function') return []
    return list.all() as readonly { readonly socket?: object | null }[]
  }

  #sessions(): readonly Session[] {
    const kept = hidden(this.#server, 'sessions')
    return [...(kept instanceof Set ? (kept as Set<Session>) : (sessionsOf.get(this.#server) ?? []))]
  }

  #listen(how: 'on' | 'prependListener', event: string, listener: (...args: never[]) => void): () => void {
    const undo = (): void => {
      this.#server.off(event, listener)
    }
    this.#server[how](event, listener)
    this.#undo.push(undo)
    return undo
  }
}

interface Emitter {
  listenerCount(event: string): number
}

function isSilent(socket: object | null | undefined): socket is Connection {
  return typeof socket === 'object' && socket !== null && 'bytesRead' in socket && socket.bytesRead === 0
}

/**
 * Ends a session gracefully, by two GOAWAYs (RFC 9113, 6.8). The first accepts every stream that the client has begun
 * in the meantime. When the ping has come back, all these streams have arrived, and the second follows. A session that
 * has had no request is told after its first one: a client that gets a GOAWAY while it writes a request would have to
 * repeat the request.
 */
function announceEnd(session: Session): void {
  if (session.closed) return
  if (session.state.lastProcStreamID === 0) {
    session.once('stream', () => announceEnd(session))
    return
  }
  session.goaway(NO_ERROR, LAST_STREAM)
  session.ping(() => closeSession(session))
}

const NO_ERROR = 0
const LAST_STREAM = 0x7fffffff

function closeSession(session: Session): void {
  if (!session.closed) session.close()
}

/** The property behind an own symbol of the object that has this description. */
function hidden(object: object, description: string): unknown {
  const symbol = Object.getOwnPropertySymbols(object).find((candidate) => candidate.description === description)
  return symbol === undefined ? undefined : Reflect.get(object, symbol)
}
