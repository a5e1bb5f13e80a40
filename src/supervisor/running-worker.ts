import type { WorkerFailure } from './errors.js'
import type { Kept } from './kept-socket.js'
import { closeHandle, keepDescriptor, keepHandle } from './kept-socket.js'
import type { Launch, Launched, Program, WorkerExit, WorkerListeners } from './launch.js'
import { PROGRAM } from './patience.js'
import type { FromWorker, Listening, Place, ToWorker, WorkerConfiguration } from './protocol.js'

export type WorkerState = 'starting' | 'ready' | 'leaving' | 'gone'

/** @internal */
export interface WorkerPlan {
  readonly slot: number
  readonly generation: number
  readonly program: Program
  readonly configuration: Omit<WorkerConfiguration, 'sockets'>
  /** Sockets that the supervisor holds for this worker: those of the slot, and given ones. */
  readonly sockets: readonly Kept[]
}

/** @internal */
export interface WorkerEvents {
  /** `kept`: the socket, where the supervisor did not hold it before. */
  onListening(worker: RunningWorker, listening: Listening, kept: Kept | undefined): void
  onNested(worker: RunningWorker, place: Place): void
  onClosed(worker: RunningWorker, id: string): void
  onRelieve(worker: RunningWorker, signal: string): void
  onWant(worker: RunningWorker, message: FromWorker & { readonly type: 'want' | 'not-opened' }): void
  onLeft(worker: RunningWorker, left: FromWorker & { readonly type: 'left' }): void
  onOutput(worker: RunningWorker, ...output: Parameters<WorkerListeners['onOutput']>): void
  onProgramMessage(worker: RunningWorker, message: unknown): void
  onRefusedMessage(worker: RunningWorker, reason: string): void
  onDisconnect(worker: RunningWorker): void
  onExit(worker: RunningWorker, exit: WorkerExit): void
}

/** ms for the answer to the message `release`. */
const RELEASES = 1000

/** The most sockets that a worker may have. */
const MOST_SOCKETS = 4096

/** @internal A process or thread that runs the program, from its start to its end. */
export class RunningWorker {
  readonly slot: number
  readonly generation: number
  readonly name: string
  readonly startedAt: Date = new Date()
  /** Ids of the sockets that the worker accepts from. */
  readonly claimed: Set<string> = new Set()
  readonly exited: Promise<WorkerExit>
  readonly #launched: Launched
  #state: WorkerState = 'starting'
  #readyAt: number | undefined
  #goneAt: number | undefined
  #saidReady = false
  #hasNested = false
  #wasTold = false
  #changed: () => void = () => {}
  #onLeft: () => void = () => {}
  #onReleased: (ids: readonly string[]) => void = () => {}

  constructor(launch: Launch, plan: WorkerPlan, events: WorkerEvents) {
    const { slot, generation, program, configuration, sockets } = plan
    this.slot = slot
    this.generation = generation
    this.name = configuration.worker
    let ended: (exit: WorkerExit) => void
    this.exited = new Promise((resolve) => {
      ended = resolve
    })
    this.#launched = launch(program, configuration, sockets, {
      onMessage: (message, handle) => this.#hear(message, handle, events),
      onRefusedMessage: (reason) => events.onRefusedMessage(this, reason),
      onProgramMessage: (message) => {
        if (message === 'ready') this.#saidReady = true
        this.#changed()
        events.onProgramMessage(this, message)
      },
      onOutput: (...output) => events.onOutput(this, ...output),
      onDisconnect: () => events.onDisconnect(this),
      onExit: (exit) => {
        this.#state = 'gone'
        this.#goneAt = performance.now()
        ended(exit)
        this.#changed()
        events.onExit(this, exit)
      },
    })
  }

  get pid(): number {
    return this.#launched.pid
  }

  get threadId(): number | undefined {
    return this.#launched.threadId
  }

  get state(): WorkerState {
    return this.#state
  }

  /** Whether the supervisor told the worker to end. */
  get wasTold(): boolean {
    return this.#wasTold
  }

  /** ms from ready to the end of the worker, or to now; undefined where the worker was never ready. */
  get upTime(): number | undefined {
    return this.#readyAt === undefined ? undefined : (this.#goneAt ?? performance.now()) - this.#readyAt
  }

  get isConnected(): boolean {
    return this.#launched.isConnected()
  }

  #hear(message: FromWorker, handle: unknown, events: WorkerEvents): void {
    switch (message.type) {
      case 'listening': {
        if (this.claimed.size >= MOST_SOCKETS) {
          closeHandle(handle)
          events.onRefusedMessage(this, `it claims more than ${MOST_SOCKETS} sockets`)
          break
        }
        const { fd } = message
        const isThread = this.threadId !== undefined
        // A number of a process means nothing here.
        const kept = isThread && fd !== undefined ? keepDescriptor(message, fd) : keepHandle(message, handle)
        this.claimed.add(message.id)
        events.onListening(this, message, kept)
        this.#changed()
        break
      }
      case 'nested':
        this.#hasNested = true
        events.onNested(this, message)
        this.#changed()
        break
      case 'released':
        this.#onReleased(message.ids)
        break
      case 'closed':
        this.claimed.delete(message.id)
        events.onClosed(this, message.id)
        break
      case 'relieve':
        events.onRelieve(this, message.signal)
        break
      case 'left':
        this.#onLeft()
        events.onLeft(this, message)
        break
      case 'want':
      case 'not-opened':
        events.onWant(this, message)
        break
    }
  }

  /**
   * Resolves when the worker listens on each of the `required` sockets (or, where none is named, on any socket), or
   * when its program sends 'ready'. After `timeout` ms any listening socket is enough.
   *
   * @returns 'ready', or why the worker is not ready.
   */
  async ready(required: readonly string[], timeout: number, signal: AbortSignal): Promise<'ready' | WorkerFailure> {
    const isReady = (): boolean => this.#saidReady || (this.#listens && required.every((id) => this.claimed.has(id)))
    let timer: NodeJS.Timeout | undefined
    let isLate = false
    const heard = new AbortController()
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (isReady() || isLate || this.#state === 'gone' || signal.aborted) resolve()
      }
      this.#changed = look
      signal.addEventListener('abort', look, { once: true, signal: heard.signal })
      timer = setTimeout(() => {
        isLate = true
        look()
      }, timeout)
      look()
    })
    clearTimeout(timer)
    heard.abort()
    this.#changed = () => {}
    if (this.state === 'gone') return { why: 'exited', exit: await this.exited }
    if (signal.aborted) return { why: 'stopped' }
    if (!isReady() && !this.#listens) return { why: 'late', timeout }
    this.#state = 'ready'
    this.#readyAt = performance.now()
    return 'ready'
  }

  get #listens(): boolean {
    return this.claimed.size > 0 || this.#hasNested
  }

  send(message: ToWorker, handle?: object): void {
    if (this.#state !== 'gone') this.#launched.send(message, handle)
  }

  /** Tells the worker to close sockets that it has not taken. @returns the closed ones; all `ids` without an answer. */
  async release(ids: readonly string[]): Promise<readonly string[]> {
    if (ids.length === 0 || !this.isConnected) return ids
    let timer: NodeJS.Timeout | undefined
    const released = await new Promise<readonly string[]>((resolve) => {
      this.#onReleased = (all) => resolve(ids.filter((id) => all.includes(id)))
      timer = setTimeout(resolve, RELEASES, ids)
      this.send({ type: 'release', ids })
    })
    clearTimeout(timer)
    return released
  }

  /**
   * Tells the worker to drain, to hand the sockets `kept` over and to end. Kills the worker if it still runs after
   * `timeout` ms.
   *
   * @returns whether the worker ended in time.
   */
  async leave(kept: readonly string[], timeout: number): Promise<boolean> {
    if (this.#state === 'gone') return true
    this.#state = 'leaving'
    this.#wasTold = true
    if (this.isConnected) this.send({ type: 'leave', kept })
    else this.#launched.terminate()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, timeout, 'late')
      // What is left then is the program's own to do.
      this.#onLeft = () => {
        clearTimeout(timer)
        timer = setTimeout(resolve, PROGRAM, 'late')
      }
    })
    const outcome = await Promise.race([this.exited, late])
    this.#onLeft = () => {}
    clearTimeout(timer)
    if (outcome !== 'late') return true
    this.kill()
    await this.exited
    return false
  }

  kill(): void {
    this.#wasTold = true
    if (this.#state !== 'gone') this.#launched.kill()
  }
}
