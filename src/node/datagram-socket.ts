// Pure: what a dgram socket must have to be bound.
import { InvalidArgumentTypeError } from '../common/errors.js'

/** The part of `dgram.Socket` that binding needs. Described here so that these types compile without Node's types. */
export interface BindableSocket {
  bind(options: object): unknown
  address(): unknown
  close(): unknown
  on(event: string | symbol, listener: () => void): unknown
  once(event: string | symbol, listener: () => void): unknown
  prependOnceListener(event: string | symbol, listener: () => void): unknown
  removeListener(event: string | symbol, listener: () => void): unknown
  emit(event: string | symbol, ...args: unknown[]): boolean
}

const METHODS = ['bind', 'address', 'close', 'on', 'once', 'prependOnceListener', 'removeListener', 'emit'] as const

/** @internal @throws InvalidArgumentTypeError where `socket` is not a dgram socket. */
export function assertDatagramSocket(socket: unknown): asserts socket is BindableSocket {
  if (isDatagramSocket(socket)) return
  const listens = typeof (socket as { listen?: unknown } | null | undefined)?.listen === 'function'
  const hint = listens ? 'Use listenReusePort for a server' : ''
  throw new InvalidArgumentTypeError('socket', 'an instance of dgram.Socket', socket, hint)
}

/** @internal */
export function isDatagramSocket(value: unknown): value is BindableSocket {
  if (typeof value !== 'object' || value === null) return false
  const candidate = value as Record<string, unknown>
  return METHODS.every((method) => typeof candidate[method] === 'function')
}

/** @internal The family by the `type` that `dgram.createSocket` was given. */
export function familyOf(socket: BindableSocket): 4 | 6 {
  return Reflect.get(socket, 'type') === 'udp6' ? 6 : 4
}
