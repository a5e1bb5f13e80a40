import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { parseEnv } from 'node:util'
import { CommonSockets } from './common-sockets.js'
import { type SupervisorError, workerError } from './errors.js'
import type { Kept } from './kept-socket.js'
import { launchProcess, type Program, type WorkerExit } from './launch.js'
import { launchThread } from './launch-thread.js'
import { leaveTimeout } from './patience.js'
import { pinned } from './pin.js'
import { type FromWorker, type Listening, type Place, WORKER_NAME } from './protocol.js'
import { type RestartOwner, restart } from './restart.js'
import { RunningWorker, type WorkerEvents } from './running-worker.js'
import { Slot, type SlotOwner } from './slot.js'
import { describe } from './worker-info.js'

export interface PoolOwner extends RestartOwner {
  /** Ports for the calls with port 0. */
  readonly ports: readonly number[]
  readonly ticketKeys: string
  readonly generation: number
  /** Whether all workers accept from one socket. */
  readonly isShared: boolean
}

/** The workers of a supervisor, each in its slot. */
export class Pool implements SlotOwner, WorkerEvents {
  readonly #owner: PoolOwner
  readonly #alive = new Set<RunningWorker>()
  readonly #slots: Slot[] = []
  readonly #common = new CommonSockets()
  /** One warning each is enough of what a program sends. */
  readonly #warnedOf = new WeakSet<RunningWorker>()
  readonly #told = new WeakSet<RunningWorker>()
  #started = 0

  constructor(owner: PoolOwner) {
    this.#owner = owner
    // Each worker that starts listens to it.
    setMaxListeners(0, owner.signal)
  }

  get slots(): readonly Slot[] {
    return this.#slots
  }

  get alive(): readonly RunningWorker[] {
    return [...this.#alive]
  }

  get readyTimeout(): number {
    return this.#owner.settings.readyTimeout
  }

  get leaveTimeout(): number {
    return leaveTimeout(this.#owner.settings)
  }

  get signal(): AbortSignal {
    return this.#owner.signal
  }

  get common(): readonly string[] {
    return this.#common.ids
  }

  /** Adds a socket that another process has opened. */
  give(kept: Kept): void {
    this.#common.give(kept)
  }

  /** Starts all missing workers at once. @throws SupervisorError; the others stay, unless `how` is 'all or none'. */
  async grow(count: number, how: 'all or none' | 'as many as come up' = 'as many as come up'): Promise<void> {
    const added = Array.from({ length: count - this.#slots.length }, () => {
      const slot = new Slot(this.#slots.length, this)
      this.#slots.push(slot)
      return slot
    })
    let first: SupervisorError | undefined
    await Promise.all(
      added.map(async (slot) => {
        const failure = await slot.run(() => slot.start())
        if (failure === undefined) return
        first ??= workerError(slot.index, failure)
        this.#slots.splice(this.#slots.indexOf(slot), 1)
        // The worker may have opened sockets before it failed.
        await slot.run(() => slot.end([]))
        if (how === 'all or none') this.killAll()
      }),
    )
    if (first !== undefined) throw first
  }

  /** Drains the last workers, down to `count` slots. */
  async shrink(count: number): Promise<void> {
    const left = this.#slots.splice(count)
    await Promise.all(left.map((slot) => this.#end(slot, this.common)))
  }

  /** Replaces one worker at a time. @throws SupervisorError where a successor fails: workers not yet replaced stay. */
  async replaceAll(): Promise<void> {
    for (const slot of [...this.#slots]) {
      const failure = await slot.run(() => slot.replace())
      if (failure !== undefined) throw workerError(slot.index, failure)
    }
  }

  /** Drains all workers. The last worker drains the socket that all workers accept from; given sockets stay. */
  async endAll(): Promise<void> {
    const slots = this.#slots.splice(0)
    const given = this.#common.given.map(({ id }) => id)
    const last = this.#owner.isShared ? slots.pop() : undefined
    await Promise.all(slots.map((slot) => this.#end(slot, this.common)))
    if (last !== undefined) await this.#end(last, given)
    this.#common.closeAll()
  }

  async #end(slot: Slot, kept: readonly string[]): Promise<void> {
    slot.isEnding = true
    const { current } = slot
    const started = performance.now()
    if (await slot.run(() => slot.end(kept))) return
    const waited = ((performance.now() - started) / 1000).toFixed(1)
    const text = `worker ${slot.index} (${current?.pid}) did not end within ${waited} s and was killed`
    this.#owner.emit('warning', text)
  }

  /** All sockets that the supervisor holds. */
  get kept(): readonly Kept[] {
    return [...this.#slots.flatMap((slot) => slot.kept), ...this.#common.all]
  }

  killAll(): void {
    for (const worker of this.#alive) worker.kill()
  }

  launch(slot: Slot, sockets: readonly Kept[]): RunningWorker {
    const { settings, generation, ports, ticketKeys, isShared } = this.#owner
    const name = `${process.pid}.${++this.#started}`
    const { steering, grace, drainTimeout, pin, threads } = settings
    const plan = {
      slot: slot.index,
      generation,
      program: this.#program(name),
      configuration: { worker: name, ports, isShared, steering, ticketKeys, grace, drainTimeout },
      // A worker asks for the other common sockets with the message `want`.
      sockets: [...sockets, ...this.#common.given],
    }
    const launch = threads ? launchThread : launchProcess
    const worker = pinned(pin ? slot.index : undefined, () => new RunningWorker(launch, plan, this))
    this.#alive.add(worker)
    this.#owner.emit('worker:start', describe(worker))
    return worker
  }

  #program(name: string): Program {
    const { script, args, execArgv, cwd, output, env, envFile } = this.#owner.settings
    const more = envFile === undefined ? {} : parseEnv(readFileSync(envFile, 'utf8'))
    return { script, args, execArgv, cwd, output, env: { ...more, ...env, [WORKER_NAME]: name } }
  }

  onReady(worker: RunningWorker): void {
    this.#owner.emit('worker:ready', describe(worker))
  }

  onListening(worker: RunningWorker, listening: Listening, kept: Kept | undefined): void {
    const slot = this.#slots.find(({ index }) => index === worker.slot)
    const isKnown = [...(slot?.kept ?? []), ...this.#common.all].some(({ id }) => id === listening.id)
    if (kept !== undefined) {
      if (this.#owner.isShared) this.#common.opened(kept)
      else if (slot === undefined) kept.close()
      else slot.keep(kept)
    } else if (!isKnown) {
      const where = `worker ${worker.slot} on port ${listening.port}`
      this.#owner.emit('warning', `cannot keep the socket of ${where}: its accept queue is lost if the worker dies`)
    }
    const { address, family, port } = listening
    this.#owner.emit('worker:listening', describe(worker), { address, family, port, isTakenOver: isKnown })
  }

  onNested(worker: RunningWorker, { address, family, port }: Place): void {
    this.#owner.emit('worker:listening', describe(worker), { address, family, port, isTakenOver: false })
  }

  onClosed(worker: RunningWorker, id: string): void {
    const others = [...this.#alive].some((other) => other !== worker && other.claimed.has(id))
    if (others) return
    this.#common.closed(id)
    this.#slots.find(({ index }) => index === worker.slot)?.drop(id)
  }

  onRelieve(worker: RunningWorker, signal: string): void {
    const slot = this.#slots.find(({ current }) => current === worker)
    if (slot === undefined || slot.isEnding) {
      // A worker in the state 'leaving' has got this message already.
      if (worker.state === 'starting') worker.send({ type: 'leave', kept: [...worker.claimed, ...this.common] })
      return
    }
    this.#told.add(worker)
    this.#owner.emit('warning', `worker ${worker.slot} (${worker.pid}) got ${signal} and is replaced`)
    void slot.run(async () => {
      if (slot.current !== worker || slot.isEnding) return
      const failure = await slot.replace()
      // Without a successor the worker ends too, as the signal asked; its accept queue waits for the next worker.
      if (failure !== undefined) await worker.leave([...worker.claimed, ...this.common], this.leaveTimeout)
      if (failure !== undefined) await restart(slot, undefined, this.#owner)
    })
  }

  onLeft(worker: RunningWorker, { lossless, reason }: FromWorker & { readonly type: 'left' }): void {
    this.#owner.emit('worker:drained', describe(worker), { lossless, reason })
  }

  onWant(worker: RunningWorker, message: FromWorker & { readonly type: 'want' | 'not-opened' }): void {
    this.#common.hear(worker, message)
  }

  onRefusedMessage(worker: RunningWorker, reason: string): void {
    if (this.#warnedOf.has(worker)) return
    this.#warnedOf.add(worker)
    this.#owner.emit('warning', `worker ${worker.slot} (${worker.pid}) sent a message that is refused: ${reason}`)
  }

  onOutput(worker: RunningWorker, stream: 'stdout' | 'stderr', text: string): void {
    this.#owner.emit('worker:output', describe(worker), stream, text)
  }

  onProgramMessage(worker: RunningWorker, message: unknown): void {
    this.#owner.emit('worker:message', describe(worker), message)
  }

  onDisconnect(worker: RunningWorker): void {
    if (worker.state === 'leaving') return
    const text = `worker ${worker.slot} (${worker.pid}) has closed its IPC channel: only SIGTERM can make it drain`
    this.#owner.emit('warning', text)
  }

  onExit(worker: RunningWorker, exit: WorkerExit): void {
    this.#alive.delete(worker)
    this.#common.gone(worker)
    const slot = this.#slots.find(({ current }) => current === worker)
    const isExpected = worker.wasTold || this.#told.has(worker)
    this.#owner.emit('worker:exit', describe(worker), { ...exit, isExpected })
    if (slot === undefined || slot.isEnding || isExpected) return
    void slot.run(async () => {
      if (slot.current === worker) await restart(slot, exit, this.#owner)
    })
  }
}
