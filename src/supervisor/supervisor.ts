// Room: the supervisor: it starts, restarts, replaces and ends workers that share ports. It imports what users import,
// and the addon for tasks beside the ports (CPUs, systemd, peers).
import { EventEmitter } from 'node:events'
import process from 'node:process'
import type { EndingSignal } from '../common/ending-signals.js'
import { type ControlServer, openControl } from './control.js'
import type { SupervisorStatus } from './control-protocol.js'
import { SupervisorError } from './errors.js'
import type { SupervisorEvents, WorkerInfo } from './events.js'
import { givenSockets } from './given-sockets.js'
import { openMetrics } from './open-metrics.js'
import { parseOptions, type Settings, type SupervisorOptions, toEndingSignal, toWorkers } from './options.js'
import { tellOthers } from './others.js'
import { Pool, type PoolOwner } from './pool.js'
import { checkPreconditions } from './preconditions.js'
import { replaceEarlier } from './predecessors.js'
import { Queue } from './queue.js'
import { ReloadOnChange } from './reload-on-change.js'
import { repairGroups } from './repair.js'
import { ReservedPorts } from './reserved-ports.js'
import type { Emit } from './restart.js'
import { scriptPath } from './script-option.js'
import { TicketKeys } from './ticket-keys.js'
import { historyOf, vitalsOf } from './vitals.js'
import type { SupervisorVitals } from './vitals-protocol.js'
import { describe, statusOf } from './worker-info.js'

/** `'running'`: all workers are ready. `'stopping'`: they drain. */
export type SupervisorState = 'new' | 'starting' | 'running' | 'reloading' | 'stopping' | 'stopped'

/**
 * Runs a program in several processes or threads that share its ports, and keeps them running. The supervisor holds a
 * duplicate of every listening socket, so a worker that dies or is replaced leaves its accept queue to its successor.
 *
 * ```js
 * await using supervisor = new Supervisor({ script: 'server.js', workers: 4 })
 * await supervisor.start()
 * process.on('SIGHUP', () => supervisor.reload().catch(() => {}))
 * await supervisor.closed
 * ```
 * The constructor throws `ERR_INVALID_ARG_VALUE` and `ERR_REUSEPORT_UNKNOWN_OPTION` for invalid options.
 */
export class Supervisor extends EventEmitter<SupervisorEvents> implements AsyncDisposable {
  readonly #settings: Settings
  readonly #pool: Pool
  readonly #end = new AbortController()
  readonly #closed: Promise<void>
  #hasClosed: (error: Error | undefined) => void = () => {}
  #ports: ReservedPorts | undefined
  readonly #ticketKeys = new TicketKeys()
  readonly #startedAt = new Date()
  readonly #history = historyOf(this)
  #control: ControlServer | undefined
  #metrics: { close(): void } | undefined
  #watch: ReloadOnChange | undefined
  #state: SupervisorState = 'new'
  #generation = 1
  #isShared = false
  readonly #work = new Queue()
  #stopped: Promise<void> | undefined
  #nextReload: Promise<void> | undefined
  #failure: SupervisorError | undefined
  readonly #emit: Emit = (name, ...args) => void this.emit(name, ...(args as never))
  readonly #warn = (message: string): void => void this.emit('warning', message)

  constructor(options: SupervisorOptions) {
    super()
    this.#settings = parseOptions(options)
    this.#closed = new Promise((resolve, reject) => {
      this.#hasClosed = (error) => (error === undefined ? resolve() : reject(error))
    })
    this.#closed.catch(() => {}) // A program that ignores `closed` must not end by an unhandled rejection.
    const supervisor = this
    const owner: PoolOwner = {
      settings: this.#settings,
      emit: this.#emit,
      signal: this.#end.signal,
      repair: (places) => repairGroups(places, this.#warn),
      get ports() {
        return supervisor.#ports
      },
      get ticketKeys() {
        return supervisor.#ticketKeys.keys
      },
      get compileCache() {
        return supervisor.#control?.compileCache
      },
      get isShared() {
        return supervisor.#isShared
      },
      get generation() {
        return supervisor.#generation
      },
      giveUp: (error) => {
        this.#failure ??= error
        void this.stop()
      },
    }
    this.#pool = new Pool(owner)
  }

  get state(): SupervisorState {
    return this.#state
  }

  /** 1 at the start; each reload adds 1. */
  get generation(): number {
    return this.#generation
  }

  /** The status that `reuseport ls` of the same user shows. */
  status(): SupervisorStatus {
    const { state, generation } = this
    const own = { pid: process.pid, script: scriptPath(this.#settings), state, generation, startedAt: this.#startedAt }
    return statusOf(own, this.#pool)
  }

  /** The status, and how each worker is: one that does not answer within 200 ms has no delay and no connections. */
  vitals(): Promise<SupervisorVitals> {
    return vitalsOf(this.status(), this.#pool, this.#history)
  }

  /** The workers that run at this moment, including those that start or leave. */
  get workers(): readonly WorkerInfo[] {
    return this.#pool.alive.map(describe).sort((one, other) => one.slot - other.slot)
  }

  /** Resolves when the supervisor has ended. Rejects: `ERR_REUSEPORT_GAVE_UP` where a worker died early too often. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /**
   * Starts the workers; resolves when all of them are ready.
   *
   * Rejects, with no worker left running: `ERR_REUSEPORT_WORKER_FAILED` where one did not become ready, `ENOENT` or
   * `EACCES` for `script`, `envFile` or `cwd`, `ERR_REUSEPORT_UNSUPPORTED` where the kernel does not balance (see `fallback`).
   */
  async start(): Promise<void> {
    if (this.#state !== 'new')
      throw new SupervisorError('ERR_REUSEPORT_SUPERVISOR_STATE', 'the supervisor was used before: create a new one')
    this.#state = 'starting'
    try {
      this.#isShared = checkPreconditions(this.#settings, this.#warn)
      const { automatic, workers } = this.#settings
      const { signal } = this.#end
      if (automatic !== undefined) this.emit('workers:auto', workers, automatic)
      for (const kept of givenSockets(this.#settings.sockets, this.#warn)) this.#pool.sockets.give(kept)
      if (!this.#isShared) this.#ports = new ReservedPorts()
      if (!(this.#isShared || this.#settings.replace)) tellOthers(this, this.#pool, signal)
      if (this.#settings.join && !this.#isShared) this.#pool.sockets.join(this.#warn)
      await this.#work.run(async () => {
        this.#control = await openControl(this, this.#warn)
        this.#metrics = await openMetrics(this, this.#settings, signal, this.#pool.sockets.onPorts)
        // The watch begins before the first worker reads a file, so that no later change is missed. The reload is queued.
        if (this.#settings.watch && !signal.aborted) this.#watch = new ReloadOnChange(this, this.#settings)
        if (!signal.aborted) await this.#pool.grow(workers, 'all or none')
        if (this.#settings.replace && !signal.aborted) await replaceEarlier(this.#pool, signal, this.#emit)
        if (signal.aborted)
          throw new SupervisorError('ERR_REUSEPORT_SUPERVISOR_STATE', 'the supervisor was stopped while it started')
        this.#state = 'running'
        this.emit('running', workers)
        this.#pool.recycle(this.#work)
      })
      this.#ticketKeys.rotate((keys) => {
        for (const worker of this.#pool.alive) worker.send({ type: 'ticket-keys', keys })
      })
    } catch (error) {
      // Where it was told to stop, workers that serve drain.
      if (!this.#end.signal.aborted) this.#pool.killAll()
      await this.stop()
      throw error
    }
  }

  /**
   * Replaces one worker at a time: a new one takes the sockets over, and when it is ready and healthy, and the first of them has
   * endured its `soak`, the old one drains. Where it fails, the old one and those after it stay. A call during a reload waits for
   * its end; all calls that wait share one reload. Rejects: `ERR_REUSEPORT_WORKER_FAILED`, which says who serves then, `ERR_REUSEPORT_SUPERVISOR_STATE` where the supervisor is not running.
   */
  reload(): Promise<void> {
    this.#nextReload ??= this.#work.run(async () => {
      this.#nextReload = undefined
      this.#assertRunning()
      this.#state = 'reloading'
      const generation = ++this.#generation
      const started = performance.now()
      this.emit('reload:start', generation)
      try {
        await this.#pool.replaceAll()
        this.emit('reload:done', generation, performance.now() - started)
      } catch (error) {
        this.emit('reload:failed', generation, error as Error)
        throw error
      } finally {
        if (this.#state === 'reloading') this.#state = 'running'
      }
    })
    return this.#nextReload
  }

  /**
   * Starts workers, or drains the last ones, until their number is `workers`: 1 to 1024, or `'auto'`, as it is now. A
   * function gets the number after all earlier calls. Rejects: `ERR_INVALID_ARG_VALUE`, `ERR_REUSEPORT_WORKER_FAILED`, `ERR_REUSEPORT_SUPERVISOR_STATE`.
   */
  scale(workers: number | 'auto' | ((now: number) => number)): Promise<void> {
    return this.#work.run(async () => {
      const now = this.#pool.slots.length
      const count = toWorkers(typeof workers === 'function' ? workers(now) : workers).workers
      this.#assertRunning()
      await (count > now ? this.#pool.grow(count) : this.#pool.shrink(count))
      this.emit('scaled', count)
    })
  }

  /** Drains all workers, whose programs get the signal, and ends. A second call returns the same promise. */
  stop(signal: EndingSignal = 'SIGTERM'): Promise<void> {
    this.#stopped ??= this.#stop(toEndingSignal(signal))
    return this.#stopped
  }

  /** Ends every worker and the supervisor at once, without a drain. */
  kill(): void {
    this.#pool.killAll()
    void this.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(signal: EndingSignal): Promise<void> {
    this.#state = 'stopping'
    this.emit('stopping', this.#failure)
    this.#ticketKeys.end()
    this.#watch?.close()
    this.#pool.endingSignal = signal
    this.#end.abort()
    await this.#work.settled
    await this.#pool.endAll()
    for (const one of [this.#ports, this.#control, this.#metrics]) one?.close()
    this.#state = 'stopped'
    this.#hasClosed(this.#failure)
  }

  #assertRunning(): void {
    if (this.#state === 'running') return
    throw new SupervisorError('ERR_REUSEPORT_SUPERVISOR_STATE', `the supervisor is not running but ${this.#state}`)
  }
}
