// Keeps the sockets of the workers of a program that starts them itself, so that each of them can accept from every queue.
import type { ChildProcess } from 'node:child_process'
import type { Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import { closeHandle } from '../common/close-handle.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { emptyQueue } from './emptied-queue.js'
import { JoinCounts } from './join-counts.js'
import { type ChildListeners, KeptChild } from './kept-child.js'
import { isOwned, type KeptOf, statusOf, toQueue } from './kept-of-child.js'
import { keepHandle } from './kept-socket.js'
import { time } from './option-values.js'
import { type FromWorker, type Listening, wishKey } from './protocol.js'
import { type JoiningSource, QueueJoining } from './queue-joining.js'
import type { QueueKeeperEvents, QueueKeeperOptions, QueueKeeperStatus } from './queue-keeper-types.js'

/** The most sockets that a worker may have. */
const MOST_SOCKETS = 256
const KEEP_TIMEOUT = 30_000

/**
 * For the primary of a program that starts its workers itself, with `child_process.fork` or `cluster.fork`. Holds a
 * duplicate of each socket that a worker listens on by `listenKept`, and never accepts from it. Where connections wait in
 * the queue of a worker that is busy, stands still or has died, other workers accept from it for a while. Closed by
 * `close()`. Does not keep the process running. Linux; elsewhere it does nothing.
 *
 * ```js
 * const keeper = new QueueKeeper()
 * keeper.add(cluster.fork())
 * ```
 *
 * Thrown: `ERR_INVALID_ARG_VALUE` and `ERR_REUSEPORT_UNKNOWN_OPTION` for options.
 */
export class QueueKeeper extends EventEmitter<QueueKeeperEvents> implements Disposable {
  readonly #keepTimeout: number
  readonly #children = new WeakSet<ChildProcess>()
  readonly #workers = new Set<KeptChild>()
  readonly #sockets = new Map<string, KeptOf>()
  readonly #counts = new JoinCounts()
  readonly #joining: QueueJoining<KeptChild> | undefined
  /** One warning each is enough of what a process sends. */
  readonly #warnedOf = new WeakSet<KeptChild>()
  #added = 0
  #isClosed = false

  constructor(options: QueueKeeperOptions = {}) {
    super()
    refuseUnknownOptions(options, ['keepTimeout'])
    this.#keepTimeout = time(options, 'keepTimeout', KEEP_TIMEOUT)
    this.#joining = QueueJoining.open(this.#source(), this.#counts, (warning) => {
      process.nextTick(() => this.emit('warning', warning))
    })
  }

  /**
   * The servers of this worker that listen by `listenKept` from now on are kept. Call it in the turn in which the worker is
   * started. It may end at any time.
   *
   * @throws ERR_INVALID_ARG_TYPE for a process without an IPC channel.
   */
  add(worker: ChildProcess | Worker): void {
    const child = 'process' in worker ? worker.process : worker
    if (typeof child.send !== 'function') {
      const error = new TypeError('The worker must be a child process with an IPC channel, or a worker of cluster')
      throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
    }
    // Without a pid nothing was started.
    if (child.pid === undefined || child.exitCode !== null || this.#children.has(child)) return
    this.#children.add(child)
    this.#workers.add(new KeptChild(child, child.pid, `${child.pid}.${this.#added++}`, this.#listeners()))
  }

  status(): QueueKeeperStatus {
    return statusOf([...this.#workers], [...this.#sockets.values()], this.#counts)
  }

  /** Workers accept from their own queues alone from now on, and no socket is kept. What waits for a worker that has died is lost. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const socket of [...this.#sockets.values()]) this.#close(socket)
    this.#joining?.close()
  }

  /** The same as `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close()
  }

  #source(): JoiningSource<KeptChild> {
    return {
      queues: () => [...this.#sockets.values()].filter(({ state }) => state !== 'parting').map(toQueue),
      hosts: () => [...this.#workers].filter(({ isReachable }) => isReachable),
      onGuest: ({ pid }, { kept: { address, family, port }, slot }, accepted) => {
        const queue = { of: slot, address, family, port }
        if (accepted === undefined) this.emit('queue:join', pid, queue)
        else this.emit('queue:part', pid, { ...queue, accepted })
      },
    }
  }

  #listeners(): ChildListeners {
    return {
      onMessage: (worker, message, handle) => this.#hear(worker, message, handle),
      onRefused: (worker, reason) => this.#refuse(worker, reason),
      // It parts by itself.
      onDisconnect: ({ name }) => this.#joining?.leaves(name, true),
      onExit: (worker) => {
        this.#workers.delete(worker)
        this.#joining?.leaves(worker.name, true)
        this.#counts.gone(worker.name)
        for (const socket of this.#sockets.values()) if (socket.worker === worker && isOwned(socket)) this.#wait(socket)
      },
    }
  }

  #hear(worker: KeptChild, message: FromWorker, handle: unknown): void {
    if (message.type === 'listening') this.#listening(worker, message, handle)
    else if (message.type === 'want') this.#give(worker, message)
    else if (message.type === 'closed' || message.type === 'drains') void this.#end(worker, message)
    else if (message.type === 'released') {
      for (const socket of message.ids.flatMap((id) => this.#of(worker, id) ?? [])) this.#wait(socket)
    } else if (message.type === 'joined' || message.type === 'parted' || message.type === 'visits')
      this.#joining?.hear(worker, message)
    else this.#refuse(worker, `a keeper has nothing to do with '${message.type}'`)
  }

  /** @returns the socket, where this worker is the one that accepts from it, or was the last one. */
  #of(worker: KeptChild, id: string): KeptOf | undefined {
    const socket = this.#sockets.get(id)
    return socket?.worker === worker && socket.state !== 'parting' ? socket : undefined
  }

  #listening(worker: KeptChild, message: Listening, handle: unknown): void {
    const known = this.#sockets.get(message.id)
    if (known !== undefined || this.#isClosed) {
      closeHandle(handle)
      if (known?.worker === worker && known.state === 'taken') known.state = 'accepted'
      else if (!this.#isClosed) this.#refuse(worker, 'it names a socket that the keeper has already')
      return
    }
    const count = [...this.#sockets.values()].filter((socket) => socket.worker === worker).length
    if (count >= MOST_SOCKETS) {
      closeHandle(handle)
      this.#refuse(worker, `it claims more than ${MOST_SOCKETS} sockets`)
      return
    }
    const kept = keepHandle(message, handle)
    if (kept === undefined) {
      this.#refuse(worker, `the socket of port ${message.port} is missing`)
      return
    }
    const socket: KeptOf = { kept, worker, state: 'accepted', timer: undefined }
    this.#sockets.set(kept.id, socket)
    // What a process has sent is heard after its end.
    if (worker.isGone) this.#wait(socket)
    this.#joining?.changed()
  }

  #give(worker: KeptChild, { want, wish }: FromWorker & { readonly type: 'want' }): void {
    const key = wishKey(wish)
    const socket = [...this.#sockets.values()].find(
      ({ kept, state }) => state === 'waiting' && wishKey(kept.wish) === key,
    )
    if (socket === undefined || !worker.isReachable) {
      worker.send({ type: 'open', want })
      return
    }
    clearTimeout(socket.timer)
    Object.assign(socket, { worker, state: 'taken' })
    worker.sendSocket({ type: 'take', id: socket.kept.id, want }, socket.kept, () => {
      if (socket.worker === worker && socket.state === 'taken') this.#wait(socket)
    })
    this.#joining?.changed()
  }

  #wait(socket: KeptOf): void {
    if (this.#isClosed) return
    clearTimeout(socket.timer)
    socket.state = 'waiting'
    socket.timer = setTimeout(() => void this.#expire(socket), this.#keepTimeout).unref()
    this.#joining?.changed()
  }

  async #expire(socket: KeptOf): Promise<void> {
    socket.state = 'emptying'
    await emptyQueue(socket.kept, () => socket.state !== 'emptying')
    if (socket.state === 'emptying') await this.#part(socket)
  }

  /** The worker has closed its server, or is about to drain it: then it has to be the only one that has the socket. */
  async #end(worker: KeptChild, { id, type }: FromWorker & { readonly type: 'closed' | 'drains' }): Promise<void> {
    const socket = this.#of(worker, id)
    if (socket !== undefined) await this.#part(socket)
    if (type === 'drains') worker.send({ type: 'yours', id })
  }

  async #part(socket: KeptOf): Promise<void> {
    clearTimeout(socket.timer)
    socket.state = 'parting'
    this.#joining?.changed()
    await this.#joining?.part([socket.kept.id])
    this.#close(socket)
  }

  #close(socket: KeptOf): void {
    clearTimeout(socket.timer)
    socket.state = 'parting'
    // The watch looks at a descriptor by its number.
    if (this.#sockets.delete(socket.kept.id)) this.#joining?.closing(socket.kept)
    this.#counts.removed(socket.kept.id)
    socket.kept.close()
  }

  #refuse(worker: KeptChild, reason: string): void {
    if (this.#warnedOf.has(worker)) return
    this.#warnedOf.add(worker)
    this.emit('warning', `process ${worker.pid} sent a message that is refused: ${reason}`)
  }
}
