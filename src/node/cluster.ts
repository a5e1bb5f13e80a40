// A cluster worker registers a listener by a query to the primary, and the primary's answer brings the handle. The
// listener of a shared port has its handle already, so this file withholds the query and gives the answer itself. From
// then on cluster treats the handle as its own: the primary emits 'listening', and `worker.disconnect()` closes the
// server and waits for it.
import process from 'node:process'
import type { ListenableServer } from './server.js'

/** What the caller asked for, as Node reports it about a server. */
export interface Listening {
  /** Null where the caller gave no host. */
  readonly host: string | null
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
  readonly backlog: number
}

/** Asks the primary for the handle of a server. It calls `answer` with an error, or with 0 and the handle. */
export type GetServer = (
  server: object,
  query: {
    readonly address: string | null
    readonly port: number
    readonly addressType: unknown
    readonly fd?: unknown
    flags: number
  },
  answer: (error: number, handle: object | null) => void,
) => void

interface ClusterInternals {
  readonly isWorker: boolean
  readonly worker?: { readonly exitedAfterDisconnect?: boolean }
  readonly _getServer?: GetServer
}

interface Message {
  readonly cmd?: unknown
  readonly act?: unknown
  readonly seq?: unknown
  readonly data?: unknown
}

type Channel = { send: (message: Message) => boolean }

let joined = 0

/** Undefined where this process is no worker of cluster, or its channel is closed. */
export function serverGetter(): GetServer | undefined {
  if (process.send === undefined || !process.connected) return undefined
  const { _getServer: getServer, isWorker } = cluster()
  return isWorker ? getServer : undefined
}

/** Whether this worker was told to disconnect, by the primary or by itself. */
export function isDisconnecting(): boolean {
  return cluster().worker?.exitedAfterDisconnect === true
}

function cluster(): ClusterInternals {
  return process.getBuiltinModule('node:cluster') as unknown as ClusterInternals
}

/** Registers the handle of a server with cluster, if this process is a worker whose channel is still open. */
export function joinCluster(server: ListenableServer, handle: object, listening: Listening): void {
  const getServer = serverGetter()
  if (getServer === undefined) return
  const { host, address, family, port, backlog } = listening
  const where = host === null ? { address: null, addressType: 4 } : { address, addressType: family }
  const query = { ...where, port, backlog }
  const message = withheld(() => getServer(server, { ...query, fd: undefined, flags: 0 }, ignore))
  if (message === undefined) return
  // The primary does not know this key, so it ignores the message that the worker sends when the handle closes.
  const key = `reuseport:${joined++}`
  const answer = { cmd: 'NODE_CLUSTER', ack: message.seq, key, errno: 0, data: message.data }
  ;(process as NodeJS.EventEmitter).emit('internalMessage', answer, handle)
}

/** @returns the query that `ask` sends to the primary, which is withheld. Other messages of `ask` are sent. */
function withheld(ask: () => void): Message | undefined {
  const channel = process as unknown as Channel
  const { send } = channel
  let query: Message | undefined
  channel.send = function (this: unknown, message: Message, ...rest: unknown[]): boolean {
    if (message.cmd !== 'NODE_CLUSTER' || message.act !== 'queryServer')
      return Reflect.apply(send, this, [message, ...rest])
    query = message
    return true
  }
  try {
    ask()
  } finally {
    channel.send = send
  }
  return query
}

function ignore(): void {}
