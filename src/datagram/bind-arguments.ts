// Pure: reads the arguments of `bindReusePort` as `socket.bind` reads them.
import type { AbortSignalLike } from '../common/abort-signal.js'
import { BadPortError, InvalidArgumentTypeError, InvalidArgumentValueError } from '../common/errors.js'
import { isPort } from '../common/validation.js'
import { FALLBACK_POLICIES, parseFallback } from '../listen/listen-arguments.js'
import type { FallbackPolicy } from '../listen/listen-types.js'
import { CONFIGURATION_OPTIONS, type GivenConfiguration, pickConfiguration } from '../options/given-configuration.js'
import { refuseMisspeltOptions, type SharedNames } from '../options/option-names.js'

const BIND_OPTIONS: SharedNames = {
  known: ['port', 'address', 'exclusive', 'signal', 'fallback', ...CONFIGURATION_OPTIONS],
  inert: ['fd'],
  aliases: { host: 'address', hostname: 'address' },
}

/** A call that shares a port. */
export interface BindRequest extends GivenConfiguration {
  readonly form: 'port'
  readonly port: number
  /** The port as the caller gave it, for the error that Node would emit. */
  readonly givenPort: unknown
  /** Undefined for the unspecified address. The lookup refuses a value that is not a string, as in Node. */
  readonly address: string | undefined
  readonly exclusive: boolean
  readonly signal: AbortSignalLike | undefined
  readonly fallback: FallbackPolicy
  readonly callback: (() => void) | undefined
}

/**
 * Reads the arguments of any overload of `socket.bind`, as Node reads them; `{ form: 'node' }` for a descriptor or a
 * handle. Node accepts any number as a port and uses its lowest 16 bits; this function accepts 0 to 65535 only.
 *
 * @throws BadPortError, InvalidArgumentTypeError, InvalidArgumentValueError, ReusePortUnknownOptionError
 */
export function parseBindArguments(args: readonly unknown[]): BindRequest | { readonly form: 'node' } {
  const [first, second] = args
  const options = toOptions(first, second)
  if (namesNoPort(options)) return { form: 'node' }
  const ignored = refuseMisspeltOptions(options, BIND_OPTIONS)
  const { port, address, exclusive, signal, fallback, steering } = options as OptionNames
  if (steering !== undefined) {
    throw new InvalidArgumentValueError('options.steering', steering, 'is an option of TCP servers')
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw new InvalidArgumentTypeError('options.signal', 'an instance of AbortSignal', signal)
  }
  const last = args.at(-1)
  return {
    form: 'port',
    port: toPort(port),
    givenPort: port,
    address: (address as string) || undefined,
    exclusive: Boolean(exclusive),
    signal,
    fallback: parseFallback(fallback, FALLBACK_POLICIES),
    ...pickConfiguration(options),
    ignored,
    callback: typeof last === 'function' ? (last as () => void) : undefined,
  }
}

type OptionNames = Partial<Record<'port' | 'address' | 'exclusive' | 'signal' | 'fallback' | 'steering', unknown>>

type RawOptions = Readonly<Record<string, unknown>>

function toOptions(first: unknown, second: unknown): RawOptions {
  if (typeof first === 'object' && first !== null) return first as RawOptions
  const port = typeof first === 'function' ? undefined : first
  return { port, address: typeof second === 'function' ? undefined : second }
}

function namesNoPort(options: RawOptions): boolean {
  const { fd, recvStart } = options as Partial<Record<'fd' | 'recvStart', unknown>>
  return typeof recvStart === 'function' || (typeof fd === 'number' && Number.isInteger(fd) && fd > 0)
}

function toPort(port: unknown): number {
  if (port === undefined || port === null || port === '') return 0
  if ((typeof port === 'number' || typeof port === 'string') && isPort(port)) return Number(port)
  throw new BadPortError('options.port', port)
}

function isSignal(value: unknown): value is AbortSignalLike {
  return typeof value === 'object' && value !== null && 'aborted' in value
}
