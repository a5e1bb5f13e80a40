// Pure: the errors of socket options that the kernel or the system refuses.
import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'

/** This system, this kernel or this kind of socket does not have the option. */
export class ReusePortOptionUnsupportedError extends Error {
  readonly code = 'ERR_REUSEPORT_OPTION_UNSUPPORTED'
  /** Where it stands in the options, such as `socketOptions.fastOpen`. */
  readonly option: string
  /** The systems that have it, as `process.platform` names them; empty where that is not known. */
  readonly systems: readonly string[]
  /** What the kernel answered, negative as in Node. */
  readonly errno: number

  constructor(option: string, reason: string, systems: readonly string[], failure: SystemFailure) {
    const where = systems.length === 0 ? '' : `. Systems that have it: ${systems.join(', ')}`
    super(`The option 'options.${option}' is not available: ${reason}${where}`)
    this.option = option
    this.systems = systems
    this.errno = failure.errno
  }
}

/** The option takes a privilege that this process lacks. */
export class ReusePortOptionDeniedError extends Error {
  readonly code = 'ERR_REUSEPORT_OPTION_DENIED'
  /** Where it stands in the options, such as `socketOptions.mark`. */
  readonly option: string
  /** The capability that gives the privilege on Linux (`capabilities(7)`); undefined where that is not known. */
  readonly capability: string | undefined
  readonly errno: number
  readonly syscall: string

  constructor(option: string, capability: string | undefined, failure: SystemFailure) {
    const needed = capability === undefined ? 'a privilege' : capability
    super(`The option 'options.${option}' is denied (${describe(failure)}): it takes ${needed}`)
    this.option = option
    this.capability = capability
    this.errno = failure.errno
    this.syscall = failure.syscall
  }
}

/** The kernel has the option and does not take this value. */
export class ReusePortOptionRefusedError extends Error {
  readonly code = 'ERR_REUSEPORT_OPTION_REFUSED'
  /** Where it stands in the options, such as `socketOptions.bindToDevice`. */
  readonly option: string
  readonly value: unknown
  readonly errno: number
  readonly syscall: string

  constructor(option: string, value: unknown, failure: SystemFailure, advice: string) {
    super(`The kernel refuses ${advice} for the option 'options.${option}' (${describe(failure)})`)
    this.option = option
    this.value = value
    this.errno = failure.errno
    this.syscall = failure.syscall
  }
}

function describe({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
