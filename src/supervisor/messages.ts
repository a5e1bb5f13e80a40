// Pure: checks what a supervisor and its workers send each other. The program of a worker can send anything over the same
// channel (`process.send`), and so can another version of this library: a message is taken for what it is, or refused.
import {
  access,
  count,
  endingSignal,
  type Fields,
  fewest,
  flag,
  health,
  id,
  ids,
  LONGEST_TIME,
  list,
  MessageError,
  number,
  optional,
  pass,
  ports,
  record,
  text,
  visit,
  want,
  whole,
  wish,
} from './message-fields.js'
import type {
  FromWorker,
  KeptSocket,
  Listening,
  LocalSocket,
  Place,
  ToWorker,
  WorkerConfiguration,
} from './protocol.js'
import { isSteeringName } from './steering-names.js'

/** Of the messages in `protocol.ts`. */
export const WORKER_PROTOCOL = 1

const NAME = 'NODE_REUSEPORT'

/** The form of a message on Node's IPC channel. Node hides messages whose `cmd` begins with NODE_ from the program. */
export interface Envelope {
  readonly cmd: typeof NAME
  readonly version: number
  readonly body: unknown
}

export function toEnvelope(body: unknown): Envelope {
  return { cmd: NAME, version: WORKER_PROTOCOL, body }
}

export function isEnvelope(
  message: unknown,
): message is { readonly cmd: typeof NAME; readonly [name: string]: unknown } {
  return typeof message === 'object' && message !== null && 'cmd' in message && message.cmd === NAME
}

/** @throws what `parse` throws, with the version of the sender where it is another one. */
export function openEnvelope<T>(
  { body, version }: { readonly [name: string]: unknown },
  parse: (body: unknown) => T,
): T {
  try {
    return parse(body)
  } catch (error) {
    if (version === WORKER_PROTOCOL || !(error instanceof MessageError)) throw error
    const sender = typeof version === 'number' ? `version ${version}` : 'no version'
    throw new MessageError(`${error.message} (the sender names ${sender} of the protocol, not ${WORKER_PROTOCOL})`)
  }
}

/** @throws MessageError */
export function parseFromWorker(value: unknown): FromWorker {
  const message = record(value)
  switch (message['type']) {
    case 'listening':
      return { type: 'listening', ...listening(message) }
    case 'nested':
      return { type: 'nested', ...place(message) }
    case 'closed':
      return { type: 'closed', id: id(message['id']) }
    case 'drains':
      return { type: 'drains', id: id(message['id']) }
    case 'relieve':
      return { type: 'relieve', signal: endingSignal(message['signal']) }
    case 'left':
      return {
        type: 'left',
        lossless: flag(message['lossless'], 'lossless'),
        reason: optional(message['reason'], (reason) => text(reason, 'reason', 65_536)),
      }
    case 'released':
      return { type: 'released', ids: ids(message['ids']) }
    case 'took-back':
      return { type: 'took-back', id: id(message['id']), isTaken: flag(message['isTaken'], 'isTaken') }
    case 'joined':
      return { type: 'joined', id: id(message['id']), isTaken: flag(message['isTaken'], 'isTaken') }
    case 'parted':
      return { type: 'parted', id: id(message['id']) }
    case 'visits':
      return { type: 'visits', begun: ids(message['begun']), ended: list(message['ended'], 'ended').map(visit) }
    case 'pong':
      return { type: 'pong', ping: count(message['ping'], 'ping') }
    case 'connections':
      return { type: 'connections', ...place(message), open: count(message['open'], 'open') }
    case 'pass':
      return { type: 'pass', ...place(message), pass: pass(message), open: count(message['open'], 'open') }
    case 'served':
      return {
        type: 'served',
        pass: pass(message),
        isTaken: flag(message['isTaken'], 'isTaken'),
        open: count(message['open'], 'open'),
      }
    case 'want':
      return { type: 'want', ...want(message), wish: wish(message['wish']), ...access(message) }
    case 'health':
      return { type: 'health', ...health(message) }
    case 'listens':
      return { type: 'listens', id: id(message['id']) }
    case 'not-opened':
      return { type: 'not-opened', wish: wish(message['wish']) }
    default:
      throw new MessageError('its type is unknown')
  }
}

/** @throws MessageError */
export function parseToWorker(value: unknown): ToWorker {
  const message = record(value)
  switch (message['type']) {
    case 'leave':
      return { type: 'leave', kept: ids(message['kept']), signal: endingSignal(message['signal']) }
    case 'steered':
      return { type: 'steered', ids: ids(message['ids']) }
    case 'release':
      return { type: 'release', ids: ids(message['ids']) }
    case 'ticket-keys':
      return { type: 'ticket-keys', keys: text(message['keys'], 'keys', 256) }
    case 'take':
      return { type: 'take', id: id(message['id']), ...want(message), local: local(message) }
    case 'give-back':
      return { type: 'give-back', id: id(message['id']), local: local(message) }
    case 'yours':
      return { type: 'yours', id: id(message['id']) }
    case 'join':
      return { type: 'join', id: id(message['id']), wish: wish(message['wish']), local: local(message) }
    case 'part':
      return { type: 'part', id: id(message['id']) }
    case 'ping':
      return { type: 'ping', ping: count(message['ping'], 'ping') }
    case 'health':
      return { type: 'health', ask: count(message['ask'], 'ask') }
    case 'serve':
      return { type: 'serve', ...place(message), pass: pass(message) }
    case 'passed':
      return {
        type: 'passed',
        pass: pass(message),
        isTaken: flag(message['isTaken'], 'isTaken'),
        fewest: fewest(message),
      }
    case 'fewest':
      return { type: 'fewest', ...place(message), fewest: fewest(message) }
    case 'refused':
      return {
        type: 'refused',
        ...want(message),
        errno: whole(message['errno'], 'errno', -LONGEST_TIME, -1),
        hint: optional(message['hint'], (hint) => text(hint, 'hint', 65_536)),
      }
    case 'open':
      return { type: 'open', ...want(message) }
    default:
      throw new MessageError('its type is unknown')
  }
}

/** @throws MessageError */
export function parseWorkerConfiguration(value: unknown): WorkerConfiguration {
  const given = record(value)
  const steering = optional(given['steering'], (name) => text(name, 'steering', 32))
  if (!(steering === undefined || isSteeringName(steering))) throw new MessageError('steering is unknown')
  const balance = optional(given['balance'], (name) => text(name, 'balance', 32))
  if (!(balance === undefined || balance === 'connections')) throw new MessageError('balance is unknown')
  return {
    worker: text(given['worker'], 'worker', 64),
    sockets: list(given['sockets'], 'sockets').map(keptSocket),
    ports: ports(given['ports'], 'ports'),
    datagramPorts: ports(given['datagramPorts'], 'datagramPorts'),
    isShared: flag(given['isShared'], 'isShared'),
    steering,
    balance,
    ticketKeys: text(given['ticketKeys'], 'ticketKeys', 256),
    grace: number(given['grace'], 'grace', 0, LONGEST_TIME),
    drainTimeout: number(given['drainTimeout'], 'drainTimeout', 0, LONGEST_TIME),
  }
}

function keptSocket(value: unknown): KeptSocket {
  const socket = record(value)
  return {
    id: id(socket['id']),
    fd: count(socket['fd'], 'fd'),
    inode: optional(socket['inode'], inode),
    wish: wish(socket['wish']),
    isGiven: flag(socket['isGiven'], 'isGiven'),
  }
}

function local(message: Fields): LocalSocket | undefined {
  return optional(message['local'], (value) => {
    const socket = record(value)
    return { fd: count(socket['fd'], 'fd'), inode: inode(socket['inode']) }
  })
}

function inode(value: unknown): number {
  return whole(value, 'inode', 0, Number.MAX_SAFE_INTEGER)
}

function listening(message: Fields): Omit<Listening, 'type'> {
  return {
    ...place(message),
    id: id(message['id']),
    wish: wish(message['wish']),
    fd: optional(message['fd'], (fd) => count(fd, 'fd')),
  }
}

/** @throws MessageError */
export function place(value: unknown): Place {
  const { address, family, port } = record(value)
  if (family !== 'IPv4' && family !== 'IPv6') throw new MessageError('family is unknown')
  return { address: text(address, 'address', 128), family, port: whole(port, 'port', 0, 0xffff) }
}
