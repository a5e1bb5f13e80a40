// Pure: checks of arguments that several rooms need.
import { InvalidArgumentTypeError, OutOfRangeError } from './errors.js'

/** ms: the longest delay that setTimeout takes, about 24 days. */
const LONGEST = 0x7fffffff

/** Checks a time in ms. @throws InvalidArgumentTypeError, OutOfRangeError */
export function toTime(name: string, value: unknown, otherwise: number, mayBeInfinite = false): number {
  if (value === undefined) return otherwise
  const expected = `a number of milliseconds from 0 to ${LONGEST}${mayBeInfinite ? ', or Infinity' : ''}`
  if (typeof value !== 'number') throw new InvalidArgumentTypeError(name, expected, value)
  if (value >= 0 && (value <= LONGEST || (mayBeInfinite && value === Number.POSITIVE_INFINITY))) return value
  throw new OutOfRangeError(name, expected, value)
}

/** @throws InvalidArgumentTypeError */
export function toBoolean(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new InvalidArgumentTypeError(name, 'of type boolean', value)
}

export function assertObject(name: string, value: unknown): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new InvalidArgumentTypeError(name, 'of type object', value)
}

/** @throws InvalidArgumentTypeError, OutOfRangeError */
export function toInteger(name: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') throw new InvalidArgumentTypeError(name, 'of type number', value)
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw new OutOfRangeError(name, `an integer >= ${low} && <= ${high}`, value)
}

export function isPort(value: number | string): boolean {
  if (typeof value === 'string' && value.trim() === '') return false
  const number = Number(value)
  return Number.isInteger(number) && number >= 0 && number <= 0xffff
}
