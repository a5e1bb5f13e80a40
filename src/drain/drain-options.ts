// Pure: checks the options of `drain`.
import { type AbortSignalLike, toSignal } from '../common/abort-signal.js'
import { assertObject, toBoolean, toTime } from '../common/validation.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import type { DrainOptions } from './drain-types.js'

export interface DrainTimes {
  readonly grace: number
  readonly handshakeTimeout: number
  readonly idleTimeout: number
  readonly connectionTimeout: number
  readonly websocketTimeout: number
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

/** @throws InvalidArgumentTypeError, OutOfRangeError, ReusePortUnknownOptionError */
export function parseDrainOptions(options: unknown): DrainTimes {
  assertObject('options', options)
  const given = options as { readonly [name in keyof DrainOptions]: unknown }
  refuseUnknownOptions(given, [...Object.keys(DEFAULTS), 'websocketTimeout', 'signal', 'handOver'])
  const time = (name: Time): number =>
    toTime(`options.${name}`, given[name], DEFAULTS[name], name === 'connectionTimeout')
  const connectionTimeout = time('connectionTimeout')
  const spread = connectionTimeout === Number.POSITIVE_INFINITY ? DEFAULTS.connectionTimeout : connectionTimeout
  return {
    grace: time('grace'),
    handshakeTimeout: time('handshakeTimeout'),
    idleTimeout: time('idleTimeout'),
    connectionTimeout,
    websocketTimeout: toTime('options.websocketTimeout', given.websocketTimeout, spread, true),
    lockTimeout: time('lockTimeout'),
    signal: toSignal(given.signal),
    handOver: toBoolean('options.handOver', given.handOver),
  }
}
