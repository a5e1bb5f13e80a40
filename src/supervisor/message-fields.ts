// Pure: reads the members of a message that another process sent, each with its bounds.

import { ENDING_SIGNALS, type EndingSignal } from '../common/ending-signals.js'
import type { ListenWish } from '../listen/supervision.js'
import type { PathAccess, Speaks } from './protocol.js'

/** A message is not of this protocol. The message of the error says why, and names the version of the sender. */
export class MessageError extends Error {}

export const LONGEST_TIME = 0x7fffffff
const MOST = 4096
/** Raw options may hold 65,535 bytes each. */
const LONGEST_OPTIONS = 1 << 20
const SPEAKS: readonly Speaks[] = ['http', 'http2', 'tls', 'nothing']

export interface Fields {
  readonly [name: string]: unknown
}

export function record(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new MessageError('it is not an object')
}

export function list(value: unknown, name: string): readonly unknown[] {
  // A structured clone may have holes, which `map` skips; the copy has undefined instead.
  if (Array.isArray(value) && value.length <= MOST) return [...value]
  throw new MessageError(`${name} is not a list of at most ${MOST}`)
}

export function ids(value: unknown): readonly string[] {
  return list(value, 'the list of sockets').map(id)
}

export function id(value: unknown): string {
  return text(value, 'id', 256)
}

export function text(value: unknown, name: string, longest: number): string {
  if (typeof value === 'string' && value.length <= longest) return value
  throw new MessageError(`${name} is not text of at most ${longest} characters`)
}

export function flag(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value
  throw new MessageError(`${name} is neither true nor false`)
}

export function count(value: unknown, name: string): number {
  return whole(value, name, 0, LONGEST_TIME)
}

export function whole(value: unknown, name: string, low: number, high: number): number {
  const found = number(value, name, low, high)
  if (Number.isInteger(found)) return found
  throw new MessageError(`${name} is not a whole number`)
}

export function number(value: unknown, name: string, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value
  throw new MessageError(`${name} is not a number from ${low} to ${high}`)
}

export function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : parse(value)
}

export function want(message: Fields): { readonly want: number } {
  return { want: count(message['want'], 'want') }
}

export function access({ access }: Fields): { readonly access?: PathAccess } {
  if (access === undefined) return {}
  const { readableAll, writableAll } = record(access)
  return { access: { readableAll: flag(readableAll, 'readableAll'), writableAll: flag(writableAll, 'writableAll') } }
}

export function pass(message: Fields): number {
  return whole(message['pass'], 'pass', 0, Number.MAX_SAFE_INTEGER)
}

export function fewest(message: Fields): number | undefined {
  return optional(message['fewest'], (value) => count(value, 'fewest'))
}

export function visit(value: unknown): { readonly id: string; readonly accepted: number } {
  const ended = record(value)
  return { id: id(ended['id']), accepted: count(ended['accepted'], 'accepted') }
}

export function health(message: Fields): { readonly ask: number; readonly speaks: Speaks } {
  const speaks = SPEAKS.find((name) => name === message['speaks'])
  if (speaks === undefined) throw new MessageError('what it speaks is unknown')
  return { ask: count(message['ask'], 'ask'), speaks }
}

export function ports(value: unknown, name: string): readonly number[] {
  return list(value, name).map((port) => whole(port, name, 0, 0xffff))
}

export function endingSignal(value: unknown): EndingSignal {
  const signal = ENDING_SIGNALS.find((name) => name === value)
  if (signal === undefined) throw new MessageError('signal is unknown')
  return signal
}

export function wish(value: unknown): ListenWish {
  const { address, datagram, ipv6Only, options, port } = record(value)
  const reuseAddr = optional(datagram, (given) => flag(record(given)['reuseAddr'], 'reuseAddr'))
  return {
    address: address === null ? null : text(address, 'address', 1024),
    port: whole(port, 'port', 0, 0xffff),
    ipv6Only: flag(ipv6Only, 'ipv6Only'),
    options: text(options, 'options', LONGEST_OPTIONS),
    ...(reuseAddr !== undefined && { datagram: { reuseAddr } }),
  }
}
