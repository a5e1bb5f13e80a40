import { setTimeout as sleep } from 'node:timers/promises'
import { closeHandle } from '../common/close-handle.js'
import type { EndingSignal } from '../common/ending-signals.js'
import type { WorkerFailure } from './errors.js'
import type { WorkerState } from './events.js'
import type { KillCause } from './exit-cause.js'
import { type AnyKept, keepDescriptor, keepHandle } from './kept-socket.js'
import type { Launch, Launched, WorkerExit } from './launch.js'
import { PROGRAM } from './patience.js'
import { type FromWorker, localOf, type Place, type ToWorker } from './protocol.js'
import { ANSWERS, Questions } from './questions.js'
import type { Readiness, WorkerEvents, WorkerPlan } from './worker-events.js'

const [MOST_SOCKETS, MOST_NESTED] = [4096, 64] // of a worker

/** @internal A process or thread that runs the program, from its start to its end. */
export class RunningWorker {
  readonly slot: number
  readonly generation: number
  readonly name: string
  readonly startedAt: Date = new Date()
  readonly exited: Promise<WorkerExit>
  /** Why the supervisor has ended the worker at once; undefined where it has not. */
  killedFor: KillCause | undefined
  readonly #launched: Launched
  #state: WorkerState = 'starting'
  #readyAt: number | undefined
  #goneAt: number | undefined
  #wasTold = false
  #hasLeft = false
  #changed: () => void = () => {}
  #onLeft: () => void = () => {}
  readonly questions: Questions
  #sockets = 0
  /** Where threads and cluster workers of the program have listened. */
  readonly nested: Place[] = []

  constructor(launch: Launch, plan: WorkerPlan, events: WorkerEvents<RunningWorker>) {
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
        events.onProgramMessage(this, message)
        this.#changed()
      },
      onOutput: (...output) => events.onOutput(this, ...output),
      onDisconnect: () => events.onDisconnect(this),
      onExit: (exit) => {
        this.#state = 'gone'
        this.#goneAt = performance.now()
        ended(exit)
        this.questions.end()
        events.onExit(this, exit)
        this.#changed()
      },
    })
    const isOpen = (): boolean => this.#state !== 'gone' && this.isConnected
    this.questions = new Questions((...message) => this.send(...message), isOpen, this.threadId !== undefined)
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

  /** Whether the worker has said that it has drained its servers. */
  get hasLeft(): boolean {
    return this.#hasLeft
  }

  /** ms from ready to the end of the worker, or to now; undefined where the worker was never ready. */
  get upTime(): number | undefined {
    return this.#readyAt === undefined ? undefined : (this.#goneAt ?? performance.now()) - this.#readyAt
  }

  get isConnected(): boolean {
    return this.#launched.isConnected()
  }

  #hear(message: FromWorker, handle: unknown, events: WorkerEvents<RunningWorker>): void {
    switch (message.type) {
      case 'listening': {
        if (this.#sockets >= MOST_SOCKETS) {
          closeHandle(handle)
          events.onRefusedMessage(this, `it claims more than ${MOST_SOCKETS} sockets`)
          break
        }
        this.#sockets++
        // A number of a process means nothing here.
        const fd = this.threadId === undefined ? undefined : message.fd
        const kept = fd === undefined ? keepHandle(message, handle) : keepDescriptor(message, fd)
        events.onListening(this, message, kept)
        this.#changed()
        break
      }
      case 'nested':
        if (this.nested.length < MOST_NESTED) this.nested.push(message)
        events.onNested(this, message)
        this.#changed()
        break
      case 'released':
      case 'took-back':
      case 'vitals':
        this.questions.hear(message)
        break
      case 'closed':
      case 'listens':
        if (message.type === 'closed') this.#sockets = Math.max(0, this.#sockets - 1)
        events.onAboutSocket(this, message)
        this.#changed()
        break
      case 'relieve':
        events.onRelieve(this, message.signal)
        break
      case 'left':
        this.#hasLeft = true
        this.#onLeft()
        events.onLeft(this, message)
        break
      case 'connections':
      case 'pass':
      case 'served':
        events.onBalance(this, message, handle)
        break
      default:
        events.onAboutSocket(this, message)
    }
  }

  /**
   * Waits until the worker is ready and says so again when it is asked: a program that looks whether its port is free
   * closes its first server at once. After `timeout` ms it is enough that the worker accepts anywhere.
   *
   * @returns 'ready', or why the worker is not ready.
   */
  async ready(look: Readiness, timeout: number, signal: AbortSignal): Promise<'ready' | WorkerFailure> {
    let isLate = false
    let timer: NodeJS.Timeout | undefined
    const heard = new AbortController()
    const isEnough = (): boolean => look.isReady() || (isLate && look.accepts())
    const isEnded = (): boolean => this.state === 'gone' || signal.aborted
    const isOver = (): boolean => isLate || isEnded()
    try {
      signal.addEventListener('abort', () => this.#changed(), { once: true, signal: heard.signal })
      timer = setTimeout(() => {
        isLate = true
        this.#changed()
      }, timeout)
      do {
        await this.#until(() => isEnough() || isOver())
        if (isEnough() && this.state !== 'gone' && !signal.aborted)
          await Promise.race([look.confirm(), sleep(ANSWERS, undefined, { ref: false }), this.#until(isEnded)])
      } while (!(isEnough() || isOver()))
    } finally {
      clearTimeout(timer)
      heard.abort()
    }
    if (this.state === 'gone') return { why: 'exited', exit: await this.exited }
    if (signal.aborted) return { why: 'stopped' }
    if (!isEnough()) this.killedFor = 'not-ready'
    if (!isEnough()) return { why: 'late', timeout }
    this.#state = 'ready'
    this.#readyAt = performance.now()
    return 'ready'
  }

  /** Resolves when something has changed that makes `holds` true. */
  async #until(holds: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#changed = () => {
        if (holds()) resolve()
      }
      this.#changed()
    })
    this.#changed = () => {}
  }

  /** @param then Called when the message is written or cannot be; not called where the worker ends before. */
  send(message: ToWorker, handle?: object, then?: () => void): void {
    if (this.#state !== 'gone') this.#launched.send(message, handle, then)
  }

  /** Sends a socket that the supervisor keeps. A thread has the same descriptors. */
  sendSocket(message: ToWorker & { readonly type: 'take' | 'join' }, kept: AnyKept): void {
    if (this.threadId === undefined) this.send(message, kept.handle)
    else this.send({ ...message, local: localOf(kept) })
  }

  /**
   * Tells the worker to drain, to hand the sockets `kept` over and to end. Kills the worker if it still runs after
   * `timeout` ms.
   *
   * @returns whether the worker ended in time.
   */
  async leave(kept: readonly string[], timeout: number, signal: EndingSignal = 'SIGTERM'): Promise<boolean> {
    if (this.#state === 'gone') return true
    this.#state = 'leaving'
    this.#wasTold = true
    if (this.isConnected) this.send({ type: 'leave', kept, signal })
    else this.#launched.terminate(signal)
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
    this.killedFor = 'late'
    this.kill()
    await this.exited
    return false
  }

  /** Ends a worker that hangs. Nobody has told it to end. */
  abort(): void {
    this.killedFor ??= 'hang'
    if (this.#state !== 'gone') this.#launched.abort()
  }

  kill(): void {
    this.#wasTold = true
    if (this.#state !== 'gone') this.#launched.kill()
  }
}
