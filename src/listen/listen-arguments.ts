// Pure: parses the arguments of `listenReusePort` as `server.listen` parses its own.
import type { AbortSignalLike } from '../common/abort-signal.js'
import { InvalidArgumentValueError } from '../common/errors.js'
import { isPort } from '../common/validation.js'
import { CONFIGURATION_OPTIONS, type GivenConfiguration } from '../options/given-configuration.js'
import { refuseMisspeltOptions, type SharedNames } from '../options/option-names.js'
import { parseSteeringOption } from '../steering/policy.js'
import type { FallbackPolicy } from './listen-types.js'

/** Node's default backlog. */
export const DEFAULT_BACKLOG = 511

/** listen(2) takes the backlog as an int. */
export const MAX_BACKLOG = 0x7fffffff

export const FALLBACK_POLICIES: readonly FallbackPolicy[] = ['error', 'unbalanced', 'exclusive']

/** The options for a shared port. */
export const LISTEN_OPTIONS: SharedNames = {
  known: [
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
  ],
  // Options of the other forms of `server.listen`, which Node ignores where a port is given.
  inert: ['path', 'readableAll', 'writableAll', 'fd', 'handle', '_handle'],
  aliases: { hostname: 'host', address: 'host' },
}

/** A call that shares a port. */
export interface PortRequest extends GivenConfiguration {
  readonly form: 'port'
  readonly port: number
  /** A name or address to look up. Undefined for the unspecified address. */
  readonly host: string | undefined
  readonly backlog: number
  readonly ipv6Only: boolean
  readonly exclusive: boolean | undefined
  readonly signal: AbortSignalLike | undefined
  readonly fallback: FallbackPolicy
  readonly steering: ReturnType<typeof parseSteeringOption>
  readonly callback: (() => void) | undefined
}

/** A call that goes to `server.listen`: a path, a descriptor, a handle, or arguments for which Node throws. */
export interface NodeRequest {
  readonly form: 'node'
}

const TO_NODE: NodeRequest = { form: 'node' }

/**
 * Parses the arguments of any overload of `server.listen`, as Node does.
 *
 * @throws ReusePortUnknownOptionError for a misspelt option. Node ignores other names that it does not know.
 * @throws InvalidArgumentValueError for a value that contradicts sharing the port.
 */
export function parseListenArguments(args: readonly unknown[]): PortRequest | NodeRequest {
  const options = toOptions(args)
  if (hasHandle(options) || !isAbsentOrSignal(options['signal'])) return TO_NODE
  const host = options['host'] || undefined
  const port = toPort(options)
  const { socketOptions, rawSocketOptions, onSocket, maxMembers } = options as GivenConfiguration
  const isPath = port === undefined && options['path'] !== undefined
  // Before Node refuses options without a port: `port` may be misspelt.
  const ignored = isPath || options !== args[0] ? [] : refuseMisspeltOptions(options, LISTEN_OPTIONS)
  if (port === undefined || !(host === undefined || typeof host === 'string')) return TO_NODE

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
    socketOptions,
    rawSocketOptions,
    onSocket,
    maxMembers,
    ignored,
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

/** The port. Undefined where Node reads the options as a path or throws. */
function toPort(options: RawOptions): number | undefined {
  const port = options['port']
  if (port === null || (port === undefined && 'port' in options)) return 0
  if (typeof port !== 'number' && typeof port !== 'string') return undefined
  return isPort(port) ? Number(port) | 0 : undefined
}

/** The backlog as libuv passes it to listen(2). A negative backlog means the system's maximum (somaxconn). */
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
      'must be true or omitted: this call shares the port',
    )
  }
  return parseFallback(fallback, FALLBACK_POLICIES)
}

/** @throws InvalidArgumentValueError for a value that is not in `allowed`. */
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

/** Node reads a positional argument as a number where it converts to 0 or more. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === 'symbol' || typeof value === 'bigint') return undefined
  const number = Number(value)
  return number >= 0 ? number : undefined
}
