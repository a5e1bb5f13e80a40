// Room: errors, checks and small helpers that every room needs. It imports no other room.
// Pure: the errors of the library, and the errors of Node that the library reproduces.
import { getSystemErrorMap, getSystemErrorName, inspect } from 'node:util'

/** A failed system call, as the addon reports it. `errno` is negative, as in Node. */
export interface SystemFailure {
  readonly errno: number
  readonly syscall: string
}

/** Node's error for a failed listen. Own keys: `code`, `errno`, `syscall`, `address`, and `port` unless it is 0. */
export interface ListenError extends Error {
  code: string
  errno: number
  syscall: string
  address: string
  port?: number
  /** `EADDRINUSE`, and `EACCES` of a port below 1024, on Linux: one sentence that says what to do. */
  readonly hint?: string
}

/** This system cannot share a port in the way that the call asks for. `reason` says why and what to do. */
export class ReusePortUnsupportedError extends Error {
  readonly code = 'ERR_REUSEPORT_UNSUPPORTED'
  readonly reason: string

  constructor(reason: string) {
    super(`the port cannot be shared: ${reason}`)
    this.reason = reason
  }
}

/** The call needs the native addon, which did not load. `cause` is the value that loading the addon threw. */
export class ReusePortAddonError extends Error {
  readonly code = 'ERR_REUSEPORT_ADDON_UNAVAILABLE'
  /** Name of the option or function that needs the addon. */
  readonly neededBy: string

  constructor(neededBy: string, reason: string, cause: unknown) {
    super(`${neededBy} needs the native addon: ${reason}`, { cause })
    this.neededBy = neededBy
  }
}

/** The kernel's choice between the members of a group cannot be changed here. `reason` says why. */
export class ReusePortSteeringError extends Error {
  readonly code = 'ERR_REUSEPORT_STEERING_UNAVAILABLE'
  readonly reason: string

  constructor(reason: string, cause?: unknown) {
    super(`connections cannot be steered: ${reason}`, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}

/** Node's `ERR_SERVER_NOT_RUNNING`. */
export class ServerNotRunningError extends Error {
  readonly code = 'ERR_SERVER_NOT_RUNNING'

  constructor() {
    super('Server is not running.')
  }
}

/** Node's `ERR_SOCKET_DGRAM_NOT_RUNNING`. */
export class SocketNotRunningError extends Error {
  readonly code = 'ERR_SOCKET_DGRAM_NOT_RUNNING'

  constructor() {
    super('Not running')
  }
}

/** The options contain a name that is misspelt or unknown. `nearest` is the known name that was probably meant. */
export class ReusePortUnknownOptionError extends TypeError {
  readonly code = 'ERR_REUSEPORT_UNKNOWN_OPTION'
  readonly option: string
  readonly nearest: string | undefined

  constructor(option: string, nearest: string | undefined, known: readonly string[]) {
    const advice = nearest === undefined ? `Known options are ${known.join(', ')}` : `Did you mean '${nearest}'?`
    super(`The option 'options.${option}' is unknown. ${advice}`)
    this.option = option
    this.nearest = nearest
  }
}

const SOCKET_STATES = {
  closed: { code: 'ERR_REUSEPORT_SOCKET_CLOSED', message: 'The socket is closed' },
  adopted: { code: 'ERR_REUSEPORT_SOCKET_ADOPTED', message: 'The socket has been handed to a server' },
  bound: { code: 'ERR_REUSEPORT_SOCKET_BOUND', message: 'The socket can be configured only while onSocket runs' },
} as const

/** The caller used a socket that it no longer owns: closed, handed to a server, or kept after `onSocket` returned. */
export class ReusePortSocketError extends Error {
  readonly code: (typeof SOCKET_STATES)[keyof typeof SOCKET_STATES]['code']

  constructor(state: keyof typeof SOCKET_STATES) {
    super(SOCKET_STATES[state].message)
    this.code = SOCKET_STATES[state].code
  }
}

/** Node's `ERR_INVALID_ARG_TYPE`. */
export class InvalidArgumentTypeError extends TypeError {
  readonly code = 'ERR_INVALID_ARG_TYPE'

  constructor(name: string, expected: string, value: unknown, hint = '') {
    super(`The "${name}" ${kindOf(name)} must be ${expected}. Received ${describe(value)}${hint && `. ${hint}`}`)
  }
}

/** Node's `ERR_INVALID_ARG_VALUE`. */
export class InvalidArgumentValueError extends TypeError {
  readonly code = 'ERR_INVALID_ARG_VALUE'

  constructor(name: string, value: unknown, reason: string) {
    super(`The ${kindOf(name)} '${name}' ${reason}. Received ${inspect(value, { depth: -1 })}`)
  }
}

/** Node's `ERR_OUT_OF_RANGE`. */
export class OutOfRangeError extends RangeError {
  readonly code = 'ERR_OUT_OF_RANGE'

  constructor(name: string, range: string, value: unknown) {
    super(`The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`)
  }
}

/** Node's `ERR_SOCKET_BAD_PORT`. */
export class BadPortError extends RangeError {
  readonly code = 'ERR_SOCKET_BAD_PORT'

  constructor(name: string, value: unknown, above: -1 | 0 = -1) {
    super(`${name} should be ${above === 0 ? '> 0' : '>= 0'} and < 65536. Received ${describe(value)}.`)
  }
}

const FLAGS = { Net: '--allow-net', FileSystemRead: '--allow-fs-read' } as const

/** Node's `ERR_ACCESS_DENIED`: under `--permission` without the flag for the network, or for reading a path. */
export class AccessDeniedError extends Error {
  readonly code = 'ERR_ACCESS_DENIED'
  readonly permission: keyof typeof FLAGS
  readonly resource: string

  constructor(permission: keyof typeof FLAGS = 'Net', resource = '') {
    super(`Access to this API has been restricted. Use ${FLAGS[permission]} to manage permissions.`)
    this.permission = permission
    this.resource = resource
  }
}

/** @internal The error that `server.listen` emits, with the same message and own keys in the same order. */
export function listenError(failure: SystemFailure, address: string, port: number): ListenError {
  const [code, text] = getSystemErrorMap().get(failure.errno) ?? ['UNKNOWN', 'unknown error']
  const where = port > 0 ? `${address}:${port}` : address
  const error = new Error(`listen ${code}: ${text} ${where}`)
  // Node reports the syscall 'listen' also where bind() failed.
  const fields = { code, errno: failure.errno, syscall: 'listen', address }
  return Object.assign(error, port > 0 ? { ...fields, port } : fields)
}

/** @internal The error that dgram's `socket.bind` emits, with the same message and own keys in the same order. */
export function bindError(failure: SystemFailure, address: string, port: unknown): Error & { readonly errno: number } {
  const code = getSystemErrorName(failure.errno)
  const hasPort = Boolean(port) && Number(port) > 0
  const error = new Error(`bind ${code} ${hasPort ? `${address}:${String(port)}` : address}`)
  const fields = { errno: failure.errno, code, syscall: 'bind', address }
  return Object.assign(error, port ? { ...fields, port } : fields)
}

function kindOf(name: string): 'property' | 'argument' {
  return name.includes('.') ? 'property' : 'argument'
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') {
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name !== '' ? `an instance of ${name}` : inspect(value, { depth: -1 })
  }
  if (typeof value === 'string') return `type string (${quote(value.length > 28 ? `${value.slice(0, 25)}...` : value)})`
  return `type ${typeof value} (${inspect(value)})`
}

function quote(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}
