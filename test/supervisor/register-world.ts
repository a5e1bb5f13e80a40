// A supervisor, its workers and the sockets, as a model: messages wait until the model delivers them, in their order for
// each worker, and everything else happens in any order.
import assert from 'node:assert/strict'
import type { Action } from '../../src/supervisor/register-entries.js'
import { Register } from '../../src/supervisor/socket-register.js'

type ToSupervisor =
  | { readonly type: 'listening'; readonly id: string; readonly place: string; readonly hasHandle: boolean }
  | { readonly type: 'closed'; readonly id: string }
  | { readonly type: 'released'; readonly ids: readonly string[] }
  | { readonly type: 'want'; readonly want: number; readonly place: string }
  | { readonly type: 'not-opened'; readonly place: string }
  | { readonly type: 'took-back'; readonly id: string; readonly isTaken: boolean }
  | { readonly type: 'drained' }

type ToWorker =
  | { readonly type: 'release'; readonly ids: readonly string[] }
  | { readonly type: 'leave'; readonly handOver: readonly string[] }
  | { readonly type: 'open'; readonly want: number }
  | { readonly type: 'take'; readonly want: number; readonly id: string }
  | { readonly type: 'give-back'; readonly id: string }
  | { readonly type: 'yours'; readonly id: string }

interface Server {
  readonly id: string
  readonly place: string
}

class ModelWorker {
  readonly name: string
  readonly slot: number
  readonly toSupervisor: ToSupervisor[] = []
  readonly toWorker: ToWorker[] = []
  /** Duplicates that it got when it started, by id: their place. */
  readonly inherited: Map<string, string>
  readonly servers: Server[] = []
  /** Requests without an answer. A program that closes the server in the meantime does not want the socket any more. */
  readonly wants = new Map<number, { readonly place: string; isWanted: boolean }>()
  /** What it was asked to release and has not answered, in the order of the questions. */
  readonly questions: (readonly string[])[] = []
  /** The supervisor has told it to leave, and it hears that later. */
  isTold = false
  isLeaving = false
  hasDrained = false
  /** Sockets that it was told to hand over. */
  readonly handedOver = new Set<string>()
  /** Those that came back, and whether the supervisor has closed its duplicate. */
  readonly back = new Map<string, boolean>()
  #opened = 0

  constructor(name: string, slot: number, inherited: Map<string, string>) {
    this.name = name
    this.slot = slot
    this.inherited = inherited
  }

  has(id: string): boolean {
    return this.inherited.has(id) || this.accepts(id)
  }

  accepts(id: string): boolean {
    return this.back.has(id) || this.servers.some((server) => server.id === id)
  }

  /** The worker that leaves has finished what it had accepted, and what came back. */
  drained(): void {
    if (!this.isLeaving || this.hasDrained || [...this.back.values()].includes(false)) return
    this.back.clear()
    this.hasDrained = true
    this.toSupervisor.push({ type: 'drained' })
  }

  listen(place: string, isShared: boolean): void {
    if (isShared) {
      this.wants.set(this.#opened++, { place, isWanted: true })
      this.toSupervisor.push({ type: 'want', want: this.#opened - 1, place })
      return
    }
    const free = [...this.inherited].find(([id, where]) => where === place && !this.accepts(id))
    if (free === undefined || this.isLeaving) this.open(place)
    else this.serve(free[0], place)
  }

  serve(id: string, place: string, isNew = false): void {
    this.servers.push({ id, place })
    // Of a socket that it has opened itself.
    this.toSupervisor.push({ type: 'listening', id, place, hasHandle: isNew })
  }

  open(place: string): void {
    this.serve(`${this.name}:${this.#opened++}`, place, true)
  }

  close(index: number): void {
    const [closed] = this.servers.splice(index, 1)
    if (closed !== undefined) this.toSupervisor.push({ type: 'closed', id: closed.id })
  }
}

export class World {
  readonly register: Register
  readonly isShared: boolean
  readonly workers = new Map<string, ModelWorker>()
  /** The sockets that the supervisor holds. */
  readonly kept = new Map<string, string>()
  /** The worker of each slot that is ready, and the one that starts. */
  readonly slots = new Map<
    number,
    { ready: ModelWorker | undefined; starting: ModelWorker | undefined; ending: boolean }
  >()
  readonly #closed = new Set<string>()
  /** Who opens the one socket of a place, and has not answered. */
  readonly #opening = new Map<string, ModelWorker>()
  /** Sockets that go back to a worker. */
  readonly #returning = new Map<string, ModelWorker>()
  #started = 0

  constructor(isShared: boolean) {
    this.isShared = isShared
    this.register = new Register(() => isShared)
  }

  openSlot(): void {
    const slot = this.register.openSlot()
    const lowest = [...Array(this.slots.size + 1).keys()].find((one) => !this.slots.has(one))
    assert.equal(slot, lowest)
    this.slots.set(slot, { ready: undefined, starting: undefined, ending: false })
  }

  start(slot: number): void {
    const state = this.slots.get(slot)
    if (state === undefined || state.starting !== undefined || state.ending) return
    const name = `w${this.#started++}`
    const ids = this.register.started(name, slot)
    for (const id of ids) assert.ok(this.kept.has(id))
    state.starting = new ModelWorker(name, slot, new Map(ids.map((id) => [id, this.kept.get(id) as string])))
    this.workers.set(name, state.starting)
  }

  /** The supervisor looks whether a worker is ready, and asks it. The answer comes later. */
  ask(slot: number): void {
    const worker = this.slots.get(slot)?.starting
    if (worker !== undefined && this.register.isReady(worker.name))
      this.#question(worker, this.register.asks(worker.name))
  }

  /** The worker has answered and is still ready: it follows the one before, which leaves. */
  promote(slot: number): void {
    const state = this.slots.get(slot)
    if (state?.starting === undefined || state.starting.questions.length > 0) return
    if (!this.register.isReady(state.starting.name)) return
    const { ready: old, starting: successor } = state
    state.ready = successor
    state.starting = undefined
    this.#do(this.register.ready(successor.name))
    if (old !== undefined) this.leave(old, false)
  }

  leave(worker: ModelWorker, waits: boolean): void {
    const accepted = this.register.sockets.filter(({ accepting }) => accepting.includes(worker.name))
    worker.isTold = true
    const { actions, handOver } = this.register.leaves(worker.name, waits)
    this.#do(
      actions,
      accepted.map(({ id }) => id),
    )
    for (const id of handOver) {
      const others = this.register.sockets.find((one) => one.id === id)
      // Somebody else accepts, or may take it, or it waits for the next one.
      assert.ok(this.kept.has(id))
      assert.ok(others?.accepting.includes(worker.name) !== true)
    }
    for (const { id } of accepted) if (!handOver.includes(id)) assert.ok(!this.kept.has(id))
    for (const id of handOver) worker.handedOver.add(id)
    worker.toWorker.push({ type: 'leave', handOver })
  }

  /** Scales down: the worker leaves, and its slot ends with it. */
  shrink(slot: number): void {
    const state = this.slots.get(slot)
    if (state === undefined || state.ending || state.starting !== undefined) return
    state.ending = true
    if (state.ready === undefined) this.#endSlot(slot)
    else this.leave(state.ready, false)
  }

  /** A worker got a signal, and no successor came up. */
  relieve(slot: number): void {
    const state = this.slots.get(slot)
    if (state?.ready === undefined || state.ending || state.ready.isLeaving) return
    this.leave(state.ready, true)
    state.ready = undefined
  }

  crash(worker: ModelWorker): void {
    while (worker.toSupervisor.length > 0) this.deliverToSupervisor(worker)
    this.workers.delete(worker.name)
    for (const [id, to] of this.#returning) if (to === worker) this.#returning.delete(id)
    for (const [place, by] of this.#opening) if (by === worker) this.#opening.delete(place)
    this.#do(this.register.gone(worker.name))
    const state = this.slots.get(worker.slot)
    if (state?.starting === worker) state.starting = undefined
    if (state?.ready !== worker) return
    state.ready = undefined
    if (state.ending) this.#endSlot(worker.slot)
  }

  deliverToSupervisor(worker: ModelWorker): void {
    const message = worker.toSupervisor.shift()
    const { name } = worker
    if (message === undefined) return
    switch (message.type) {
      case 'listening':
        if (message.hasHandle) {
          this.kept.set(message.id, message.place)
          this.#opened(worker, message.place)
        }
        this.#do(this.register.listening(name, message.id, message.place, this.kept.has(message.id)))
        break
      case 'closed':
        this.#do(this.register.closed(name, message.id))
        break
      case 'released':
        this.#do(this.register.released(name, worker.questions.shift() ?? [], message.ids))
        break
      case 'want':
        this.#do(this.register.wants(name, message.want, message.place))
        break
      case 'not-opened':
        this.#opened(worker, message.place)
        this.#do(this.register.notOpened(name, message.place))
        break
      case 'took-back':
        this.#returning.delete(message.id)
        this.#do(this.register.tookBack(name, message.id, message.isTaken), message.isTaken ? [message.id] : [])
        break
      case 'drained':
        this.#do(this.register.note(name, { hasDrained: true }))
        break
    }
  }

  deliverToWorker(worker: ModelWorker): void {
    const message = worker.toWorker.shift()
    if (message === undefined) return
    if (message.type === 'release') {
      const ids = message.ids.filter((id) => worker.inherited.has(id) && !worker.accepts(id))
      for (const id of ids) worker.inherited.delete(id)
      worker.toSupervisor.push({ type: 'released', ids })
    } else if (message.type === 'leave') {
      worker.isLeaving = true
      worker.inherited.clear()
      while (worker.servers.length > 0) worker.close(0)
    } else if (message.type === 'give-back') {
      const isTaken = worker.handedOver.has(message.id) && !worker.hasDrained
      if (isTaken) worker.back.set(message.id, false)
      worker.toSupervisor.push({ type: 'took-back', id: message.id, isTaken })
    } else if (message.type === 'yours') {
      if (worker.back.has(message.id)) worker.back.set(message.id, true)
    } else this.#answer(worker, message)
  }

  #answer(worker: ModelWorker, message: Extract<ToWorker, { readonly type: 'open' | 'take' }>): void {
    const request = worker.wants.get(message.want)
    // One answer for each request.
    assert.ok(request)
    worker.wants.delete(message.want)
    const { isWanted, place } = request
    if (message.type === 'open') {
      if (isWanted) worker.open(place)
      else worker.toSupervisor.push({ type: 'not-opened', place })
    } else if (isWanted) worker.serve(message.id, place)
    else worker.toSupervisor.push({ type: 'closed', id: message.id })
  }

  #question(worker: ModelWorker, ids: readonly string[]): void {
    worker.questions.push(ids)
    worker.toWorker.push({ type: 'release', ids })
  }

  #endSlot(slot: number): void {
    this.slots.delete(slot)
    this.#do(this.register.endSlot(slot))
  }

  /** One worker at a time: the second would find the address in use. One that leaves opens what it wants itself. */
  #opens(worker: ModelWorker, place: string): void {
    if (worker.isTold) return
    assert.ok(!this.#opening.has(place))
    this.#opening.set(place, worker)
  }

  #opened(worker: ModelWorker, place: string): void {
    if (this.#opening.get(place) === worker) this.#opening.delete(place)
  }

  /** @param drained Sockets that a worker drains from now on. */
  #do(actions: readonly Action[], drained: readonly string[] = []): void {
    for (const action of actions) {
      if (action.type === 'close') {
        // Nobody closes what a worker that has handed it over would take back.
        const before = [...this.workers.values()].filter((one) => this.#mayTake(one, action.id))
        if (!drained.includes(action.id)) assert.deepEqual(before, [])
        assert.ok(!this.#closed.has(action.id))
        this.#closed.add(action.id)
        assert.ok(this.kept.delete(action.id))
        continue
      }
      const worker = this.workers.get(action.worker)
      assert.ok(worker)
      if (action.type === 'release') this.#question(worker, action.ids)
      else if (action.type === 'give-back') {
        assert.ok(this.kept.has(action.id) && !this.#returning.has(action.id))
        this.#returning.set(action.id, worker)
        worker.toWorker.push({ type: 'give-back', id: action.id })
      } else if (action.type === 'yours') worker.toWorker.push({ type: 'yours', id: action.id })
      else if (action.type === 'open') {
        this.#opens(worker, worker.wants.get(action.want)?.place as string)
        worker.toWorker.push({ type: 'open', want: action.want })
      } else {
        assert.ok(this.kept.has(action.id))
        worker.toWorker.push({ type: 'take', want: action.want, id: action.id })
      }
    }
  }

  /** Whether the worker has handed the socket over, and the supervisor has not heard that it has drained. */
  #mayTake({ back, handedOver, hasDrained, toSupervisor }: ModelWorker, id: string): boolean {
    const isHeard = hasDrained && toSupervisor.every(({ type }) => type !== 'drained')
    return handedOver.has(id) && !back.has(id) && !isHeard
  }

  /** What must hold at any moment. */
  check(): void {
    const known = new Map(this.register.sockets.map((one) => [one.id, one]))
    // The supervisor holds what the register knows, and nothing else.
    for (const id of this.kept.keys()) assert.ok(known.get(id)?.isKept, `the supervisor holds ${id}`)
    for (const { id, isKept } of known.values()) assert.ok(!isKept || this.kept.has(id))
    for (const { accepting, id, offered, slot } of known.values()) {
      for (const name of [...accepting, ...offered]) assert.ok(this.workers.has(name))
      const mayTake = offered.some((name) => {
        const worker = this.workers.get(name) as ModelWorker
        const isStarting = this.slots.get(worker.slot)?.starting === worker
        return isStarting || worker.questions.flat().includes(id)
      })
      const goesBack = this.#returning.has(id)
      assert.ok(accepting.length > 0 || mayTake || goesBack || this.isVacant(slot), `nobody accepts from ${id}`)
    }
  }

  isVacant(slot: number | undefined): boolean {
    const waiting = [...this.slots]
      .filter(([, { ready, ending }]) => ready === undefined && !ending)
      .map(([one]) => one)
    return slot === undefined ? waiting.length > 0 : waiting.includes(slot)
  }

  /** Delivers every message, until there is none. */
  settle(): void {
    for (let turn = 0; turn < 10_000; turn++) {
      const busy = [...this.workers.values()].filter(
        ({ toSupervisor, toWorker }) => toSupervisor.length + toWorker.length > 0,
      )
      if (busy.length === 0) return
      for (const worker of busy) {
        this.deliverToWorker(worker)
        this.deliverToSupervisor(worker)
        this.check()
      }
    }
    assert.fail('the messages do not end')
  }

  /** What must hold when no message is on its way: the register is right about who accepts. */
  checkSettled(): void {
    for (const [id] of this.kept) {
      const socket = this.register.sockets.find((one) => one.id === id)
      // What comes back to a worker that leaves, or is opened by it, is its own.
      const really = [...this.workers.values()]
        .filter((one) => one.accepts(id) && !one.isLeaving)
        .map(({ name }) => name)
      assert.deepEqual([...(socket?.accepting ?? [])].sort(), really.sort())
      if (really.length > 0) continue
      const holders = [...this.workers.values()].filter((worker) => worker.has(id))
      const isStarting = holders.some((worker) => this.slots.get(worker.slot)?.starting === worker)
      assert.ok(isStarting || this.isVacant(socket?.slot), `nobody accepts from ${id} and nobody will`)
    }
    // A duplicate without the supervisor's would stay in the group where nobody accepts.
    for (const worker of this.workers.values()) for (const id of worker.inherited.keys()) assert.ok(this.kept.has(id))
    // Each request has got its answer, except of workers that leave.
    for (const { wants } of this.workers.values())
      assert.equal(
        [...wants.values()].some(({ isWanted }) => isWanted),
        false,
      )
    assert.equal(this.#returning.size, 0)
    for (const { back } of this.workers.values()) assert.ok(![...back.values()].includes(false))
  }
}
