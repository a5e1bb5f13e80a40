// Room: options of sockets: names, checks, setting and reading. It may import native and every room below.
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import {
  InvalidArgumentTypeError,
  OutOfRangeError,
  ReusePortUnknownOptionError,
  type SystemFailure,
} from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { Addon, OptionRow, Stage } from '../native/addon-contract.js'
import type { UnboundSocket } from './configuration-types.js'
import { CONFIGURATION_OPTIONS, type GivenConfiguration } from './given-configuration.js'
import {
  ReusePortOptionDeniedError,
  ReusePortOptionRefusedError,
  ReusePortOptionUnsupportedError,
} from './option-errors.js'
import { parseRawSocketOptions, type RawSetting } from './raw-socket-options.js'
import { type OptionSetting, parseSocketOptions } from './socket-options.js'

/** The checked options of a socket besides its address. */
export interface Configuration {
  readonly settings: readonly OptionSetting[]
  readonly raw: readonly RawSetting[]
  readonly onSocket: ((socket: UnboundSocket) => void) | undefined
  readonly maxMembers: number | undefined
}

export interface OpenSocket {
  readonly addon: Addon
  readonly fd: number
  readonly family: 4 | 6
}

/** Of a call that gives no option of the socket. */
export const NO_CONFIGURATION: Configuration = { settings: [], raw: [], onSocket: undefined, maxMembers: undefined }

/** @throws the errors of the parsers that it calls, and InvalidArgumentTypeError where `onSocket` is not a function. */
export function parseConfiguration(addon: Addon, transport: Transport, options: GivenConfiguration): Configuration {
  const { socketOptions, rawSocketOptions, onSocket, maxMembers, ignored = [] } = options
  if (ignored.length > 0) refuseMisplaced(ignored, addon.socketOptions)
  if (CONFIGURATION_OPTIONS.every((name) => options[name] === undefined)) return NO_CONFIGURATION
  return {
    settings: parseSocketOptions(socketOptions, transport, addon.socketOptions),
    raw: parseRawSocketOptions(rawSocketOptions, transport),
    onSocket: toCallback(onSocket),
    maxMembers: toMaxMembers(maxMembers),
  }
}

/** Options of the socket whose names others use too, in the same object: Node for `net.createServer`, for example. */
const USED_BY_OTHERS: readonly string[] = [
  'keepAlive',
  'noDelay',
  'broadcast',
  'congestion',
  'linger',
  'mark',
  'priority',
  'sendBufferSize',
  'transparent',
  'ttl',
]

/** Refuses an option of the socket that was given beside `socketOptions` and not in it. */
function refuseMisplaced(ignored: readonly string[], table: readonly OptionRow[]): void {
  const name = ignored.find((one) => table.some((row) => row.name === one) && !USED_BY_OTHERS.includes(one))
  if (name !== undefined) throw new ReusePortUnknownOptionError(name, `socketOptions.${name}`, [])
}

function toCallback(onSocket: unknown): Configuration['onSocket'] {
  if (onSocket === undefined || typeof onSocket === 'function') return onSocket as Configuration['onSocket']
  throw new InvalidArgumentTypeError('options.onSocket', 'of type function', onSocket)
}

function toMaxMembers(maxMembers: unknown): number | undefined {
  if (maxMembers === undefined) return undefined
  const name = 'options.maxMembers'
  if (typeof maxMembers !== 'number') throw new InvalidArgumentTypeError(name, 'of type number', maxMembers)
  if (Number.isSafeInteger(maxMembers) && maxMembers >= 1) return maxMembers
  throw new OutOfRangeError(name, 'an integer >= 1', maxMembers)
}

/** Sets the options of this stage: first those with a name, then the raw options in the order of the caller. */
export function configure(socket: OpenSocket, { settings, raw }: Configuration, stage: Stage): void {
  for (const setting of settings) {
    if (setting.row.stage === stage) setOption(socket, setting)
  }
  for (const setting of raw) {
    if (setting.stage === stage) setRawOption(socket, setting)
  }
}

export function setOption({ addon, fd, family }: OpenSocket, setting: OptionSetting): void {
  const failure = addon.setOption(fd, family, setting.row.name, setting.value)
  if (failure === undefined) return
  const error = optionError(setting.row, setting.given, family, failure)
  if (!(setting.optional && canBeSkipped(error))) throw error
}

export function setRawOption({ addon, fd }: OpenSocket, { label, level, name, value }: RawSetting): void {
  const failure = addon.setRawOption(fd, level, name, value)
  if (failure === undefined) return
  const kind = kindOf(failure)
  if (kind === 'denied') throw new ReusePortOptionDeniedError(label, undefined, failure)
  const what = `level ${level}, name ${name}`
  if (kind === 'unsupported')
    throw new ReusePortOptionUnsupportedError(label, `${nameOf(failure)} for ${what}`, [], failure)
  throw new ReusePortOptionRefusedError(label, value, failure, `the value given to ${what}`)
}

/** `optional` covers what this system or this process cannot do. A value that the kernel refuses stays an error. */
export function canBeSkipped(error: Error): boolean {
  return error instanceof ReusePortOptionUnsupportedError || error instanceof ReusePortOptionDeniedError
}

/** The error for an option that could not be set or read, chosen by the kernel's errno. */
export function optionError(row: OptionRow, given: unknown, family: 4 | 6, failure: SystemFailure): Error {
  const option = `socketOptions.${row.name}`
  switch (kindOf(failure)) {
    case 'denied':
      return new ReusePortOptionDeniedError(option, row.capability ?? undefined, failure)
    case 'unsupported':
      return new ReusePortOptionUnsupportedError(
        option,
        reasonFor(row, given, family, failure),
        row.systems.split(' '),
        failure,
      )
    case 'refused':
      return new ReusePortOptionRefusedError(option, given, failure, JSON.stringify(given), hintFor(failure))
  }
}

/** Only an option that names a device fails by ENODEV. */
function hintFor({ errno }: SystemFailure): string {
  if (getSystemErrorName(errno) !== 'ENODEV') return ''
  const names = Object.keys(process.getBuiltinModule('node:os').networkInterfaces()).map((name) => JSON.stringify(name))
  return `there is no such device here; devices with an address: ${names.join(', ') || 'none'}`
}

function reasonFor(row: OptionRow, given: unknown, family: 4 | 6, failure: SystemFailure): string {
  if (row.ipv4 === null && row.ipv6 === null) return 'this system has no such option'
  if ((family === 4 ? row.ipv4 : row.ipv6) === null) return `this is an IPv${family} socket`
  if (row.name === 'mptcp') return `this kernel has no MPTCP, or net.mptcp.enabled is 0 (${nameOf(failure)})`
  if (row.kind === 'text') return `the kernel has no ${JSON.stringify(given)} (${nameOf(failure)})`
  return `the kernel has no such option for this kind of socket (${nameOf(failure)})`
}

const DENIED: readonly string[] = ['EPERM', 'EACCES']
const UNSUPPORTED: readonly string[] = ['ENOPROTOOPT', 'EOPNOTSUPP', 'ENOTSUP', 'EPROTONOSUPPORT', 'ENOENT', 'ENOSYS']

function kindOf({ errno }: SystemFailure): 'denied' | 'unsupported' | 'refused' {
  const code = getSystemErrorName(errno)
  if (DENIED.includes(code)) return 'denied'
  return UNSUPPORTED.includes(code) ? 'unsupported' : 'refused'
}

function nameOf({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
