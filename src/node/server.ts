// Pure: what a server must have to listen on a shared port.
import { InvalidArgumentTypeError } from '../common/errors.js'
import { isDatagramSocket } from './datagram-socket.js'

/**
 * The part of `net.Server` that listening needs: `net`, `http`, `https`, `http2` and `tls` servers have it. Described
 * here so that these types compile without Node's types.
 */
export interface ListenableServer {
  readonly listening: boolean
  listen(handle: object, backlog?: number): unknown
  address(): unknown
  close(callback?: (error?: Error) => void): unknown
  once(event: string, listener: () => void): unknown
  emit(event: string, ...args: unknown[]): boolean
}

const METHODS = ['listen', 'address', 'close', 'once', 'emit'] as const

/**
 * @internal @throws InvalidArgumentTypeError where `server` is not a server, with a hint for apps of frameworks.
 * @param forDatagrams The hint for a dgram socket.
 */
export function assertServer(
  server: unknown,
  forDatagrams = 'Use bindReusePort for a dgram socket',
): asserts server is ListenableServer {
  if (isServer(server)) return
  const hint = isDatagramSocket(server) ? forDatagrams : hintFor(server)
  throw new InvalidArgumentTypeError('server', 'an instance of net.Server', server, hint)
}

/** @internal */
export function isServer(value: unknown): value is ListenableServer {
  if (typeof value !== 'object' || value === null) return false
  const candidate = value as Record<string, unknown>
  for (const method of METHODS) if (typeof candidate[method] !== 'function') return false
  return true
}

function hintFor(value: unknown): string {
  if (typeof value === 'function' && 'listen' in value) return 'For an Express app pass http.createServer(app)'
  if (typeof value === 'object' && value !== null && 'server' in value && isServer(value.server)) {
    return 'Pass the .server of this object'
  }
  return ''
}
