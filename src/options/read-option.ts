import { ReusePortUnknownOptionError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { OptionRow } from '../native/addon-contract.js'
import { type OpenSocket, optionError } from './configure.js'
import { lastName, partsOf } from './socket-options.js'

/** The value that the kernel uses, in the shape that `socketOptions` takes. */
export type OptionValue = boolean | number | string | Readonly<Record<string, OptionScalar>>
type OptionScalar = boolean | number | string

/**
 * @throws ReusePortUnknownOptionError, ReusePortOptionUnsupportedError, ReusePortOptionDeniedError,
 *   ReusePortOptionRefusedError
 */
export function readOption(socket: OpenSocket, transport: Transport, name: string): OptionValue {
  const rows = rowsOf(socket, transport)
  const row = rows.find((candidate) => candidate.name === name)
  if (row !== undefined) return readRow(socket, row, rows)
  throw new ReusePortUnknownOptionError(
    `socketOptions.${name}`,
    undefined,
    rows.map(({ name }) => name),
  )
}

/** Every option of the table that this system can read from this socket. The others are left out. */
export function readOptions(socket: OpenSocket, transport: Transport): Readonly<Record<string, OptionValue>> {
  const rows = rowsOf(socket, transport)
  const values: Record<string, OptionValue> = {}
  for (const row of rows) {
    if (row.name.includes('.')) continue
    const value = tryToRead(socket, row, rows)
    if (value !== undefined) values[row.name] = value
  }
  return values
}

function rowsOf({ addon }: OpenSocket, transport: Transport): readonly OptionRow[] {
  return addon.socketOptions.filter((row) => row[transport])
}

function tryToRead(socket: OpenSocket, row: OptionRow, rows: readonly OptionRow[]): OptionValue | undefined {
  const read = socket.addon.getOption(socket.fd, socket.family, row.name)
  return typeof read === 'object' ? undefined : withParts(socket, row, rows, toScalar(row, read))
}

function readRow(socket: OpenSocket, row: OptionRow, rows: readonly OptionRow[]): OptionValue {
  const read = socket.addon.getOption(socket.fd, socket.family, row.name)
  if (typeof read === 'object') throw optionError(row, undefined, socket.family, read)
  return withParts(socket, row, rows, toScalar(row, read))
}

/** An option that has parts is read as an object of its parts where the option is on. */
function withParts(socket: OpenSocket, row: OptionRow, rows: readonly OptionRow[], value: OptionScalar): OptionValue {
  const parts = partsOf(row, rows)
  if (parts.length === 0 || value === false) return value
  const read: Record<string, OptionScalar> = {}
  for (const part of parts) {
    const one = socket.addon.getOption(socket.fd, socket.family, part.name)
    if (typeof one !== 'object') read[lastName(part)] = toScalar(part, one)
  }
  return read
}

function toScalar({ kind }: OptionRow, read: number | string): OptionScalar {
  if (kind === 'boolean') return read !== 0
  return kind === 'time or false' && read === -1 ? false : read
}
