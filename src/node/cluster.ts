// A cluster worker registers a listener by a query to the primary, and the primary's answer brings the handle. The
// listener of a shared port has its handle already, so this file withholds the query and gives the answer itself. From
// then on cluster treats the handle as its own: the primary emits 'listening', and `worker.disconnect()` closes the
// server and waits for it.
import process from 'node:process'
import type { ListenableServer } from './server.js'

interface Query {
  readonly address: string | null
  readonly port: number
  readonly addressType: 4 | 6
  readonly backlog: number
}

interface ClusterInternals {
  readonly isWorker: boolean
  readonly _getServer?: (
    server: ListenableServer,
    query: Query & { readonly fd: undefined; readonly flags: number },
    answer: (error: number, handle: object) => void,
  ) => void
}

interface Message {
  readonly cmd?: unknown
  readonly act?: unknown
  readonly seq?: unknown
  readonly data?: unknown
}

type Channel = { send: (message: Message) => boolean }

let joined = 0

/** Registers the handle of a server with cluster, if this process is a worker whose channel is still open. */
export function joinCluster(server: ListenableServer, handle: object, query: Query): void {
  if (process.send === undefined || !process.connected) return
  const cluster = process.getBuiltinModule('node:cluster') as unknown as ClusterInternals
  if (!cluster.isWorker || cluster._getServer === undefined) return
  const message = withheld(() => {
    cluster._getServer?.(server, { ...query, fd: undefined, flags: 0 }, ignore)
  })
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
