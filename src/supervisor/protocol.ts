// The messages between a supervisor and its workers. Processes use Node's IPC channel, with messages that Node emits as
// 'internalMessage' and hides from the program. Threads use a MessagePort of their own.
import type { EndingSignal } from '../common/ending-signals.js'
import type { ListenWish } from '../listen/supervision.js'

/** @internal What the server of a worker speaks: HTTP/1, HTTP/2, or either over TLS. `'nothing'`: none listens. */
export type Speaks = 'http' | 'http2' | 'tls' | 'nothing'

/** @internal A socket that the supervisor keeps, as the worker gets it. */
export interface KeptSocket {
  readonly id: string
  /** The descriptor in the worker's process. */
  readonly fd: number
  /** In a thread: the inode of the socket, because another thread may have closed the descriptor by now. */
  readonly inode?: number | undefined
  readonly wish: ListenWish
  /** Another process, such as systemd, has opened the socket. It fits every wish for its port. */
  readonly isGiven: boolean
}

/** @internal A socket of the supervisor, for a thread: it has the same descriptors. */
export interface LocalSocket {
  readonly fd: number
  /** A descriptor that the supervisor has closed in the meantime is another file's. */
  readonly inode: number
}

/** `'client'`: each client stays with its worker, by its address. */
export type SteeringName = 'hash' | 'cpu' | 'random' | 'client'

/** What the workers keep even among themselves. */
export type BalanceName = 'connections'

/** @internal The configuration that a worker reads before its program begins. */
export interface WorkerConfiguration {
  /** `<pid of the supervisor>.<number of the worker>` */
  readonly worker: string
  readonly sockets: readonly KeptSocket[]
  /** For calls with port 0: the first call gets the first of these ports, and so on. */
  readonly ports: readonly number[]
  /** The same for UDP sockets. */
  readonly datagramPorts: readonly number[]
  /** Whether all workers accept from one socket. Then a worker asks for the socket with the message `want`. */
  readonly isShared: boolean
  readonly steering: SteeringName | undefined
  readonly balance: BalanceName | undefined
  /** 48 bytes, in base64. */
  readonly ticketKeys: string
  readonly grace: number
  readonly drainTimeout: number
}

/** @internal */
export type ToWorker =
  /** Drain all servers, then give the program the signal. `kept`: sockets that are handed over, and stay in their group. */
  | { readonly type: 'leave'; readonly kept: readonly string[]; readonly signal: EndingSignal }
  /** Comes before `leave`: these UDP sockets get no new datagrams, by a program of their group. */
  | { readonly type: 'steered'; readonly ids: readonly string[] }
  /** Close those of these sockets that no server of the worker has taken. */
  | { readonly type: 'release'; readonly ids: readonly string[] }
  | { readonly type: 'ticket-keys'; readonly keys: string }
  /** Answers `want`: here is the socket, as the handle or (in a thread) as `local`. */
  | { readonly type: 'take'; readonly id: string; readonly want: number; readonly local?: LocalSocket | undefined }
  /** Answers `want` for a path: the supervisor cannot open it. `errno` is negative. */
  | { readonly type: 'refused'; readonly want: number; readonly errno: number; readonly hint?: string | undefined }
  /** Answers `want`: this worker opens the socket for all. */
  | { readonly type: 'open'; readonly want: number }
  /** Accept again from this socket, which was handed over: here it is, as for `take`. Nobody else has it any more. */
  | { readonly type: 'give-back'; readonly id: string; readonly local?: LocalSocket | undefined }
  /** Answers `took-back` and `drains`: nobody else accepts from the socket. */
  | { readonly type: 'yours'; readonly id: string }
  /** Be a guest of this socket of another worker: here it is, as for `take`. Where its queue stands, accept from it too. */
  | {
      readonly type: 'join'
      readonly id: string
      readonly wish: ListenWish
      readonly local?: LocalSocket | undefined
    }
  /** Be no guest of this socket any more, and close it. */
  | { readonly type: 'part'; readonly id: string }
  /** Answer, to show that the event loop turns. */
  | { readonly type: 'ping'; readonly ping: number }
  /**
   * Serve this connection, which another worker has accepted at that place: here it is, as the handle. Without a handle:
   * say whether you have got it. `pass` is the supervisor's number of it.
   */
  | ({ readonly type: 'serve'; readonly pass: number } & Place)
  /**
   * Answers `pass`. Where the connection is not taken, the worker serves it itself; otherwise it closes its duplicate.
   * `fewest`: as of the message `fewest`.
   */
  | {
      readonly type: 'passed'
      readonly pass: number
      readonly isTaken: boolean
      readonly fewest: number | undefined
    }
  /** Serve this connection, by which the supervisor asks the program how it is: here it is, as the handle. */
  | { readonly type: 'health'; readonly ask: number }
  /** The fewest open connections of another worker at that place; undefined where there is no other worker. */
  | ({ readonly type: 'fewest'; readonly fewest: number | undefined } & Place)

/** @internal The options of the wish for a unix path. Those of a port are another text. */
export const UNIX = 'unix'

/** @internal The options of `server.listen` for the mode of the file of a path. */
export interface PathAccess {
  readonly readableAll: boolean
  readonly writableAll: boolean
}

/** @internal Where a server listens. */
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
  /** From a thread: the descriptor of a socket that the supervisor does not hold yet. */
  readonly fd: number | undefined
}

/** @internal */
export type FromWorker =
  /** A server listens. A process sends the handle where the supervisor does not hold the socket yet. */
  | Listening
  /** A thread or cluster worker of the program listens, on a socket that the supervisor does not keep. */
  | ({ readonly type: 'nested' } & Place)
  /** The program has closed the server. */
  | { readonly type: 'closed'; readonly id: string }
  /** The program drains the server. The answer is `yours`: nobody else has the socket any more. */
  | { readonly type: 'drains'; readonly id: string }
  /** The worker got a signal: it asks for a successor, and then for the message `leave`. */
  | { readonly type: 'relieve'; readonly signal: EndingSignal }
  /** The worker has drained its servers. `reason` says what was lost; undefined where nothing was. */
  | { readonly type: 'left'; readonly lossless: boolean; readonly reason: string | undefined }
  /** Answers `release`, or comes by itself: the sockets that no server of the worker has taken, or that none has now. */
  | { readonly type: 'released'; readonly ids: readonly string[] }
  /** Answers `give-back`: whether the worker accepts from the socket. */
  | { readonly type: 'took-back'; readonly id: string; readonly isTaken: boolean }
  /** Answers `join`: whether the worker is a guest of the socket. */
  | { readonly type: 'joined'; readonly id: string; readonly isTaken: boolean }
  /** The worker has closed the socket that it was a guest of: it was told to, or its own server has closed. */
  | { readonly type: 'parted'; readonly id: string }
  /** Sockets that the worker accepts from as a guest by now, and those of visits that have ended: first these, then those. */
  | {
      readonly type: 'visits'
      readonly begun: readonly string[]
      readonly ended: readonly { readonly id: string; readonly accepted: number }[]
    }
  | { readonly type: 'pong'; readonly ping: number }
  /** The worker listens at that place, and has so many open connections there. */
  | ({ readonly type: 'connections'; readonly open: number } & Place)
  /**
   * Another worker should serve this connection: here it is, as the handle. Without a handle: is it known? `pass` is the
   * worker's own number of it, `open` as of the message `connections`. The worker has a duplicate until the answer.
   */
  | ({ readonly type: 'pass'; readonly pass: number; readonly open: number } & Place)
  /** Answers `serve`, before the worker reads from the connection. `open`: with this connection. */
  | { readonly type: 'served'; readonly pass: number; readonly isTaken: boolean; readonly open: number }
  /**
   * A server wants a common socket. `want` is the number of the request; the answer repeats it. With `access`, the address
   * is a unix path, which the supervisor opens.
   */
  | {
      readonly type: 'want'
      readonly want: number
      readonly wish: ListenWish
      readonly access?: PathAccess | undefined
    }
  /** Answers `health`: what the server that got the connection speaks; `'nothing'` where none got it. */
  | { readonly type: 'health'; readonly ask: number; readonly speaks: Speaks }
  /** A server listens on a path. */
  | { readonly type: 'listens'; readonly id: string }
  /** The worker was told to open this socket, and failed. */
  | { readonly type: 'not-opened'; readonly wish: ListenWish }

/** @internal */
export function placeKey({ address, family, port }: Place): string {
  return `${family} ${address} ${port}`
}

/** @internal */
export function wishKey({ address, port, ipv6Only, options, datagram }: ListenWish): string {
  const ofDatagram = datagram === undefined ? [] : ['udp', datagram.reuseAddr]
  return JSON.stringify([address, port, ipv6Only, options, ...ofDatagram])
}

/** @internal */
export function localOf({ fd, inode }: LocalSocket): LocalSocket {
  return { fd, inode }
}

/** @internal The environment variable that names the descriptor of the configuration. */
export const CONFIGURATION_FD = 'REUSEPORT_WORKER_FD'
/**
 * @internal The environment variable that names the preload of the supervisor's copy of the package. Another copy that the
 * worker loads earlier (NODE_OPTIONS) leaves the worker to it, so both ends speak the same version of this protocol.
 */
export const REGISTER_URL = 'REUSEPORT_WORKER_REGISTER'
/** @internal The environment variable that names the worker, for the threads and processes that its program starts. */
export const WORKER_NAME = 'REUSEPORT_WORKER'
/** @internal The key in `workerData` where the worker is a thread. */
export const THREAD_DATA = 'reuseport'
