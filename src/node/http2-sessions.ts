// The sessions of an http2 server.
import { WeakList } from '../common/weak-list.js'
import { hidden, valuesOf } from './hidden.js'
import type { ListenableServer } from './server.js'

export interface Stream {
  readonly closed: boolean
  readonly writableEnded: boolean
  readonly sentHeaders?: { readonly [name: string]: unknown }
  readonly session?: Session
  write: unknown
  end: () => unknown
}

export interface Session {
  readonly closed: boolean
  readonly destroyed: boolean
  readonly state: { readonly lastProcStreamID?: number }
  close(): void
  destroy(): void
  goaway(code: number, lastStreamId: number): void
  ping(answered: () => void): boolean
}

/** The sessions of servers that share a port by this library, where Node has no list of them (before 24). */
const sessionsOf = new WeakMap<object, WeakList<Session>>()

export function isHttp2(server: object): boolean {
  return 'updateSettings' in server && typeof server.updateSettings === 'function'
}

/** Remembers the sessions of an http2 server, where Node does not. */
export function rememberSessions(server: ListenableServer): void {
  if (!isHttp2(server) || sessionsOf.has(server) || listOn(server) !== undefined) return
  const sessions = new WeakList<Session>(({ destroyed }) => destroyed)
  sessionsOf.set(server, sessions)
  const emitter = server as unknown as { on(event: 'session', listener: (session: Session) => void): void }
  emitter.on('session', (session) => sessions.add(session))
}

export function sessionsOn(server: object): readonly Session[] {
  return listOn(server) ?? sessionsOf.get(server)?.all() ?? []
}

/** Node's own list of the sessions, which Node 24 and later have. */
function listOn(server: object): readonly Session[] | undefined {
  return valuesOf(hidden(server, 'sessions')) as readonly Session[] | undefined
}

export function streamsOf(session: Session): readonly Stream[] {
  const state = hidden(session, 'state')
  const streams = typeof state === 'object' && state !== null && 'streams' in state ? state.streams : undefined
  return (valuesOf(streams) ?? []) as readonly Stream[]
}

/**
 * Ends a session gracefully, by two GOAWAYs (RFC 9113, 6.8). By the first the client learns that it should begin no more
 * streams; when the ping has come back, the second names the last stream that is answered. nghttp2 ignores a stream that
 * the client began before it had read the first one. The second GOAWAY tells the client so, and it may repeat the request
 * (RFC 9113, 8.7). A session that has had no request is told after its first one, so that a client which connects and asks
 * at once need not repeat it.
 *
 * @returns whether it was told.
 */
export function announceEnd(session: Session): boolean {
  if (session.closed || session.state.lastProcStreamID === 0) return false
  session.goaway(NO_ERROR, LAST_STREAM)
  session.ping(() => closeSession(session))
  return true
}

const NO_ERROR = 0
const LAST_STREAM = 0x7fffffff

export function closeSession(session: Session): void {
  if (!session.closed) session.close()
}
