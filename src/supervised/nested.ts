// The threads and cluster workers that a worker's program starts: they drain when the worker drains. They have sockets
// of their own, which no supervisor keeps.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { BroadcastChannel, isMainThread, threadId, type Worker } from 'node:worker_threads'
import { isEnvelope, toEnvelope } from '../supervisor/messages.js'
import { leaveTimeout } from '../supervisor/patience.js'
import { type Place, WORKER_NAME } from '../supervisor/protocol.js'
import type { DrainTimes } from './drain-times.js'
import { type NestedMessage, toClusterOrder, toNestedMessage } from './nested-messages.js'

/** The channel between the threads of one process. Its name contains the worker, because workers may be threads too. */
function openChannel(): BroadcastChannel {
  return new BroadcastChannel(`reuseport:${process.env[WORKER_NAME] ?? ''}`)
}

/** The threads and cluster workers that this process has started. */
export class Nested {
  readonly #channel = openChannel()
  /** Threads that have a server. The drain does not wait for a thread without one. */
  readonly #threads = new Set<number>()
  #onLeft: (thread: number) => void = () => {}

  /** @param onListening Called for each server of these threads and cluster workers. */
  constructor(onListening: (place: Place) => void = () => {}) {
    this.#channel.unref()
    this.#channel.onmessage = (event: unknown): void => {
      const message = toNestedMessage((event as MessageEvent).data)
      if (message?.type === 'left') this.#gone(message.thread)
      if (message?.type !== 'listening') return
      this.#threads.add(message.thread)
      onListening(message.place)
    }
    process.on('worker', (worker: Worker) => {
      const thread = worker.threadId
      worker.once('exit', () => this.#gone(thread))
    })
    if (!isMainThread) return
    cluster().on('listening', (_worker, { address, port, addressType }) => {
      // A path is that of this process, which shares it, where the cluster hands out the connections (round robin).
      if (addressType !== -1)
        onListening({ address: address ?? '::', port, family: addressType === 6 ? 'IPv6' : 'IPv4' })
    })
  }

  #gone(thread: number): void {
    this.#threads.delete(thread)
    this.#onLeft(thread)
  }

  /** Resolves when each thread and cluster worker has drained its servers. */
  async leave(times: DrainTimes): Promise<void> {
    const all = [this.#leaveThreads(times), ...clusterWorkers().map((worker) => leaveClusterWorker(worker, times))]
    // For those that stand still.
    const late = new AbortController()
    await Promise.race([Promise.all(all), sleep(leaveTimeout(times), undefined, { signal: late.signal, ref: false })])
    late.abort()
  }

  #leaveThreads(times: DrainTimes): Promise<void> {
    if (this.#threads.size === 0) return Promise.resolve()
    this.#channel.postMessage({ type: 'leave', to: [...this.#threads], times } satisfies NestedMessage)
    return new Promise((resolve) => {
      this.#onLeft = () => {
        if (this.#threads.size === 0) resolve()
      }
    })
  }
}

type Cluster = typeof import('node:cluster').default
type ClusterWorker = NonNullable<NonNullable<Cluster['workers']>[string]>

/** Not a static import: most programs do not use cluster. */
function cluster(): Cluster {
  return process.getBuiltinModule('node:cluster') as unknown as Cluster
}

export function isClusterWorker(): boolean {
  return isMainThread && process.send !== undefined && cluster().isWorker
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
      if (isEnvelope(message) && message['body'] === 'left') resolve()
    })
    worker.process.send(toEnvelope({ leave: times }))
  })
}

/** Makes a nested thread or cluster worker leave when its parent says so. @returns a function that reports a server. */
export function obey(leave: (times: DrainTimes) => Promise<void>): (place: Place) => void {
  if (!isMainThread) {
    const channel = openChannel()
    channel.unref()
    channel.onmessage = (event: unknown): void => {
      const message = toNestedMessage((event as MessageEvent).data)
      if (message?.type !== 'leave' || !message.to.includes(threadId)) return
      void leave(message.times).finally(() =>
        channel.postMessage({ type: 'left', thread: threadId } satisfies NestedMessage),
      )
    }
    return (place) => channel.postMessage({ type: 'listening', thread: threadId, place } satisfies NestedMessage)
  }
  // In a cluster worker no report is needed: the primary gets the event 'listening' of cluster.
  if (!isClusterWorker()) return () => {}
  ;(process as NodeJS.EventEmitter).on('internalMessage', (message: unknown) => {
    const times = isEnvelope(message) ? toClusterOrder(message['body']) : undefined
    if (times === undefined) return
    void leave(times).finally(() => process.send?.(toEnvelope('left')))
  })
  return () => {}
}
