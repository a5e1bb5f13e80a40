// Pure: reads the arguments of `listenReusePort` as `server.listen` reads them.
import type { AbortSignalLike } from '../common/abort-signal.js'
import { InvalidArgumentValueError } from '../common/errors.js'
import { isPort } from '../common/validation.js'
import { CONFIGURATION_OPTIONS, type GivenConfiguration, pickConfiguration } from '../options/given-configuration.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { parseSteeringOption } from '../steering/policy.js'
import type { FallbackPolicy } from './listen-types.js'

/** What Node uses where no backlog is given. */
export const DEFAULT_BACKLOG = 511

/** What listen(2) takes: an int. */
export const MAX_BACKLOG = 0x7fffffff

export const FALLBACK_POLICIES: readonly FallbackPolicy[] = ['error', 'unbalanced', 'exclusive']

/** What can be said about a shared port. */
export const LISTEN_OPTIONS: readonly string[] = [
  'port',
  'host',
  'backlog',
  'ipv6Only',
  'signal',
  'fallback',
  'steering',
  ...CONFIGURATION_OPTIONS,
  'exclusive',
  'reusePort',
]

/** Options of Node's other forms, which it ignores beside a port. */
export const INERT_LISTEN_OPTIONS: readonly string[] = ['path', 'readableAll', 'writableAll', 'fd', 'handle', '_handle']

/** A call that shares a port. */
export interface PortRequest extends GivenConfiguration {
  readonly form: 'port'
  readonly port: number
  /** A name to look up; undefined for the unspecified address. */
  readonly host: string | undefined
  readonly backlog: number
  readonly ipv6Only: boolean
  readonly exclusive: boolean | undefined
  readonly signal: AbortSignalLike | undefined
  readonly fallback: FallbackPolicy
  readonly steering: ReturnType<typeof parseSteeringOption>
  readonly callback: (() => void) | undefined
}

/** A call for `server.listen` itself: a path, a descriptor, a handle, or arguments that Node refuses by throwing. */
export interface NodeRequest {
  readonly form: 'node'
}

const TO_NODE: NodeRequest = { form: 'node' }

/**
 * Reads the arguments of any overload of `server.listen`, as Node reads them.
 *
 * @throws ReusePortUnknownOptionError for an option name that neither Node nor this library has.
 * @throws InvalidArgumentValueError for a value that contradicts sharing the port.
 */
export function parseListenArguments(args: readonly unknown[]): PortRequest | NodeRequest {
  const options = toOptions(args)
  if (hasHandle(options) || !isAbsentOrSignal(options['signal'])) return TO_NODE
  const host = options['host'] || undefined
  const port = toPort(options)
  if (port === undefined || !(host === undefined || typeof host === 'string')) return TO_NODE

  refuseUnknownOptions(options, LISTEN_OPTIONS, INERT_LISTEN_OPTIONS)
  return {
    form: 'port',
    port,
    host,
    backlog: toBacklog(options['backlog'] || toNumber(args[1]) || toNumber(args[2])),
    ipv6Only: options['ipv6Only'] === true,
    exclusive: options['exclusive'] === undefined ? undefined : Boolean(options['exclusive']),
    signal: options['signal'],
    fallback: toFallback(options),
    steering: parseSteeringOption(options['steering']),
    ...pickConfiguration(options),
    callback: toCallback(args),
  }
}

type RawOptions = Readonly<Record<string, unknown>>

function toOptions(args: readonly unknown[]): RawOptions {
  const [first, second] = args
  if (typeof first === 'object' && first !== null) return first as RawOptions
  if (typeof first === 'string' && toNumber(first) === undefined) return { path: first }
  const port = typeof first === 'function' ? 0 : first
  return typeof second === 'string' ? { port, host: second } : { port }
}

function hasHandle(options: RawOptions): boolean {
  const { _handle, handle, fd } = options as Record<'_handle' | 'handle' | 'fd', unknown>
  return Boolean(_handle || handle) || (typeof fd === 'number' && fd >= 0)
}

function isAbsentOrSignal(value: unknown): value is AbortSignalLike | undefined {
  return value === undefined || (typeof value === 'object' && value !== null && 'aborted' in value)
}

/** The port, or undefined where Node takes the call for a path or throws. */
function toPort(options: RawOptions): number | undefined {
  const port = options['port']
  if (port === null || (port === undefined && 'port' in options)) return 0
  if (typeof port !== 'number' && typeof port !== 'string') return undefined
  return isPort(port) ? Number(port) | 0 : undefined
}

/** As libuv hands it to listen(2), where a negative backlog means the system's maximum (somaxconn). */
function toBacklog(value: unknown): number {
  if (value === undefined || typeof value === 'symbol' || typeof value === 'bigint') return DEFAULT_BACKLOG
  const backlog = Number(value) | 0
  if (backlog < 0) return MAX_BACKLOG
  return backlog || DEFAULT_BACKLOG
}

function toFallback(options: RawOptions): FallbackPolicy {
  const { fallback, reusePort } = options as Record<'fallback' | 'reusePort', unknown>
  if (reusePort !== undefined && reusePort !== true) {
    throw new InvalidArgumentValueError(
      'options.reusePort',
      reusePort,
      'must be true or left out: this call shares the port',
    )
  }
  return parseFallback(fallback, FALLBACK_POLICIES)
}

/** @throws InvalidArgumentValueError where it is none of `allowed`. */
export function parseFallback<T extends FallbackPolicy>(value: unknown, allowed: readonly T[]): T | 'error' {
  if (value === undefined) return 'error'
  const policy = allowed.find((candidate) => candidate === value)
  if (policy !== undefined) return policy
  const names = allowed.map((candidate) => `'${candidate}'`).join(', ')
  throw new InvalidArgumentValueError('options.fallback', value, `must be one of: ${names}`)
}

function toCallback(args: readonly unknown[]): (() => void) | undefined {
  const last = args.at(-1)
  return typeof last === 'function' ? (last as () => void) : undefined
}

/** A number of 0 or more, as Node takes one from a positional argument. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === 'symbol' || typeof value === 'bigint') return undefined
  const number = Number(value)
  return number >= 0 ? number : undefined
}
