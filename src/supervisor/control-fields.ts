// Pure: reads the members of an answer of a supervisor, each with its bounds.

/** The most workers and sockets that a status may name. */
const MOST = 4096
export const LONGEST_TEXT = 4096

/** A peer said something that is not of this protocol. */
export class ProtocolError extends Error {}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (isRecord(value)) return value
  throw new ProtocolError(`${name} is not an object`)
}

export function list(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value) && value.length <= MOST) return value
  throw new ProtocolError(`${name} is not a list of at most ${MOST}`)
}

export function integer(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new ProtocolError(`${name} is not a whole number`)
}

export function amount(value: unknown, name: string): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw new ProtocolError(`${name} is not a number`)
}

export function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= LONGEST_TEXT) return value
  throw new ProtocolError(`${name} is not text of at most ${LONGEST_TEXT} characters`)
}

export function date(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= 40 && Number.isFinite(Date.parse(value))) return value
  throw new ProtocolError(`${name} is not a time`)
}
