import { InvalidArgumentTypeError } from './errors.js'
import type { BindableSocket } from './types.js'

const METHODS = ['bind', 'address', 'close', 'on', 'once', 'prependOnceListener', 'removeListener', 'emit'] as const

/** @throws InvalidArgumentTypeError where `socket` is not a dgram socket. */
export function assertDatagramSocket(socket: unknown): asserts socket is BindableSocket {
  if (isDatagramSocket(socket)) return
  throw new InvalidArgumentTypeError('socket', 'an instance of dgram.Socket', socket)
}

export function isDatagramSocket(value: unknown): value is BindableSocket {
  if (typeof value !== 'object' || value === null) return false
  const candidate = value as Record<string, unknown>
  return METHODS.every((method) => typeof candidate[method] === 'function')
}

/** From the type that `dgram.createSocket` was given. */
export function familyOf(socket: BindableSocket): 4 | 6 {
  return Reflect.get(socket, 'type') === 'udp6' ? 6 : 4
}
