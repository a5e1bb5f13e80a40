// The threads and cluster workers of a worker's program: they drain when it does. They have sockets of their own, which no
// supervisor keeps.
import process from 'node:process'
import { BroadcastChannel, isMainThread, threadId, type Worker } from 'node:worker_threads'
import { type Envelope, isEnvelope, type Place, WORKER_NAME } from '../supervisor/protocol.js'
import type { DrainTimes } from './drain-all.js'

interface Order {
  readonly type: 'leave'
  readonly to: readonly number[]
  readonly times: DrainTimes
}

type NestedMessage =
  | Order
  | { readonly type: 'left'; readonly thread: number }
  | { readonly type: 'listening'; readonly thread: number; readonly place: Place }

/** Threads of one process hear each other by this channel; its name says of which worker they are. */
function openChannel(): BroadcastChannel {
  return new BroadcastChannel(`reuseport:${process.env[WORKER_NAME] ?? ''}`)
}

/** Waits for what this process or thread has started itself. */
export class Nested {
  readonly #channel = openChannel()
  /** Those that have a server: nobody waits for one that computes. */
  readonly #threads = new Set<number>()
  #onLeft: (thread: number) => void = () => {}

  /** @param onListening Is told of each server of theirs. */
  constructor(onListening: (place: Place) => void = () => {}) {
    this.#channel.unref()
    this.#channel.onmessage = (event: unknown): void => {
      const message = (event as MessageEvent).data as NestedMessage
      if (message.type === 'left') this.#gone(message.thread)
      if (message.type !== 'listening') return
      this.#threads.add(message.thread)
      onListening(message.place)
    }
    process.on('worker', (worker: Worker) => {
      const thread = worker.threadId
      worker.once('exit', () => this.#gone(thread))
    })
    if (!isMainThread) return
    cluster().on('listening', (_worker, { address, port, addressType }) => {
      onListening({ address: address ?? '::', port, family: addressType === 6 ? 'IPv6' : 'IPv4' })
    })
  }

  #gone(thread: number): void {
    this.#threads.delete(thread)
    this.#onLeft(thread)
  }

  /** Resolves when each of them has drained its servers. */
  async leave(times: DrainTimes): Promise<void> {
    await Promise.all([
      this.#leaveThreads(times),
      ...clusterWorkers().map((worker) => leaveClusterWorker(worker, times)),
    ])
  }

  #leaveThreads(times: DrainTimes): Promise<void> {
    if (this.#threads.size === 0) return Promise.resolve()
    this.#channel.postMessage({ type: 'leave', to: [...this.#threads], times } satisfies Order)
    return new Promise((resolve) => {
      this.#onLeft = () => {
        if (this.#threads.size === 0) resolve()
      }
    })
  }
}

type Cluster = typeof import('node:cluster').default
type ClusterWorker = NonNullable<NonNullable<Cluster['workers']>[string]>

/** Not imported: most programs have none. */
function cluster(): Cluster {
  return process.getBuiltinModule('node:cluster') as unknown as Cluster
}

function clusterWorkers(): readonly ClusterWorker[] {
  return Object.values(cluster().workers ?? {}).filter((worker) => worker !== undefined)
}

function leaveClusterWorker(worker: ClusterWorker, times: DrainTimes): Promise<void> {
  return new Promise((resolve) => {
    if (!worker.isConnected()) {
      resolve()
      return
    }
    worker.once('disconnect', () => resolve())
    ;(worker.process as NodeJS.EventEmitter).on('internalMessage', (message: unknown) => {
      if (isEnvelope(message) && message.body === 'left') resolve()
    })
    worker.process.send({ cmd: 'NODE_REUSEPORT', body: { leave: times } } satisfies Envelope)
  })
}

/** As one of them: drains when it is told. @returns what tells that a server listens. */
export function obey(leave: (times: DrainTimes) => Promise<void>): (place: Place) => void {
  if (!isMainThread) {
    const channel = openChannel()
    channel.unref()
    channel.onmessage = (event: unknown): void => {
      const message = (event as MessageEvent).data as NestedMessage
      if (message.type !== 'leave' || !message.to.includes(threadId)) return
      void leave(message.times).finally(() =>
        channel.postMessage({ type: 'left', thread: threadId } satisfies NestedMessage),
      )
    }
    return (place) => channel.postMessage({ type: 'listening', thread: threadId, place } satisfies NestedMessage)
  }
  // Of a cluster worker its primary hears by cluster.
  if (process.send === undefined || !cluster().isWorker) return () => {}
  ;(process as NodeJS.EventEmitter).on('internalMessage', (message: unknown) => {
    if (!isEnvelope(message)) return
    const { leave: times } = message.body as { readonly leave: DrainTimes }
    void leave(times).finally(() => process.send?.({ cmd: 'NODE_REUSEPORT', body: 'left' } satisfies Envelope))
  })
  return () => {}
}
