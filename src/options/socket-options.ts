// Pure: checks `socketOptions` against the option table of the addon.
import { InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { assertObject } from '../common/validation.js'
import type { OptionRow } from '../native/addon-contract.js'
import { refuseUnknownOptions } from './option-names.js'

/** A checked option. */
export interface OptionSetting {
  readonly row: OptionRow
  /** The value as the caller gave it. */
  readonly given: unknown
  /** The value as the addon takes it. */
  readonly value: number | string
  readonly optional: boolean
}

const PREFIX = 'options.socketOptions'

/**
 * Checks the caller's options. Returns them in the order of the table, in which they are set.
 *
 * @throws ReusePortUnknownOptionError, InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError
 */
export function parseSocketOptions(
  options: unknown,
  transport: Transport,
  table: readonly OptionRow[],
): readonly OptionSetting[] {
  if (options === undefined) return []
  assertObject(PREFIX, options)
  for (const row of table) {
    if (row[transport] || !Object.hasOwn(options, row.name)) continue
    const other = transport === 'tcp' ? 'UDP' : 'TCP'
    throw new InvalidArgumentValueError(`${PREFIX}.${row.name}`, options[row.name], `is an option of ${other} sockets`)
  }
  const rows = table.filter((row) => row[transport])
  const names = rows.map(({ name }) => name).filter((name) => !name.includes('.'))
  refuseUnknownOptions(options, [...names, 'optional'], 'socketOptions.')

  const optional = parseOptional(options['optional'], names)
  const settings: OptionSetting[] = []
  for (const row of rows) {
    const given = givenFor(row, options, rows)
    if (given === undefined) continue
    settings.push({
      row,
      given,
      value: toValue(row, given, partsOf(row, rows)),
      optional: optional.includes(wholeOf(row)),
    })
  }
  return settings
}

/** The name of the option that this row describes, or of which it describes a part. */
export function wholeOf({ name }: OptionRow): string {
  return name.split('.', 1)[0] ?? name
}

/** The rows of this option's parts. */
export function partsOf({ name }: OptionRow, table: readonly OptionRow[]): readonly OptionRow[] {
  return table.filter((row) => row.name.startsWith(`${name}.`))
}

export function lastName(row: OptionRow): string {
  return row.name.slice(row.name.indexOf('.') + 1)
}

/** The caller's value for a row. For an option that has parts, an object turns the option on. */
function givenFor(row: OptionRow, options: Readonly<Record<string, unknown>>, table: readonly OptionRow[]): unknown {
  const whole = options[wholeOf(row)]
  const isObject = typeof whole === 'object' && whole !== null
  if (row.name.includes('.')) return isObject ? (whole as Record<string, unknown>)[lastName(row)] : undefined
  const parts = partsOf(row, table)
  if (parts.length === 0 || !isObject) return whole
  refuseUnknownOptions(whole, parts.map(lastName), `socketOptions.${row.name}.`)
  return true
}

function parseOptional(value: unknown, names: readonly string[]): readonly string[] {
  if (value === undefined) return []
  const name = `${PREFIX}.optional`
  if (!Array.isArray(value)) throw new InvalidArgumentTypeError(name, 'an array of option names', value)
  for (const entry of value) {
    if (!names.includes(entry))
      throw new InvalidArgumentValueError(name, entry, 'contains a name that is not an option of these sockets')
  }
  return value
}

/** The value in the form that the addon takes. */
function toValue(row: OptionRow, given: unknown, parts: readonly OptionRow[]): number | string {
  const name = `${PREFIX}.${row.name}`
  const aNumber = `of type number${withUnit(row)}`
  switch (row.kind) {
    case 'boolean':
      if (typeof given === 'boolean') return given ? 1 : 0
      throw new InvalidArgumentTypeError(name, `of type boolean${orParts(parts)}`, given)
    case 'text':
      return toText(name, given, row)
    case 'time or false':
      if (given === false) return -1
      if (typeof given !== 'number') throw new InvalidArgumentTypeError(name, `false or ${aNumber}`, given)
      return toInteger(name, given, row)
    case 'integer':
      if (typeof given !== 'number') throw new InvalidArgumentTypeError(name, aNumber, given)
      return toInteger(name, given, row)
  }
}

function toText(name: string, given: unknown, { minimum, maximum }: OptionRow): string {
  if (typeof given !== 'string') throw new InvalidArgumentTypeError(name, 'of type string', given)
  const length = Buffer.byteLength(given)
  if (length >= minimum && length <= maximum && !given.includes('\0')) return given
  throw new InvalidArgumentValueError(name, given, `must be ${minimum} to ${maximum} bytes long, without a NUL`)
}

function withUnit({ unit }: OptionRow): string {
  return unit === null ? '' : ` (${unit})`
}

function orParts(parts: readonly OptionRow[]): string {
  if (parts.length === 0) return ''
  return ` or an object with any of ${parts.map((part) => `${lastName(part)}${withUnit(part)}`).join(', ')}`
}

function toInteger(name: string, given: number, row: OptionRow): number {
  const { minimum, maximum } = row
  if (Number.isInteger(given) && given >= minimum && given <= maximum) return given
  const range = `an integer >= ${minimum} and <= ${maximum}${withUnit(row)}`
  throw new OutOfRangeError(name, range, given)
}
