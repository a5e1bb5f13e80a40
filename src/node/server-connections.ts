// The connections of a server, which are internals of Node: `process._getActiveHandles`, the connection list of an http
// server, the sessions of an http2 server. Each is optional: where one is missing, the connections that it would find are
// left to `connectionTimeout`.
import net from 'node:net'
import process from 'node:process'
import { InvalidArgumentTypeError } from '../common/errors.js'
import { WeakList } from '../common/weak-list.js'
import { hearEvents } from './emit-hook.js'
import { eventStreamIn, eventStreamOn, type LongLived } from './event-streams.js'
import { hidden } from './hidden.js'
import { HttpConnections, type HttpSocket } from './http-connections.js'
import {
  announceEnd,
  closeSession,
  isHttp2,
  type Session,
  type Stream,
  sessionsOn,
  streamsOf,
} from './http2-sessions.js'
import { servingOf } from './second-listener.js'
import type { ListenableServer } from './server.js'
import { hearUpgrades, type UpgradableSocket, upgradedSocketsOn, webSocketOn } from './upgraded-sockets.js'
import { closeForDrain } from './withheld-close.js'

interface Socket extends HttpSocket, UpgradableSocket {
  readonly server?: unknown
  readonly _handle?: { readonly fd?: unknown; readonly bytesWritten?: unknown } | null
}

interface ConnectionServer extends ListenableServer {
  getConnections?(answer: (error: Error | null, count: number) => void): unknown
  closeIdleConnections?(): void
  closeAllConnections?(): void
  setSecureContext?: unknown
}

const REQUESTS: readonly string[] = ['request', 'checkContinue', 'checkExpectation']

/** The connections of one server during its drain. */
export class ServerConnections {
  /** The one that listens and counts connections. */
  readonly #server: ConnectionServer
  /** The one that serves them: another one only where `acceptFor` says so. */
  readonly #serving: ConnectionServer
  readonly #http: HttpConnections
  /** Those that were accepted during the drain: Node does not list connections that the program has unref()ed. */
  readonly #accepted = new WeakList<Socket>(({ destroyed }) => destroyed)
  #acceptedCount = 0
  #dropped = 0
  readonly #tellAccepted = new Set<(fd: number) => void>()
  readonly #undo: (() => void)[] = []
  #isEndAnnounced = false
  readonly #toldToEnd = new WeakSet<object>()
  readonly #toldSessions = new WeakSet<Session>()
  /** Since when a session is known, in ms since the listener closed. */
  readonly #sessions = new WeakMap<Session, number>()
  /** Since when nothing has come on a connection whose TLS handshake has not begun, and what had come by then. */
  readonly #handshaking = new WeakMap<Socket, { readonly since: number; readonly bytesRead: number }>()

  constructor(server: ListenableServer) {
    this.#server = server as ConnectionServer
    if (typeof server.emit !== 'function') {
      throw new InvalidArgumentTypeError('server', 'an instance of net.Server', server)
    }
    this.#serving = servingOf(server) as ConnectionServer
    this.#http = new HttpConnections(this.#serving)
    this.#undo.push(
      hearEvents(server, (event, args) => this.#hear(event, args)),
      () => this.#http.forget(),
    )
    // It emits 'connection' too, for its own listeners.
    if (this.#serving !== server)
      this.#undo.push(hearEvents(this.#serving, (event, args) => this.#hearRequests(event, args)))
  }

  /** Connections accepted since this object was created. */
  get accepted(): number {
    return this.#acceptedCount
  }

  /** Connections that the server refused because of its `maxConnections`. */
  get dropped(): number {
    return this.#dropped
  }

  /** Calls `tell` with the descriptor of each new connection, before any listener. @returns what ends this. */
  onAccepted(tell: (fd: number) => void): () => void {
    this.#tellAccepted.add(tell)
    return () => void this.#tellAccepted.delete(tell)
  }

  /**
   * The last answer of each HTTP/1 connection says `Connection: close` where it has not begun; http2 sessions get a GOAWAY.
   */
  announceEnd(): void {
    this.#isEndAnnounced = true
    this.#http.announceEnd()
    this.#undo.push(hearUpgrades(this.#serving))
    for (const session of sessionsOn(this.#serving)) this.#announceEnd(session)
  }

  /** The program hears its server as before. Later responses and sessions are no longer told of the end. */
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
    if (isHttp2(server)) {
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

  /**
   * Closes what is idle. Call it repeatedly.
   *
   * @param now ms since the listener closed.
   * @param idle ms after which an idle connection is closed.
   * @param handshake ms after which a connection is closed on which a TLS handshake has begun and does not go on.
   */
  closeIdle(now: number, idle: number, handshake: number): void {
    for (const session of sessionsOn(this.#serving)) {
      const since = this.#sessions.get(session) ?? now
      this.#sessions.set(session, since)
      if (now - since >= idle) closeSession(session)
    }
    if (!this.#http.closeIdle(now, idle) && now >= idle) this.#serving.closeIdleConnections?.()
    if (typeof this.#serving.setSecureContext !== 'function') return
    const ofHandshake = mayWaitInHandshake(this.#serving) ? Number.POSITIVE_INFINITY : Math.max(idle, handshake)
    for (const socket of this.#listed()) {
      // The server has written nothing, so the client's first message has not come, or not all of it.
      if (socket._handle?.bytesWritten !== 0) continue
      const { bytesRead } = socket
      if (this.#handshaking.get(socket)?.bytesRead !== bytesRead) {
        this.#handshaking.set(socket, { since: now, bytesRead })
      }
      const waited = now - (this.#handshaking.get(socket)?.since ?? now)
      if (waited >= (bytesRead === 0 ? idle : ofHandshake)) socket.destroy()
    }
  }

  /** What lasts until somebody ends it, and has not been told to end: WebSockets and event streams. */
  longLived(): readonly LongLived[] {
    const upgraded = new Set<UpgradableSocket>(upgradedSocketsOn(this.#serving))
    if ('closeIdleConnections' in this.#serving) {
      for (const socket of this.#listed()) if (!socket.parser) upgraded.add(socket)
    }
    const found = [
      ...[...upgraded].map(webSocketOn),
      ...this.#http.sockets().map(eventStreamOn),
      ...sessionsOn(this.#serving).flatMap((session) => streamsOf(session).map(eventStreamIn)),
    ]
    return found.flatMap((one) => {
      if (one === undefined || this.#toldToEnd.has(one.object)) return []
      return [{ object: one.object, end: () => this.#tellToEnd(one) }]
    })
  }

  #tellToEnd(one: LongLived): void {
    this.#toldToEnd.add(one.object)
    try {
      one.end()
    } catch {
      // The program may have wrapped what ends it. The connection has the rest of the time.
    }
  }

  destroyAll(): void {
    for (const session of sessionsOn(this.#serving)) session.destroy()
    this.#serving.closeAllConnections?.()
    for (const socket of new Set([...this.#listed(), ...this.#accepted.all()])) socket.destroy()
    for (const socket of upgradedSocketsOn(this.#serving)) (socket as Socket).destroy()
  }

  #hear(event: string, args: readonly unknown[]): 'withheld' | undefined {
    if (event === 'connection') this.#onConnection(args[0] as Socket)
    if (event === 'drop') this.#dropped++
    return this.#hearRequests(event, args)
  }

  #hearRequests(event: string, args: readonly unknown[]): 'withheld' | undefined {
    if (!this.#isEndAnnounced) return undefined
    if (event === 'stream') this.#announceEnd((args[0] as Stream).session)
    if (!REQUESTS.includes(event)) return undefined
    const [request, response] = args as Parameters<HttpConnections['onRequest']>
    return this.#http.onRequest(request, response)
  }

  #onConnection(socket: Socket): void {
    this.#acceptedCount++
    this.#accepted.add(socket)
    const fd = socket._handle?.fd
    if (typeof fd === 'number' && fd >= 0) for (const tell of this.#tellAccepted) tell(fd)
  }

  /** A session that had no request is told of the end after its first one. */
  #announceEnd(session: Session | undefined): void {
    if (session !== undefined && !this.#toldSessions.has(session) && announceEnd(session)) {
      this.#toldSessions.add(session)
    }
  }

  /** The connections that Node lists: those that the program has not unref()ed. Of a TLS server, below the TLS sockets. */
  #listed(): readonly Socket[] {
    const { _getActiveHandles: activeHandles } = process as { _getActiveHandles?: () => readonly object[] }
    if (typeof activeHandles !== 'function') return []
    return (Reflect.apply(activeHandles, process, []) as readonly Socket[]).filter(
      (handle) => [this.#server, this.#serving].includes(handle.server as never) && 'destroy' in handle,
    )
  }
}

/** Whether the program of a TLS server may answer later in a handshake: then a silent server says nothing of its client. */
function mayWaitInHandshake(server: object): boolean {
  const { listenerCount } = server as { listenerCount?(event: string): number }
  const isHeard = (event: string): boolean => Number(listenerCount?.call(server, event)) > 0
  return typeof hidden(server, 'snicallback') === 'function' || isHeard('resumeSession') || isHeard('OCSPRequest')
}
