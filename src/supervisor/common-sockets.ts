import type { Kept } from './kept-socket.js'
import { type FromWorker, wishKey } from './protocol.js'
import type { RunningWorker } from './running-worker.js'

/** A worker that waits for a socket. */
interface Asker {
  readonly worker: RunningWorker
  /** Number of the worker's request; the answer repeats it. */
  readonly want: number
}

interface Entry {
  kept: Kept | undefined
  /** The worker that was told to open the socket. */
  opener: RunningWorker | undefined
  askers: Asker[]
}

/**
 * Sockets that all workers accept from: sockets that another process (such as systemd) has opened, and, where all
 * workers accept from one socket, sockets that the first worker to ask has opened.
 */
export class CommonSockets {
  readonly #sockets: Kept[] = []
  readonly #entries = new Map<string, Entry>()

  get ids(): readonly string[] {
    return this.all.map(({ id }) => id)
  }

  get all(): readonly Kept[] {
    return this.#sockets
  }

  get given(): readonly Kept[] {
    return this.#sockets.filter(({ isGiven }) => isGiven)
  }

  give(kept: Kept): void {
    this.#sockets.push(kept)
  }

  closeAll(): void {
    for (const kept of this.#sockets.splice(0)) kept.close()
  }

  hear(worker: RunningWorker, message: FromWorker & { readonly type: 'want' | 'not-opened' }): void {
    const entry = this.#entryFor(wishKey(message.wish))
    if (message.type === 'want') entry.askers.push({ worker, want: message.want })
    else if (entry.opener === worker) entry.opener = undefined
    serve(entry)
  }

  /** A worker has opened this socket: the workers that asked for it get it. */
  opened(kept: Kept): void {
    this.#sockets.push(kept)
    const entry = this.#entryFor(wishKey(kept.wish))
    entry.kept = kept
    entry.opener = undefined
    serve(entry)
  }

  /** The program has closed this socket in all workers. A given socket stays. */
  closed(id: string): void {
    const kept = this.#sockets.find((socket) => socket.id === id && !socket.isGiven)
    if (kept === undefined) return
    this.#sockets.splice(this.#sockets.indexOf(kept), 1)
    this.#entries.delete(wishKey(kept.wish))
    kept.close()
  }

  gone(worker: RunningWorker): void {
    for (const entry of this.#entries.values()) {
      entry.askers = entry.askers.filter((asker) => asker.worker !== worker)
      if (entry.opener === worker) entry.opener = undefined
      serve(entry)
    }
  }

  #entryFor(key: string): Entry {
    const entry = this.#entries.get(key) ?? { kept: undefined, opener: undefined, askers: [] }
    this.#entries.set(key, entry)
    return entry
  }
}

function serve(entry: Entry): void {
  const { kept } = entry
  if (kept === undefined) {
    if (entry.opener !== undefined) return
    const next = entry.askers.shift()
    entry.opener = next?.worker
    next?.worker.send({ type: 'open', want: next.want })
    return
  }
  for (const { worker, want } of entry.askers.splice(0)) {
    const fd = worker.threadId === undefined ? undefined : kept.fd
    worker.send({ type: 'take', id: kept.id, want, fd }, fd === undefined ? kept.handle : undefined)
  }
}
