// Pure: what a supervisor and the processes that ask it write on its control socket. A request is one line, `<command>
// <version>`; an answer is one line of JSON, or, for a command that takes time, several. Each side names its version.

import { date, integer, isRecord, LONGEST_TEXT, list, ProtocolError, record, text } from './control-fields.js'

/** What a supervisor says of itself. Times are in ISO 8601. */
export interface SupervisorStatus {
  readonly pid: number
  readonly script: string
  readonly state: string
  readonly generation: number
  readonly startedAt: string
  readonly workers: readonly {
    readonly slot: number
    readonly pid: number
    readonly threadId?: number
    readonly generation: number
    readonly state: string
    readonly startedAt: string
    /** Inodes of the listening sockets that it accepts from. */
    readonly sockets: readonly number[]
    /** How often it began to accept from the queue of another worker. This and the next two: undefined in earlier versions. */
    readonly joins?: number
    /** Connections that it has accepted from the queues of other workers. */
    readonly acceptedAsGuest?: number
    /** ms in which connections stood in the queues of its slot. */
    readonly stood?: number
    /** Connections that it has accepted and another worker serves; missing without the option `balance`. */
    readonly passedOn?: number
    /** Unix paths that it accepts at; missing where there are none. */
    readonly paths?: readonly string[]
  }[]
  /** The ports on which its workers listen; undefined in earlier versions. */
  readonly places?: readonly {
    readonly protocol: 'tcp' | 'udp'
    readonly address: string
    readonly port: number
  }[]
}

/** @internal */
export const CONTROL_VERSION = 1

/** @internal Bytes of a request, without the end of its line. */
export const LONGEST_REQUEST = 256

/** @internal Characters of an answer, without the end of its line. */
export const LONGEST_ANSWER: number = 1 << 20

export type ControlCommand = 'status' | 'reload'

/** @internal */
export interface ControlRequest {
  readonly command: ControlCommand
  /** 0 where the request names none. */
  readonly version: number
}

/** @internal @returns the reason where the line is not a request. */
export function parseRequest(line: string): ControlRequest | string {
  const [, command = '', version = '0'] = /^([a-z-]{1,32})(?: (\d{1,6}))?\r?$/.exec(line) ?? []
  if (command === 'status' || command === 'reload') return { command, version: Number(version) }
  return command === ''
    ? 'this is not a request'
    : `unknown command '${command}': the supervisor answers 'status' and 'reload'`
}

/** @internal */
export function formatRequest(command: ControlCommand): string {
  return `${command} ${CONTROL_VERSION}\n`
}

/** @internal */
export type ControlAnswer =
  /** The command is under way; another answer follows. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly reason: string }

/** @internal */
export function formatAnswer(answer: ControlAnswer): string {
  const { kind } = answer
  const said = kind === 'accepted' ? true : kind === 'done' ? (answer.value ?? null) : answer.reason
  return `${JSON.stringify({ version: CONTROL_VERSION, [kind]: said })}\n`
}

/** @internal @throws Error with the reason, which names the version of the peer where it is another one. */
export function parseAnswer(line: string): ControlAnswer {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ProtocolError('its answer is not JSON')
  }
  if (!isRecord(value)) throw new ProtocolError('its answer is not an object')
  if (Object.hasOwn(value, 'done')) return { kind: 'done', value: value['done'] }
  const { accepted, failed, version } = value
  if (accepted === true) return { kind: 'accepted' }
  if (typeof failed === 'string') return { kind: 'failed', reason: failed.slice(0, LONGEST_TEXT) }
  throw new ProtocolError(`its answer has neither a result nor an error${aboutVersion(version)}`)
}

function aboutVersion(version: unknown): string {
  return typeof version === 'number' && version !== CONTROL_VERSION
    ? ` (it speaks version ${version} of the protocol, this process version ${CONTROL_VERSION})`
    : ''
}

/**
 * A status with the members that this version knows; others are left out.
 *
 * @internal
 * @throws Error with the reason where one is missing, of another type or out of bounds.
 */
export function parseStatus(value: unknown): SupervisorStatus {
  const status = record(value, 'its status')
  const workers = list(status['workers'], 'workers')
  return {
    pid: integer(status['pid'], 'pid'),
    script: text(status['script'], 'script'),
    state: text(status['state'], 'state'),
    generation: integer(status['generation'], 'generation'),
    startedAt: date(status['startedAt'], 'startedAt'),
    workers: workers.map((entry, index) => parseWorker(entry, `workers[${index}]`)),
    ...(status['places'] !== undefined && { places: list(status['places'], 'places').map(parsePlace) }),
  }
}

function parsePlace(value: unknown): NonNullable<SupervisorStatus['places']>[number] {
  const { address, port, protocol } = record(value, 'places')
  if (protocol !== 'tcp' && protocol !== 'udp') throw new ProtocolError('places.protocol is unknown')
  return { protocol, address: text(address, 'places.address'), port: integer(port, 'places.port') }
}

function parseWorker(value: unknown, name: string): SupervisorStatus['workers'][number] {
  const worker = record(value, name)
  const { paths, threadId } = worker
  return {
    slot: integer(worker['slot'], `${name}.slot`),
    pid: integer(worker['pid'], `${name}.pid`),
    ...(threadId !== undefined && { threadId: integer(threadId, `${name}.threadId`) }),
    generation: integer(worker['generation'], `${name}.generation`),
    state: text(worker['state'], `${name}.state`),
    startedAt: date(worker['startedAt'], `${name}.startedAt`),
    sockets: list(worker['sockets'], `${name}.sockets`).map((inode) => integer(inode, `${name}.sockets`)),
    ...(paths !== undefined && { paths: list(paths, `${name}.paths`).map((path) => text(path, `${name}.paths`)) }),
    ...Object.fromEntries(
      NUMBERS.flatMap((of) => (worker[of] === undefined ? [] : [[of, integer(worker[of], `${name}.${of}`)]])),
    ),
  }
}

const NUMBERS = ['joins', 'acceptedAsGuest', 'stood', 'passedOn'] as const
