// Pure: the errors for socket options that the system lacks, denies or refuses.
import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'

/** This system, this kernel or this kind of socket does not have the option. */
export class ReusePortOptionUnsupportedError extends Error {
  readonly code = 'ERR_REUSEPORT_OPTION_UNSUPPORTED'
  /** Path of the option in the caller's options, such as `socketOptions.fastOpen`. */
  readonly option: string
  /** The systems that have the option, as `process.platform` names them. Empty where the systems are not known. */
  readonly systems: readonly string[]
  /** The errno of the kernel, negative as in Node. */
  readonly errno: number

  constructor(option: string, reason: string, systems: readonly string[], failure: SystemFailure) {
    const where = systems.length === 0 ? '' : `. Systems that have the option: ${systems.join(', ')}`
    super(`The option 'options.${option}' is not available: ${reason}${where}`)
    this.option = option
    this.systems = systems
    this.errno = failure.errno
  }
}

/** The option needs a privilege that this process lacks. */
export class ReusePortOptionDeniedError extends Error {
  readonly code = 'ERR_REUSEPORT_OPTION_DENIED'
  /** Path of the option in the caller's options, such as `socketOptions.mark`. */
  readonly option: string
  /** The capability that gives the privilege on Linux (`capabilities(7)`). Undefined where it is not known. */
  readonly capability: string | undefined
  /** The errno of the kernel, negative as in Node. */
  readonly errno: number
  /** The call that failed: `setsockopt`, for example. */
  readonly syscall: string

  constructor(option: string, capability: string | undefined, failure: SystemFailure) {
    const needed = capability === undefined ? 'a privilege' : capability
    super(`The option 'options.${option}' is denied (${describe(failure)}): it needs ${needed}`)
    this.option = option
    this.capability = capability
    this.errno = failure.errno
    this.syscall = failure.syscall
  }
}

/** The kernel has the option but refuses this value. */
export class ReusePortOptionRefusedError extends Error {
  readonly code = 'ERR_REUSEPORT_OPTION_REFUSED'
  /** Path of the option in the caller's options, such as `socketOptions.bindToDevice`. */
  readonly option: string
  /** The value that the caller gave. */
  readonly value: unknown
  /** The errno of the kernel, negative as in Node. */
  readonly errno: number
  /** The call that failed: `setsockopt`, for example. */
  readonly syscall: string

  constructor(option: string, value: unknown, failure: SystemFailure, what: string, hint = '') {
    super(`The kernel refuses ${what} for the option 'options.${option}' (${describe(failure)})${hint && `: ${hint}`}`)
    this.option = option
    this.value = value
    this.errno = failure.errno
    this.syscall = failure.syscall
  }
}

function describe({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
