// Passes connections from worker to worker. The decisions are those of `Balance`.
import { closeHandle } from '../common/close-handle.js'
import { Balance, type BalanceAction } from './balance.js'
import { ConnectionCounts } from './connection-counts.js'
import { type BalanceName, type FromWorker, type Place, placeKey } from './protocol.js'
import type { RunningWorker } from './running-worker.js'
import type { BalanceMessage } from './worker-events.js'

/** ms between two messages to one worker about the connections of the others. */
const SHARES = 20

interface Passing {
  readonly handle: object
  readonly place: Place
  readonly sender: RunningWorker
  /** The sender's own number of it. */
  readonly number: number
  /** Whether the sender knows that another worker serves it. Before that, no other worker may get it. */
  told: 'not yet' | 'on its way' | 'yes'
  target: RunningWorker | undefined
}

export class Balancing {
  readonly #isOn: boolean
  readonly #workers = new Map<string, RunningWorker>()
  readonly #places = new Map<string, Place>()
  readonly #counts: ConnectionCounts = new ConnectionCounts((worker) => this.#isHost(worker))
  readonly #balance: Balance = new Balance(this.#counts)
  readonly #passes = new Map<number, Passing>()
  readonly #passedOn = new WeakMap<RunningWorker, number>()
  #started = 0
  #sharing: NodeJS.Timeout | undefined
  #sharedAt = Number.NEGATIVE_INFINITY
  #looking: NodeJS.Timeout | undefined

  /** @param balance Undefined: nothing is passed on. */
  constructor(balance: BalanceName | undefined) {
    this.#isOn = balance !== undefined
  }

  /** The connections of this worker that other workers have got; undefined where nothing is passed on. */
  passedOn(worker: RunningWorker): number | undefined {
    return this.#isOn ? (this.#passedOn.get(worker) ?? 0) : undefined
  }

  hear(worker: RunningWorker, message: FromWorker & { readonly type: BalanceMessage }, handle: unknown): void {
    if (!this.#isOn) {
      closeHandle(handle)
      return
    }
    // The last messages of a worker may come after its end was told.
    if (worker.state !== 'gone') this.#workers.set(worker.name, worker)
    if (message.type === 'pass') this.#pass(worker, message, handle)
    else if (message.type === 'connections') this.#count(worker, message, message.open)
    else {
      const { isTaken, open, pass } = message
      this.#do(this.#balance.served(pass, worker.name, isTaken, open, performance.now()))
    }
    this.#share()
  }

  /** From now on other workers pass on to this one, and this one to others. */
  ready(): void {
    if (this.#isOn) this.#shareNow()
  }

  gone(worker: RunningWorker): void {
    if (!this.#isOn) return
    this.#workers.delete(worker.name)
    // It will not say that it has heard.
    for (const passing of this.#passes.values()) if (passing.sender === worker) this.#senderKnows(passing)
    this.#do(this.#balance.gone(worker.name, performance.now()))
    this.#share()
  }

  #isHost(name: string): boolean {
    const worker = this.#workers.get(name)
    return worker?.state === 'ready' && worker.isConnected
  }

  #count({ name }: RunningWorker, { address, family, port }: Place, open: number): string {
    const place = { address, family, port }
    const key = placeKey(place)
    this.#places.set(key, place)
    this.#counts.set(name, key, open)
    return key
  }

  #pass(worker: RunningWorker, message: FromWorker & { readonly type: 'pass' }, handle: unknown): void {
    const { pass: number } = message
    const key = this.#count(worker, message, message.open)
    if (!isConnection(handle)) {
      closeHandle(handle)
      const isKnown = [...this.#passes.values()].some((one) => one.sender === worker && one.number === number)
      // The descriptor was lost on its way: this process has too many.
      if (!isKnown) this.#answer(worker, number, key, false)
      return
    }
    const id = this.#started++
    const place = this.#places.get(key) ?? message
    const isHeld = worker.isConnected
    this.#passes.set(id, { handle, place, sender: worker, number, told: isHeld ? 'not yet' : 'yes', target: undefined })
    this.#do(this.#balance.pass(id, worker.name, key, isHeld, performance.now()))
  }

  #answer(sender: RunningWorker, pass: number, place: string, isTaken: boolean, then?: () => void): void {
    const fewest = this.#counts.fewestFor(sender.name, place)
    this.#counts.told(sender.name, place, fewest)
    sender.send({ type: 'passed', pass, isTaken, fewest }, undefined, then)
  }

  #do(actions: readonly BalanceAction[]): void {
    for (const action of actions) {
      const passing = this.#passes.get(action.pass)
      if (passing === undefined) continue
      if (action.type === 'serve') this.#serve(action.pass, passing, this.#workers.get(action.worker))
      else if (action.type === 'keep') this.#keep(action.pass, passing)
      else if (action.type === 'remind') this.#remind(action.pass, passing)
      else this.#end(action.pass, passing, action.type)
    }
    this.#look()
  }

  /** The sender learns it first: if the supervisor ends in between, no two workers serve the connection. */
  #serve(pass: number, passing: Passing, target: RunningWorker | undefined): void {
    passing.target = target
    if (passing.told === 'yes') this.#deliver(pass, passing)
    if (passing.told !== 'not yet') return
    passing.told = 'on its way'
    this.#answer(passing.sender, passing.number, placeKey(passing.place), true, () => this.#senderKnows(passing, pass))
  }

  #remind(pass: number, passing: Passing): void {
    // Before the connection is sent, the answer would be that it has not come.
    if (passing.told === 'yes') passing.target?.send(serveMessage(pass, passing))
  }

  #senderKnows(passing: Passing, pass = this.#idOf(passing)): void {
    const before = passing.told
    passing.told = 'yes'
    if (before === 'on its way' && pass !== undefined && this.#passes.has(pass)) this.#deliver(pass, passing)
  }

  #idOf(passing: Passing): number | undefined {
    return [...this.#passes].find(([, one]) => one === passing)?.[0]
  }

  #deliver(pass: number, passing: Passing): void {
    passing.target?.send(serveMessage(pass, passing), passing.handle)
  }

  #keep(pass: number, passing: Passing): void {
    const { handle, number, place, sender } = passing
    const key = placeKey(place)
    if (sender.isConnected) {
      this.#passes.delete(pass)
      closeHandle(handle)
      this.#answer(sender, number, key, false)
      return
    }
    // It would not hear that, and has closed its duplicate.
    passing.told = 'yes'
    this.#do(this.#balance.pass(pass, sender.name, key, false, performance.now()))
  }

  #end(pass: number, { handle, sender, target }: Passing, outcome: 'done' | 'lost'): void {
    this.#passes.delete(pass)
    closeHandle(handle)
    if (outcome === 'done' && target !== sender) this.#passedOn.set(sender, (this.#passedOn.get(sender) ?? 0) + 1)
  }

  #share(): void {
    const due = Math.max(1, this.#sharedAt + SHARES - performance.now())
    this.#sharing ??= setTimeout(() => this.#shareNow(), due).unref()
  }

  #shareNow(): void {
    clearTimeout(this.#sharing)
    this.#sharing = undefined
    this.#sharedAt = performance.now()
    for (const { worker, place, fewest } of this.#counts.shares()) {
      const where = this.#places.get(place)
      if (where !== undefined) this.#workers.get(worker)?.send({ type: 'fewest', ...where, fewest })
    }
  }

  #look(): void {
    clearTimeout(this.#looking)
    this.#looking = undefined
    if (this.#passes.size === 0) return
    const { actions, next } = this.#balance.look(performance.now())
    if (next !== undefined) this.#looking = setTimeout(() => this.#look(), next)
    if (actions.length > 0) this.#do(actions)
  }
}

function serveMessage(pass: number, { place }: Passing): { readonly type: 'serve'; readonly pass: number } & Place {
  return { type: 'serve', pass, ...place }
}

/** The worker that gets it looks closer. */
function isConnection(handle: unknown): handle is object {
  return typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number'
}
