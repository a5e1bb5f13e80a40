// Pure: validates the policies that choose by what stays the same about a client, and says what each transport takes.
import { InvalidArgumentTypeError, InvalidArgumentValueError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { assertObject, toInteger } from '../common/validation.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import type { BytesPolicy, ClientAddressPolicy, SteeringPolicy } from './steering-types.js'

/** Two ranges for each, so that a program of 4096 instructions holds them. */
const MOST_ENTRIES = 512
/** A datagram has no more bytes. */
const LONGEST = 0xffff
/** A connection ID of QUIC has no more bytes. */
const MOST_BYTES = 20

/** @throws InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError, ReusePortUnknownOptionError */
export function parseByPolicy(name: string, value: object): ClientAddressPolicy | BytesPolicy {
  const { by, ipv4 = 32, ipv6 = 128, ...bytes } = value as { readonly [part: string]: unknown }
  if (by === 'client-address') {
    refuseUnknownOptions(value, ['by', 'ipv4', 'ipv6'], `${name}.`)
    return { by, ipv4: toInteger(`${name}.ipv4`, ipv4, 1, 32), ipv6: toInteger(`${name}.ipv6`, ipv6, 1, 128) }
  }
  if (by !== 'bytes') {
    throw new InvalidArgumentValueError(`${name}.by`, by, "must be 'client-address' or 'bytes'")
  }
  refuseUnknownOptions(value, ['by', 'offset', 'length', 'table', 'longHeaders'], `${name}.`)
  const { table, longHeaders } = bytes
  const offset = toInteger(`${name}.offset`, bytes['offset'], 0, LONGEST)
  const length = toInteger(`${name}.length`, bytes['length'], 1, table === undefined ? MOST_BYTES : 4)
  if (!(longHeaders === undefined || longHeaders === 'hash')) {
    throw new InvalidArgumentValueError(`${name}.longHeaders`, longHeaders, "must be 'hash'")
  }
  return {
    by,
    offset,
    length,
    ...(table !== undefined && { table: toTable(`${name}.table`, table, 256 ** length - 1) }),
    ...(longHeaders && { longHeaders }),
  }
}

function toTable(name: string, list: unknown, highest: number): NonNullable<BytesPolicy['table']> {
  if (!Array.isArray(list)) throw new InvalidArgumentTypeError(name, 'an array', list)
  toInteger(`${name}.length`, list.length, 1, MOST_ENTRIES)
  const seen = new Set<number>()
  return list.map((entry: unknown, at) => {
    const where = `${name}[${at}]`
    assertObject(where, entry)
    refuseUnknownOptions(entry, ['value', 'slot'], `${where}.`)
    const value = toInteger(`${where}.value`, entry['value'], 0, highest)
    if (seen.has(value)) throw new InvalidArgumentValueError(`${where}.value`, value, 'must be in one entry only')
    seen.add(value)
    return { value, slot: toInteger(`${where}.slot`, entry['slot'], 0, 0xffff) }
  })
}

/** Refuses what a group of this transport cannot do. @throws InvalidArgumentValueError */
export function refuseForTransport(policy: SteeringPolicy, transport: Transport, name = 'policy'): void {
  if (typeof policy === 'string') return
  // The packet that opens a connection brings no data.
  if (transport === 'tcp' && 'by' in policy && policy.by === 'bytes') {
    throw new InvalidArgumentValueError(`${name}.by`, policy.by, 'is for UDP sockets')
  }
  if (transport === 'tcp') return
  const names = 'weights' in policy ? policy.weights : 'exclude' in policy ? policy.exclude : []
  const unknown = names.find((one) => !('slot' in one))
  if (unknown === undefined) return
  throw new InvalidArgumentValueError(name, unknown, 'must name the members of a UDP group by their slots')
}
