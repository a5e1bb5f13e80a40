import { fstatSync } from 'node:fs'
import { publishJoin, publishPart } from './channels.js'
import type { SupervisorStatus } from './control-protocol.js'
import type { WorkerInfo } from './events.js'
import type { QueueNumbers } from './join-counts.js'
import type { AnyKept, Kept } from './kept-socket.js'
import type { JoiningSource } from './queue-joining.js'
import type { Emit } from './restart.js'
import type { RunningWorker } from './running-worker.js'

export function describe(worker: RunningWorker): WorkerInfo {
  const { slot, pid, threadId, generation, state, startedAt } = worker
  return { slot, pid, threadId, generation, state, startedAt }
}

export interface Known {
  readonly sockets: {
    acceptedBy(worker: RunningWorker): readonly Kept[]
    pathsOf(worker: RunningWorker): readonly string[]
    numbersOf(worker: RunningWorker): QueueNumbers
  }
  readonly balancing: { passedOn(worker: RunningWorker): number | undefined }
}

/** The status of a worker, for JSON. */
export function toStatus(worker: RunningWorker, { balancing, sockets }: Known): SupervisorStatus['workers'][number] {
  const numbers = sockets.numbersOf(worker)
  const paths = sockets.pathsOf(worker)
  const passedOn = balancing.passedOn(worker)
  const { threadId, startedAt, ...info } = describe(worker)
  return {
    ...info,
    ...(threadId !== undefined && { threadId }),
    startedAt: startedAt.toISOString(),
    sockets: sockets.acceptedBy(worker).map(({ fd }) => fstatSync(fd).ino),
    ...numbers,
    stood: Math.round(numbers.stood),
    ...(paths.length > 0 && { paths }),
    ...(passedOn !== undefined && { passedOn }),
  }
}

/** The status of a supervisor, for JSON. */
export function statusOf(
  { startedAt, ...own }: Pick<SupervisorStatus, 'pid' | 'script' | 'state' | 'generation'> & { startedAt: Date },
  pool: Known & { readonly alive: readonly RunningWorker[] },
): SupervisorStatus {
  const { alive } = pool
  const workers = alive.map((worker) => toStatus(worker, pool))
  return { ...own, startedAt: startedAt.toISOString(), workers, places: placesOf(alive, pool) }
}

/** The ports on which workers listen, each once. Those that only threads and cluster workers of programs have come last. */
function placesOf(workers: readonly RunningWorker[], { sockets }: Known): NonNullable<SupervisorStatus['places']> {
  const kept = workers
    .flatMap((worker) => sockets.acceptedBy(worker))
    .map(({ address, port, wish }) => {
      return { protocol: wish.datagram === undefined ? 'tcp' : 'udp', address, port } as const
    })
  const nested = workers.flatMap((worker) => worker.nested)
  const all = [...kept, ...nested.map(({ address, port }) => ({ protocol: 'tcp', address, port }) as const)]
  return [...new Map(all.map((place) => [Object.values(place).join(' '), place])).values()]
}

/** Tells that the worker listens on the path of this socket. */
export function tellPath(worker: RunningWorker, id: string, { kept }: Paths, emit: Emit): void {
  const found = kept(id)
  if (found !== undefined && 'path' in found) emit('worker:path', describe(worker), found.path)
}

interface Paths {
  kept(id: string): AnyKept | undefined
}

/** @returns what is told of each worker that joins a queue or parts. */
export function guestTeller(emit: Emit): JoiningSource<RunningWorker>['onGuest'] {
  return (guest, { kept, slot }, accepted) => {
    const { address, family, port } = kept
    const worker = describe(guest)
    const queue = { of: slot, address, family, port }
    if (accepted === undefined) {
      emit('queue:join', worker, queue)
      publishJoin(() => ({ worker, ...queue }))
    } else {
      emit('queue:part', worker, { ...queue, accepted })
      publishPart(() => ({ worker, ...queue, accepted }))
    }
  }
}

type Named = Pick<RunningWorker, 'slot' | 'pid'>

/**
 * A worker that can be reached says that it has drained within the time that drains have, unless its event loop does not turn.
 *
 * @param told When it was told to leave, as of `performance.now()`, and whether by a message.
 */
export function lateText(
  { pid, slot, hasLeft }: Named & Pick<RunningWorker, 'hasLeft'>,
  told: { readonly at: number; readonly isConnected: boolean },
): string {
  const waited = ((performance.now() - told.at) / 1000).toFixed(1)
  const name = `worker ${slot} (${pid})`
  if (told.isConnected && !hasLeft)
    return `${name} hung: told to leave, it did not answer for ${waited} s, and was killed with its connections`
  return `${name} did not end within ${waited} s and was killed`
}

export function closedText({ pid, slot }: Named): string {
  return `worker ${slot} (${pid}) has closed its IPC channel: only SIGTERM can make it drain`
}

export function notKeptText({ slot }: Named, port: number): string {
  return `cannot keep the socket of worker ${slot} on port ${port}: its accept queue is lost if the worker dies`
}

/** Tells of a message that is refused; one warning is enough of what a program sends. */
export function refusalTeller(emit: Emit): (worker: RunningWorker, reason: string) => void {
  const warnedOf = new WeakSet<RunningWorker>()
  return (worker, reason) => {
    const { pid, slot } = worker
    if (!warnedOf.has(worker)) emit('warning', `worker ${slot} (${pid}) sent a message that is refused: ${reason}`)
    warnedOf.add(worker)
  }
}
