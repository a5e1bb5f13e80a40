// Pure: why a server does not listen, as one process tells another, and as a sentence.
import { addressText } from './address.js'

/** Why a server of a worker does not listen: what its `'error'` said. */
export interface ListenFailure {
  /** Such as `'EADDRINUSE'`. */
  readonly code: string
  /** A numeric address, a host that has none, or a unix path. */
  readonly address: string
  /** Undefined for a path, and for a host without an address. */
  readonly port: number | undefined
  /** What to do; undefined where that is not known. */
  readonly hint: string | undefined
}

/** @internal The failure as the rest of a sentence that begins with the name of the worker. */
export function describeListen({ address, code, hint, port }: ListenFailure): string {
  const where = port === undefined ? address.replace('\0', '@') : addressText(address, port)
  // The hint begins a sentence of its own where it is read alone.
  const advice = hint?.replace(/^(?:Process|A)(?= )/, (word) => word.toLowerCase())
  return `could not listen on ${where} (${code})${advice === undefined ? '' : `: ${advice}`}`
}
