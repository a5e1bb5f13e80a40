// What a supervisor and its workers tell each other. Processes: by Node's IPC channel, in messages that Node keeps from
// the program ('internalMessage'); threads: by a port of their own.
import type { ListenWish } from '../listen/supervision.js'

/** @internal A socket that the supervisor keeps. */
export interface KeptSocket {
  readonly id: string
  /** In the worker. */
  readonly fd: number
  readonly wish: ListenWish
  /** Taken for every wish for this port, whatever its address and options: systemd has opened it. */
  readonly isGiven: boolean
}

export type SteeringName = 'hash' | 'cpu' | 'random'

/** @internal What a worker is told before its program begins. */
export interface WorkerConfiguration {
  /** `<pid of the supervisor>.<number of the worker>` */
  readonly worker: string
  readonly sockets: readonly KeptSocket[]
  /** For port 0: the first call gets the first of these, and so on. */
  readonly ports: readonly number[]
  /** Whether all workers accept from one socket, which is asked for. */
  readonly isShared: boolean
  readonly steering: SteeringName | undefined
  /** 48 bytes, in base64. */
  readonly ticketKeys: string
  readonly grace: number
  readonly drainTimeout: number
}

/** @internal */
export type ToWorker =
  /** Drain all servers, hand these sockets over, and end. */
  | { readonly type: 'leave'; readonly kept: readonly string[] }
  /** Nobody waits for these any more. */
  | { readonly type: 'release'; readonly ids: readonly string[] }
  | { readonly type: 'ticket-keys'; readonly keys: string }
  /** An answer to `want`; with the handle, or (in a thread) its descriptor. */
  | { readonly type: 'take'; readonly id: string; readonly want: number; readonly fd: number | undefined }
  /** An answer to `want`: be the one who opens it. */
  | { readonly type: 'open'; readonly want: number }

/** @internal */
export interface Place {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
}

/** @internal */
export interface Listening extends Place {
  readonly type: 'listening'
  readonly id: string
  readonly wish: ListenWish
  /** Of a thread: the descriptor of a socket that the supervisor does not have yet. */
  readonly fd: number | undefined
}

/** @internal */
export type FromWorker =
  /** A server listens; with its handle, where the supervisor does not have it yet. */
  | Listening
  /** A thread or cluster worker of its own listens, on a socket that nobody keeps. */
  | ({ readonly type: 'nested' } & Place)
  /** The program has closed the server. */
  | { readonly type: 'closed'; readonly id: string }
  /** Somebody sent a signal that ends it: it asks for a successor, and to be told to leave. */
  | { readonly type: 'relieve'; readonly signal: string }
  /** What the drains of its servers lost; undefined: nothing. */
  | { readonly type: 'left'; readonly lossless: boolean; readonly reason: string | undefined }
  /** The answer to `release`: those that nobody has taken meanwhile. */
  | { readonly type: 'released'; readonly ids: readonly string[] }
  | { readonly type: 'want'; readonly want: number; readonly wish: ListenWish }
  /** What it was told to open could not be. */
  | { readonly type: 'not-opened'; readonly wish: ListenWish }

/** @internal How the messages look on Node's IPC channel. */
export interface Envelope {
  readonly cmd: 'NODE_REUSEPORT'
  readonly body: unknown
}

/** @internal */
export function isEnvelope(message: unknown): message is Envelope {
  return typeof message === 'object' && message !== null && 'cmd' in message && message.cmd === 'NODE_REUSEPORT'
}

/** @internal */
export function wishKey({ address, port, ipv6Only, options }: ListenWish): string {
  return JSON.stringify([address, port, ipv6Only, options])
}

/** @internal The environment variable that names the descriptor of the configuration. */
export const CONFIGURATION_FD = 'REUSEPORT_WORKER_FD'
/** @internal The environment variable that names the worker, for what it starts itself. */
export const WORKER_NAME = 'REUSEPORT_WORKER'
/** @internal The key of the worker's data where it is a thread. */
export const THREAD_DATA = 'reuseport'
