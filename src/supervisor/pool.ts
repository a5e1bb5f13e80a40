import { setMaxListeners } from 'node:events'
import process from 'node:process'
import type { EndingSignal } from '../common/ending-signals.js'
import { Balancing } from './balancing.js'
import { type DatagramSteering, steerDatagrams } from './datagram-steering.js'
import { type SupervisorError, type WorkerFailure, workerError } from './errors.js'
import type { ListeningInfo } from './events.js'
import { causeOf } from './exit-cause.js'
import { HangWatch } from './hang-watch.js'
import { Health } from './health.js'
import type { Kept } from './kept-socket.js'
import { KeptSockets } from './kept-sockets.js'
import { launchProcess, type WorkerExit } from './launch.js'
import { launchThread } from './launch-thread.js'
import { ListenFailures } from './listen-failures.js'
import { OomKills } from './oom-kills.js'
import { leaveTimeout } from './patience.js'
import { pinned } from './pin.js'
import type { FromWorker, Listening, Place } from './protocol.js'
import type { Queue } from './queue.js'
import { startRecycling } from './recycler.js'
import { leaveOnTrial, relieve } from './relieve.js'
import { replaceEach } from './replacing.js'
import { type RestartOwner, restart } from './restart.js'
import { RunningWorker } from './running-worker.js'
import { type Leave, Slot, type SlotOwner, type Trial } from './slot.js'
import { tryOut } from './trial.js'
import type { AboutSocket, WorkerEvents } from './worker-events.js'
import { closedText, describe, guestTeller, lateText, notKeptText, refusalTeller, tellPath } from './worker-info.js'
import { type PlanOwner, planOf } from './worker-plan.js'

export type PoolOwner = RestartOwner &
  PlanOwner & {
    /** A worker has ended in the middle of its drain: a program may be left behind in these groups. */
    repair(places: readonly ListeningInfo[]): Promise<void>
  }

/** The workers of a supervisor, each in its slot. */
export class Pool implements SlotOwner, WorkerEvents<RunningWorker> {
  readonly #owner: PoolOwner
  readonly #alive = new Set<RunningWorker>()
  readonly #slots: Slot[] = []
  readonly slots: readonly Slot[] = this.#slots
  readonly leaveTimeout: number
  readonly sockets: KeptSockets
  readonly #datagrams: DatagramSteering
  readonly balancing: Balancing
  readonly onBalance: Balancing['hear'] = (...message) => this.balancing.hear(...message)
  readonly onRefusedMessage: WorkerEvents<RunningWorker>['onRefusedMessage']
  readonly #failures: ListenFailures
  readonly #told = new WeakSet<RunningWorker>()
  /** From now on workers that are too old or too large are replaced, when the work of this queue is done. */
  readonly recycle = (work: Queue): void => startRecycling(this, work, this.#owner)
  readonly #hangs: HangWatch
  readonly #oom = new OomKills()
  readonly #health = new Health()
  /** The last reload has failed, or one is under way. What a new worker would run is not known to be good. */
  isMixed = false
  #started = 0
  /** The signal that programs get where nothing else is said. */
  endingSignal: EndingSignal | undefined

  constructor(owner: PoolOwner) {
    this.#owner = owner
    this.leaveTimeout = leaveTimeout(owner.settings)
    this.sockets = new KeptSockets(() => owner.isShared, guestTeller(owner.emit), owner.settings.steering === 'client')
    this.onRefusedMessage = refusalTeller(owner.emit)
    this.#failures = new ListenFailures(owner.emit)
    this.balancing = new Balancing(owner.settings.balance)
    this.#datagrams = steerDatagrams(owner, this.sockets)
    setMaxListeners(0, owner.signal) // Each worker that starts listens to it.
    this.#hangs = new HangWatch(owner, () => this.alive)
  }

  get alive(): readonly RunningWorker[] {
    return [...this.#alive]
  }

  /** Starts all missing workers at once. @throws SupervisorError; the others stay, unless `how` is 'all or none'. */
  async grow(count: number, how: 'all or none' | 'as many as come up' = 'as many as come up'): Promise<void> {
    const added = Array.from({ length: count - this.#slots.length }, () => {
      const slot = new Slot(this.sockets.openSlot(), this)
      this.#slots.push(slot)
      return slot
    })
    let first: SupervisorError | undefined
    await Promise.all(
      added.map(async (slot) => {
        const failure = await slot.run(() => slot.start({ health: true, soak: 0 }))
        if (failure === undefined) return
        first ??= workerError(slot.index, failure)
        this.#slots.splice(this.#slots.indexOf(slot), 1)
        slot.isEnding = true
        this.sockets.endSlot(slot.index)
        if (how === 'all or none' && failure.why !== 'stopped') this.killAll()
      }),
    )
    this.#slots.sort((one, other) => one.index - other.index)
    if (first !== undefined) throw first
  }

  /** Drains the last workers, down to `count` slots. */
  async shrink(count: number): Promise<void> {
    const left = this.#slots.splice(count)
    await Promise.all(left.map((slot) => this.#end(slot)))
  }

  /** Replaces one worker at a time. @throws SupervisorError where a successor fails: workers not yet replaced stay. */
  async replaceAll(): Promise<void> {
    this.isMixed = true
    await replaceEach(this.#slots, this.#owner.settings.soak, this.#owner.signal)
    this.isMixed = false
  }

  /** Drains all workers. The last worker drains the socket that all workers accept from; given sockets stay. */
  async endAll(): Promise<void> {
    const slots = this.#slots.splice(0)
    const last = this.#owner.isShared ? slots.pop() : undefined
    await Promise.all(slots.map((slot) => this.#end(slot)))
    if (last !== undefined) await this.#end(last)
    // Workers that a reload told to leave.
    await Promise.all(this.alive.map(({ exited }) => exited))
    this.sockets.closeAll()
  }

  async #end(slot: Slot): Promise<void> {
    slot.isEnding = true
    await slot.run(() => slot.end())
    this.sockets.endSlot(slot.index)
  }

  killAll(): void {
    for (const worker of this.#alive) worker.kill()
  }

  launch(slot: Slot): RunningWorker {
    const { pin, threads } = this.#owner.settings
    const name = `${process.pid}.${++this.#started}`
    const sockets = this.sockets.started(name, slot.index)
    let worker: RunningWorker
    try {
      const plan = planOf(name, slot.index, sockets, this.#owner)
      const launch = threads ? launchThread : launchProcess
      worker = pinned(pin ? slot.index : undefined, () => new RunningWorker(launch, plan, this))
    } catch (error) {
      this.sockets.notStarted(name)
      throw error
    }
    this.sockets.add(worker)
    this.#alive.add(worker)
    this.#owner.emit('worker:start', describe(worker))
    return worker
  }

  async untilReady(worker: RunningWorker, trial: Trial): Promise<'ready' | WorkerFailure> {
    const outcome = await tryOut(worker, this.sockets.readinessOf(worker), trial, this.#owner, this.#health)
    return this.#failures.explain(worker, outcome)
  }

  readonly accepts = (worker: RunningWorker): boolean => this.sockets.readinessOf(worker).accepts()

  onReady(worker: RunningWorker): void {
    this.sockets.ready(worker)
    this.balancing.ready()
    this.#owner.emit('worker:ready', describe(worker))
  }

  async leave(worker: RunningWorker, { signal = this.endingSignal, waits = false }: Leave = {}): Promise<boolean> {
    const told = { at: performance.now(), isConnected: worker.isConnected }
    const accepted = this.sockets.acceptedBy(worker)
    const departure = this.#datagrams.leaves(accepted, worker)
    const handedOver = this.sockets.leaves(worker, waits)
    const parted = this.sockets.part(accepted.map(({ id }) => id).filter((id) => !handedOver.includes(id)))
    if (parted !== undefined) await parted
    if (departure !== undefined) await departure.steer(handedOver)
    const isInTime = await worker.leave(handedOver, leaveTimeout(this.#owner.settings), signal)
    departure?.ended()
    const drained = accepted.filter(({ id, wish }) => !handedOver.includes(id) && wish.datagram === undefined)
    if (!(worker.hasLeft || this.#owner.signal.aborted)) await this.#owner.repair(drained)
    if (!isInTime) this.#owner.emit('warning', lateText(worker, told))
    return isInTime
  }

  onListening(worker: RunningWorker, listening: Listening, kept: Kept | undefined): void {
    const { address, family, port } = listening
    this.#failures.listens(worker)
    const outcome = this.sockets.listening(worker, listening, kept)
    if (outcome === 'not kept') this.#owner.emit('warning', notKeptText(worker, port))
    this.#owner.emit('worker:listening', describe(worker), { address, family, port, isTakenOver: outcome === 'known' })
  }

  onNested(worker: RunningWorker, { address, family, port }: Place): void {
    this.sockets.note(worker, { hasNested: true })
    this.#owner.emit('worker:listening', describe(worker), { address, family, port, isTakenOver: false })
  }

  onAboutSocket(worker: RunningWorker, message: AboutSocket): void {
    if (message.type === 'pong') this.#hangs.heard(worker)
    else if (message.type === 'listen-failed') this.#failures.hear(worker, message)
    else if (message.type === 'health') this.#health.heard(worker, message)
    else if (message.type === 'listens') tellPath(worker, message.id, this.sockets, this.#owner.emit)
    else this.sockets.hear(worker, message)
  }

  onRelieve(worker: RunningWorker, signal: EndingSignal): void {
    const slot = this.#slots.find(({ current }) => current === worker)
    if (slot === undefined || slot.isEnding) {
      const isTried = this.#slots.some(({ tried }) => tried === worker)
      leaveOnTrial(worker, isTried, signal, this)
      return
    }
    this.#told.add(worker)
    this.#owner.emit('warning', `worker ${worker.slot} (${worker.pid}) got ${signal} and is replaced`)
    void slot.run(() => relieve(slot, worker, signal, this, this.#owner))
  }

  onLeft(worker: RunningWorker, { type: _type, ...report }: FromWorker & { readonly type: 'left' }): void {
    this.sockets.note(worker, { hasDrained: true })
    this.#owner.emit('worker:drained', describe(worker), report)
  }

  readonly onOutput: WorkerEvents<RunningWorker>['onOutput'] = (worker, ...output) =>
    this.#owner.emit('worker:output', describe(worker), ...output)

  onProgramMessage(worker: RunningWorker, message: unknown): void {
    if (message === 'ready') this.sockets.note(worker, { saidReady: true })
    this.#owner.emit('worker:message', describe(worker), message)
  }

  onDisconnect(worker: RunningWorker): void {
    this.sockets.disconnected(worker)
    if (worker.state !== 'leaving') this.#owner.emit('warning', closedText(worker))
  }

  onExit(worker: RunningWorker, exit: WorkerExit): void {
    this.#alive.delete(worker)
    this.sockets.gone(worker)
    this.balancing.gone(worker)
    const slot = this.#slots.find(({ current }) => current === worker)
    const isExpected = worker.wasTold || this.#told.has(worker)
    const cause = causeOf(exit, worker.killedFor, isExpected, () => this.#oom.hasOneMore())
    const how = this.#failures.explainExit(worker, { ...exit, isExpected, cause })
    this.#owner.emit('worker:exit', describe(worker), how)
    if (slot === undefined || slot.isEnding || isExpected) return
    void slot.run(async () => {
      if (slot.current === worker) await restart(slot, exit, this.#owner)
    })
  }
}
