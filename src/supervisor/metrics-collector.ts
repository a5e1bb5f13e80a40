// Collects the numbers of a supervisor when they are asked for. Between two scrapes nothing runs; what ends with a worker is
// taken down at its end.
import process from 'node:process'
import type { SupervisorEvents, WorkerInfo } from './events.js'
import type { AnySlotSocket } from './kept-by-slot.js'
import { familiesOf, type SlotNumbers } from './metrics-families.js'
import type { MetricsAnswers } from './metrics-server.js'
import { numbersOfSockets } from './metrics-sockets.js'
import { formatFamilies } from './metrics-text.js'
import { SlotTotals } from './metrics-totals.js'
import { usageOf } from './process-usage.js'
import { readBounded } from './read-bounded.js'
import type { SupervisorVitals } from './vitals-protocol.js'

/** The part of a supervisor that metrics need. */
export interface Measured {
  on<Name extends keyof SupervisorEvents>(name: Name, listener: (...args: SupervisorEvents[Name]) => void): unknown
  readonly state: string
  readonly workers: readonly WorkerInfo[]
  vitals(): Promise<SupervisorVitals>
}

type WorkerNumbers = SupervisorVitals['workers'][number]

export class Metrics implements MetricsAnswers {
  readonly #supervisor: Measured
  readonly #sockets: () => readonly AnySlotSocket[]
  readonly #totals = new SlotTotals<'accepted' | 'acceptedAsGuest' | 'cpu' | 'joins' | 'passedOn'>()
  readonly #reloads = { done: 0, failed: 0, duration: 0, last: undefined as number | undefined }
  #reloadsSince = 0

  constructor(supervisor: Measured, sockets: () => readonly AnySlotSocket[]) {
    this.#supervisor = supervisor
    this.#sockets = sockets
    supervisor.on('reload:start', () => {
      this.#reloadsSince = performance.now()
    })
    supervisor.on('reload:done', () => this.#reloaded('done'))
    supervisor.on('reload:failed', () => this.#reloaded('failed'))
    supervisor.on('queue:join', ({ slot }) => this.#totals.add(slot, 'joins', 1))
    supervisor.on('queue:part', ({ slot }, { accepted }) => this.#totals.add(slot, 'acceptedAsGuest', accepted))
    supervisor.on('worker:drained', (worker, { accepted }) => {
      this.#totals.see(nameOf(worker), worker.slot, 'accepted', accepted)
      if (worker.threadId !== undefined) return
      this.#totals.see(nameOf(worker), worker.slot, 'cpu', usageOf(worker.pid, readBounded).cpu)
    })
    supervisor.on('worker:exit', (worker) => this.#totals.end(nameOf(worker)))
  }

  /** Ready while any worker is: one that restarts, or is replaced, is no reason to send clients elsewhere. */
  readiness(): { readonly isReady: boolean; readonly text: string } {
    const { state, workers } = this.#supervisor
    const ready = workers.filter((worker) => worker.state === 'ready').length
    const isReady = (state === 'running' || state === 'reloading') && ready > 0
    return { isReady, text: `${state}, ${ready} ${ready === 1 ? 'worker is' : 'workers are'} ready` }
  }

  async metrics(): Promise<string> {
    const { clock, cpu, generation, memory, slots, startedAt, state, workers } = await this.#supervisor.vitals()
    void clock
    for (const worker of workers) {
      for (const name of ['accepted', 'cpu', 'passedOn'] as const)
        this.#totals.see(nameOf(worker), worker.slot, name, worker[name])
    }
    const numbers = slots.map(({ exits, restarts, slot }) => ({
      ...this.#slot(slot, workers.filter((worker) => worker.slot === slot)),
      restarts,
      exits,
    }))
    return formatFamilies(
      familiesOf({
        state,
        generation,
        startedAt: Date.parse(startedAt),
        cpu,
        memory,
        reloads: this.#reloads,
        slots: numbers,
        sockets: numbersOfSockets(this.#sockets()),
      }),
    )
  }
}
