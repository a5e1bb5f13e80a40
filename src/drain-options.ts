import type { DrainOptions } from './drain-types.js'
import { InvalidArgumentTypeError, OutOfRangeError } from './errors.js'
import { refuseUnknownOptions } from './option-names.js'
import { assertObject } from './socket-options.js'
import type { AbortSignalLike } from './types.js'

export interface DrainTimes {
  readonly grace: number
  readonly handshakeTimeout: number
  readonly idleTimeout: number
  readonly connectionTimeout: number
  readonly lockTimeout: number
  readonly signal: AbortSignalLike | undefined
  readonly handOver: boolean
}

const DEFAULTS = {
  grace: 50,
  handshakeTimeout: 1000,
  idleTimeout: 1000,
  connectionTimeout: 10_000,
  lockTimeout: 10_000,
} as const

type Time = keyof typeof DEFAULTS

/** The longest that setTimeout takes: 24 days. */
const LONGEST = 0x7fffffff

/** @throws InvalidArgumentTypeError, OutOfRangeError, ReusePortUnknownOptionError */
export function parseDrainOptions(options: unknown): DrainTimes {
  assertObject('options', options)
  const given = options as { readonly [name in keyof DrainOptions]: unknown }
  refuseUnknownOptions(given, [...Object.keys(DEFAULTS), 'signal', 'handOver'])
  const time = (name: Time): number =>
    toTime(`options.${name}`, given[name], DEFAULTS[name], name === 'connectionTimeout')
  return {
    grace: time('grace'),
    handshakeTimeout: time('handshakeTimeout'),
    idleTimeout: time('idleTimeout'),
    connectionTimeout: time('connectionTimeout'),
    lockTimeout: time('lockTimeout'),
    signal: toSignal(given.signal),
    handOver: toBoolean('options.handOver', given.handOver),
  }
}

/** ms. @throws InvalidArgumentTypeError, OutOfRangeError */
export function toTime(name: string, value: unknown, otherwise: number, mayBeInfinite = false): number {
  if (value === undefined) return otherwise
  if (typeof value !== 'number') throw new InvalidArgumentTypeError(name, 'of type number', value)
  if (value >= 0 && (value <= LONGEST || (mayBeInfinite && value === Number.POSITIVE_INFINITY))) return value
  throw new OutOfRangeError(name, `>= 0 && <= ${LONGEST} ms${mayBeInfinite ? ', or Infinity' : ''}`, value)
}

/** @throws InvalidArgumentTypeError */
function toBoolean(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new InvalidArgumentTypeError(name, 'of type boolean', value)
}

/** @throws InvalidArgumentTypeError */
export function toSignal(signal: unknown): AbortSignalLike | undefined {
  if (signal === undefined || (typeof signal === 'object' && signal !== null && 'aborted' in signal)) {
    return signal as AbortSignalLike | undefined
  }
  throw new InvalidArgumentTypeError('options.signal', 'an instance of AbortSignal', signal)
}
