import { isIP } from 'node:net'
import type { BindAddress } from '../common/address.js'
import { BadPortError, InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError } from '../common/errors.js'
import { loadParts } from '../common/part.js'
import { isPort } from '../common/validation.js'
import { requireAddon } from '../native/require-addon.js'
import { parseConfiguration } from '../options/configure.js'
import { CONFIGURATION_OPTIONS } from '../options/given-configuration.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { capabilities } from '../system/capabilities.js'
import { chooseRoute } from './fallback.js'
import { inheritOrOpen } from './inherit.js'
import { DEFAULT_BACKLOG, MAX_BACKLOG, parseFallback } from './listen-arguments.js'
import type { ReusePortSocketOptions } from './listen-types.js'
import type { ReusePortSocket, SocketRequest } from './socket.js'

const OPTIONS: readonly string[] = ['port', 'host', 'backlog', 'ipv6Only', 'fallback', ...CONFIGURATION_OPTIONS]

/**
 * Opens a listening socket that shares its port, without a server: for frameworks that take a descriptor, and to learn
 * the port before a server exists. Synchronous. Names are not looked up.
 *
 * ```js
 * using socket = openReusePortSocket({ port: 8080 })
 * socket.listen(http.createServer(app))
 * ```
 *
 * Errors, all thrown: `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_SOCKET_BAD_PORT` and
 * `ERR_REUSEPORT_UNKNOWN_OPTION` for the options; `ERR_REUSEPORT_UNSUPPORTED` where the system does not balance and
 * `fallback` is not `'unbalanced'`; `ERR_REUSEPORT_ADDON_UNAVAILABLE` without the addon; `ERR_ACCESS_DENIED` under
 * `--permission` without `--allow-net`; the error of a socket option (see `socketOptions`); the value that `onSocket`
 * throws; otherwise the error that `server.listen` would emit (`EADDRINUSE`, `EACCES` …).
 */
export function openReusePortSocket(options: ReusePortSocketOptions = {}): ReusePortSocket {
  const request = parseOptions(options)
  const fallback = parseFallback(options.fallback, ['error', 'unbalanced'])
  const addon = requireAddon('openReusePortSocket')
  const route = chooseRoute(fallback, capabilities())
  if (route.by === 'refusal') throw route.error

  const configuration = parseConfiguration(addon, 'tcp', options)
  const socket = inheritOrOpen(addon, { ...request, configuration })
  if (socket instanceof Error) throw socket
  loadParts()
  return socket
}

function parseOptions(options: unknown): Omit<SocketRequest, 'configuration'> {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentTypeError('options', 'of type object', options)
  refuseUnknownOptions(options, OPTIONS)
  const {
    port = 0,
    host,
    backlog = DEFAULT_BACKLOG,
    ipv6Only = false,
  } = options as Record<keyof ReusePortSocketOptions, unknown>
  if (typeof port !== 'number' || !isPort(port)) throw new BadPortError('options.port', port)
  if (typeof backlog !== 'number') throw new InvalidArgumentTypeError('options.backlog', 'of type number', backlog)
  if (!Number.isInteger(backlog) || backlog < 1 || backlog > MAX_BACKLOG) {
    throw new OutOfRangeError('options.backlog', `an integer >= 1 and <= ${MAX_BACKLOG}`, backlog)
  }
  if (typeof ipv6Only !== 'boolean') throw new InvalidArgumentTypeError('options.ipv6Only', 'of type boolean', ipv6Only)
  return { where: toAddress(host), port: port | 0, backlog, ipv6Only }
}

function toAddress(host: unknown): BindAddress | undefined {
  if (host === undefined) return undefined
  if (typeof host !== 'string') throw new InvalidArgumentTypeError('options.host', 'of type string', host)
  const family = isIP(host)
  if (family === 4 || family === 6) return { address: host, family }
  throw new InvalidArgumentValueError(
    'options.host',
    host,
    'must be a numeric address: openReusePortSocket does not look names up',
  )
}
