// Workers, a supervisor and clients that are none, on a clock of their own: what is real are the decisions.
import { type Accepting, Passing } from '../../src/supervised/passing.js'
import { Balance, type BalanceAction } from '../../src/supervisor/balance.js'
import { ConnectionCounts } from '../../src/supervisor/connection-counts.js'

const PLACE = 'IPv4 127.0.0.1 80'
/** ms between two reports of a worker, and between two of the supervisor. */
const REPORTS = 20
/** ms of a message on its way. */
const CHANNEL = 1

interface Worker extends Accepting<number> {
  readonly name: string
  readonly connections: Set<number>
  readonly passing: Passing<Worker, number>
  isAlive: boolean
  isReady: boolean
  isReporting: boolean
  reportedAt: number
}

export class BalanceWorld {
  now = 0
  readonly workers: Worker[] = []
  /** Connections that were passed on. */
  passedOn = 0
  /** Connections that were given back. */
  kept = 0
  /** Messages between the workers and the supervisor. */
  messages = 0
  readonly #events: { readonly at: number; readonly run: () => void }[] = []
  readonly #counts = new ConnectionCounts((name) => this.#get(name)?.isReady === true)
  readonly #balance = new Balance(this.#counts)
  readonly #passes = new Map<
    number,
    { readonly connection: number; readonly sender: Worker; readonly number: number }
  >()
  #isSharing = false
  #sharedAt = -REPORTS
  #connections = 0
  #started = 0
  readonly #random: () => number

  /** @param random From 0 to 1. */
  constructor(workers: number, random: () => number) {
    this.#random = random
    for (let worker = 0; worker < workers; worker++) this.start()
    this.run(REPORTS)
  }

  start(): Worker {
    const connections = new Set<number>()
    const worker: Worker = {
      name: `1.${this.#started++}`,
      connections,
      fewest: undefined,
      isAlive: true,
      isReady: true,
      isReporting: false,
      reportedAt: -REPORTS,
      open: () => connections.size,
      enter: (connection) => {
        connections.add(connection)
        this.#report(worker)
      },
      passing: new Passing<Worker, number>({
        send: (number, _server, connection) => this.#toSupervisor(() => this.#pass(worker, number, connection)),
        close: () => {},
      }),
    }
    this.workers.push(worker)
    this.#report(worker)
    this.#poll(worker)
    return worker
  }

  /** The oldest worker ends. @returns how many connections it had. */
  killFirst(): number {
    const worker = this.workers.shift()
    if (worker === undefined) return 0
    worker.isAlive = false
    worker.isReady = false
    this.#do(this.#balance.gone(worker.name, this.now))
    this.#share()
    return worker.connections.size
  }

  /** So many clients connect, `gap` ms after each other; the kernel chooses the worker. */
  connect(clients: number, gap: number): void {
    for (let client = 0; client < clients; client++) {
      this.#after(client * gap, () => {
        const worker = this.workers[Math.floor(this.#random() * this.workers.length)]
        const connection = this.#connections++
        if (worker !== undefined && !worker.passing.offer(worker, connection, this.now)) worker.enter(connection)
      })
    }
    this.run(clients * gap + 500)
  }

  /** The most and the fewest connections of a worker. */
  spread(): { readonly most: number; readonly fewest: number; readonly all: number } {
    const open = this.workers.map(({ connections }) => connections.size)
    return { most: Math.max(...open), fewest: Math.min(...open), all: open.reduce((sum, one) => sum + one, 0) }
  }

  run(ms: number): void {
    const end = this.now + ms
    for (let next = this.#events[0]; next !== undefined && next.at <= end; next = this.#events[0]) {
      this.#events.shift()
      this.now = next.at
      next.run()
    }
    this.now = end
  }

  #after(ms: number, run: () => void): void {
    const at = this.now + ms
    const before = this.#events.findLastIndex((event) => event.at <= at)
    this.#events.splice(before + 1, 0, { at, run })
  }

  #get(name: string): Worker | undefined {
    return this.workers.find((worker) => worker.name === name)
  }

  #toSupervisor(hear: () => void): void {
    this.messages++
    this.#after(CHANNEL, () => {
      hear()
      this.#share()
    })
  }

  #toWorker(worker: Worker | undefined, hear: (worker: Worker) => void): void {
    this.messages++
    this.#after(CHANNEL, () => {
      if (worker?.isAlive) hear(worker)
    })
  }

  #report(worker: Worker): void {
    if (worker.isReporting) return
    worker.isReporting = true
    this.#after(Math.max(1, worker.reportedAt + REPORTS - this.now), () => {
      worker.isReporting = false
      worker.reportedAt = this.now
      const open = worker.connections.size
      if (worker.isAlive) this.#toSupervisor(() => worker.isAlive && this.#counts.set(worker.name, PLACE, open))
    })
  }

  /** What is due in a worker, and in the supervisor. */
  #poll(worker: Worker): void {
    this.#after(10, () => {
      if (!worker.isAlive) return
      worker.passing.look(this.now)
      this.#do(this.#balance.look(this.now).actions)
      this.#poll(worker)
    })
  }

  #share(): void {
    if (this.#isSharing) return
    this.#isSharing = true
    this.#after(Math.max(1, this.#sharedAt + REPORTS - this.now), () => {
      this.#isSharing = false
      this.#sharedAt = this.now
      for (const { worker, fewest } of this.#counts.shares()) {
        this.#toWorker(this.#get(worker), (told) => {
          told.fewest = fewest
        })
      }
    })
  }

  #pass(sender: Worker, number: number, connection: number | undefined): void {
    if (connection === undefined) return
    const id = this.#passes.size
    this.#passes.set(id, { connection, sender, number })
    this.#counts.set(sender.name, PLACE, sender.connections.size)
    this.#do(this.#balance.pass(id, sender.name, PLACE, sender.isAlive, this.now))
  }

  #answer(pass: number, isTaken: boolean): void {
    const { number, sender } = this.#passes.get(pass) ?? {}
    if (sender === undefined || number === undefined) return
    const fewest = this.#counts.fewestFor(sender.name, PLACE)
    this.#toWorker(sender, () => sender.passing.answered(number, isTaken, fewest, this.now))
  }

  #do(actions: readonly BalanceAction[]): void {
    for (const action of actions) {
      if (action.type === 'keep') {
        this.kept++
        this.#answer(action.pass, false)
      }
      if (action.type === 'done') this.passedOn++
      if (action.type !== 'serve') continue
      this.#answer(action.pass, true)
      this.#toWorker(this.#get(action.worker), (worker) => {
        const passed = this.#passes.get(action.pass)
        if (passed !== undefined) worker.enter(passed.connection)
        const open = worker.connections.size
        this.#toSupervisor(() => this.#do(this.#balance.served(action.pass, worker.name, true, open, this.now)))
      })
    }
  }
}
