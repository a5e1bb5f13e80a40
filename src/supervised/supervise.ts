// Room: the worker's side of a supervisor: it runs inside the program that `reuseport run` starts. It imports what
// users import, the addon, and the protocol of the supervisor.
import net from 'node:net'
import process from 'node:process'
import { promisify } from 'node:util'
import { isMainThread } from 'node:worker_threads'
import type { ListenableServer } from '../index.js'
import { setSupervision } from '../listen/supervision.js'
import { closeOnceMore, isClosedForProgram } from '../node/withheld-close.js'
import { WORKER_NAME } from '../supervisor/protocol.js'
import { drainAll } from './drain-all.js'
import { type Link, linkToSupervisor } from './link.js'
import { Nested, obey } from './nested.js'
import { placeOf, Servers } from './servers.js'
import { SupervisedWorker } from './worker.js'

/** Connects this process or thread to its supervisor. @returns undefined where no supervisor started it directly. */
export function supervise(): SupervisedWorker | undefined {
  const link = linkToSupervisor()
  if (link !== undefined) return superviseThis(link)
  if (process.env[WORKER_NAME] !== undefined) followWorker()
  return undefined
}

function superviseThis(link: Link): SupervisedWorker {
  process.env[WORKER_NAME] = link.configuration.worker
  const worker = new SupervisedWorker(link, new Nested((place) => link.send({ type: 'nested', ...place })))
  onClose((server) => {
    worker.closing(server)
    worker.oneSocket?.forget(server as unknown as net.Server)
  })
  return worker
}

/** Sets up a thread or cluster worker of a worker's program: it drains when the worker drains. */
function followWorker(): void {
  const servers = new Servers()
  const nested = isMainThread ? new Nested() : undefined
  const tell = obey(async (times) => {
    const leaving = servers.listening().map(({ server }) => ({ server, handOver: false }))
    await Promise.all([drainAll(leaving, times), nested?.leave(times)])
  })
  setSupervision({
    take: () => undefined,
    portFor: ({ port }) => port,
    adopted(server, wish) {
      servers.add({ server, wish, id: '' })
      const place = placeOf(server)
      if (place !== undefined) tell(place)
    },
  })
  onClose((server) => servers.delete(server))
}

interface Closing {
  close(this: net.Server, ...args: unknown[]): net.Server
  /** Node 20 and later. */
  [Symbol.asyncDispose](this: net.Server): Promise<void>
}

/** Calls `tell` for each server before the server closes. */
function onClose(tell: (server: ListenableServer) => void): void {
  const prototype = net.Server.prototype as unknown as Closing
  const { close, [Symbol.asyncDispose]: dispose } = prototype
  prototype.close = function (...args): net.Server {
    const server = this as unknown as ListenableServer
    if (closeOnceMore(server, args[0])) return this
    tell(server)
    return Reflect.apply(close, this, args)
  }
  // Node disposes of a closed server without the event 'close'.
  prototype[Symbol.asyncDispose] = async function (): Promise<void> {
    if (isClosedForProgram(this as unknown as ListenableServer)) await promisify(this.close).call(this)
    else await Reflect.apply(dispose, this, [])
  }
}
