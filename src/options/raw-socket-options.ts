// Pure: checks `rawSocketOptions`.
import { types } from 'node:util'
import { InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { assertObject } from '../common/validation.js'
import type { Stage } from '../native/addon-contract.js'
import { refuseUnknownOptions } from './option-names.js'

/** @internal A checked option that this library does not name. */
export interface RawSetting {
  /** Path of the option in the caller's options, such as `rawSocketOptions[0]`. */
  readonly label: string
  readonly level: number
  readonly name: number
  readonly value: number | Uint8Array
  readonly stage: Stage
}

const STAGES: Readonly<Record<Transport, readonly Stage[]>> = {
  tcp: ['before-bind', 'before-listen', 'after-listen'],
  udp: ['before-bind', 'after-bind'],
}

/** setsockopt(2) takes the level and the name as an int. */
const MAX_INT = 0x7fffffff
const MIN_WORD = -0x80000000
const MAX_WORD = 0xffffffff

/** Far longer than the value of any option. */
const MAX_BYTES = 0xffff

/**
 * Checks the caller's raw options. Copies their bytes, because the caller may change them before they are set.
 *
 * @throws ReusePortUnknownOptionError, InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError
 *
 * @internal
 */
export function parseRawSocketOptions(options: unknown, transport: Transport): readonly RawSetting[] {
  if (options === undefined) return []
  if (!Array.isArray(options)) throw new InvalidArgumentTypeError('options.rawSocketOptions', 'an array', options)
  return options.map((option, index) => parseOne(option, `rawSocketOptions[${index}]`, STAGES[transport]))
}

/** @internal */
export function parseOne(option: unknown, label: string, stages: readonly Stage[]): RawSetting {
  const path = `options.${label}`
  assertObject(path, option)
  refuseUnknownOptions(option, ['level', 'name', 'value', 'stage'], `${label}.`)
  const { level, name, value, stage = 'before-bind' } = option
  const found = stages.find((candidate) => candidate === stage)
  if (found === undefined) {
    const names = stages.map((candidate) => `'${candidate}'`).join(', ')
    throw new InvalidArgumentValueError(`${path}.stage`, stage, `must be one of: ${names}`)
  }
  return {
    label,
    level: toInteger(`${path}.level`, level, 0, MAX_INT),
    name: toInteger(`${path}.name`, name, 0, MAX_INT),
    value: toBytes(`${path}.value`, value),
    stage: found,
  }
}

function toBytes(path: string, value: unknown): number | Uint8Array {
  if (typeof value === 'number') return toInteger(path, value, MIN_WORD, MAX_WORD)
  if (!types.isUint8Array(value)) {
    throw new InvalidArgumentTypeError(path, 'of type number or an instance of Uint8Array', value)
  }
  if (value.byteLength <= MAX_BYTES) return Uint8Array.from(value)
  throw new OutOfRangeError(`${path}.byteLength`, `<= ${MAX_BYTES}`, value.byteLength)
}

function toInteger(path: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== 'number') throw new InvalidArgumentTypeError(path, 'of type number', value)
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value
  throw new OutOfRangeError(path, `an integer >= ${minimum} and <= ${maximum}`, value)
}
