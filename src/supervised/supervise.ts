// Room: the worker's side of a supervisor: it runs inside the program that `reuseport run` starts. It imports what
// users import, the addon, and the protocol of the supervisor.
import type net from 'node:net'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { SignalCount } from '../common/ending-signals.js'
import { setSupervision } from '../listen/supervision.js'
import { WORKER_NAME } from '../supervisor/protocol.js'
import { withCompileCache } from './compile-cache.js'
import { drainAll } from './drain-all.js'
import type { DrainTimes } from './drain-times.js'
import { type Link, linkToSupervisor } from './link.js'
import { isClusterWorker, Nested, obey } from './nested.js'
import { onClose } from './on-close.js'
import { placeOf, Servers } from './servers.js'
import { EndingSignals } from './signals.js'
import { SupervisedWorker } from './worker.js'

/** Connects this process or thread to its supervisor. @returns undefined where no supervisor started it directly. */
export function supervise(): SupervisedWorker | undefined {
  const link = linkToSupervisor()
  if (link !== undefined) return superviseThis(withCompileCache(link))
  if (process.env[WORKER_NAME] !== undefined) followWorker()
  return undefined
}

function superviseThis(link: Link): SupervisedWorker {
  process.env[WORKER_NAME] = link.configuration.worker
  const worker = new SupervisedWorker(link, new Nested((place) => link.send({ type: 'nested', ...place })))
  onClose((server) => {
    worker.closing(server)
    worker.common.forget(server as unknown as net.Server)
  })
  return worker
}

/** Sets up a thread or cluster worker of a worker's program: it drains when the worker drains. */
function followWorker(): void {
  const servers = new Servers()
  const nested = isMainThread ? new Nested() : undefined
  let drained: Promise<unknown> | undefined
  const leave = async (times: DrainTimes): Promise<void> => {
    const leaving = servers.listening().map(({ server }) => ({ server, handOver: false }))
    drained ??= Promise.all([drainAll(leaving, times), nested?.leave(times)])
    await drained
  }
  const tell = obey(leave)
  if (isClusterWorker()) drainAtSignal(() => leave(DEFAULT_TIMES))
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

/** Those of `drain`: the supervisor's own come with its order, which a signal may precede. */
const DEFAULT_TIMES: DrainTimes = { grace: 50, drainTimeout: 10_000 }

/** Of a cluster worker: a signal that is sent to each process of a tree ends it when its servers have drained. */
function drainAtSignal(leave: () => Promise<void>): void {
  const heard = new SignalCount(() => performance.now())
  const signals = new EndingSignals(
    (signal) => {
      const wish = heard.hear()
      if (wish === 'at once') signals.pass(signal, false)
      else if (wish === 'first') void leave().finally(() => signals.pass(signal, false))
    },
    () => {},
  )
}
