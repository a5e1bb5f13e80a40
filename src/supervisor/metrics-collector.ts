// Collects the numbers of a supervisor when they are asked for. Between two scrapes nothing runs; what ends with a worker is
// taken down at its end.
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
  readonly #reloads: { done: number; failed: number; duration: number; last?: number } = {
    done: 0,
    failed: 0,
    duration: 0,
  }
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
      const { pid, slot, threadId } = worker
      this.#totals.see(nameOf(worker), slot, 'accepted', accepted)
      if (threadId === undefined) this.#totals.see(nameOf(worker), slot, 'cpu', usageOf(pid, readBounded).cpu)
    })
    supervisor.on('worker:exit', (worker) => this.#totals.end(nameOf(worker)))
  }

  /** Ready while any worker is: one that restarts or is replaced is no reason to send clients elsewhere. */
  readiness(): { readonly isReady: boolean; readonly text: string } {
    const { state, workers } = this.#supervisor
    const ready = workers.filter((worker) => worker.state === 'ready').length
    const isReady = (state === 'running' || state === 'reloading') && ready > 0
    return { isReady, text: `${state}, ${ready} ${ready === 1 ? 'worker is' : 'workers are'} ready` }
  }

  async metrics(): Promise<string> {
    const { slots, startedAt, workers, ...own } = await this.#supervisor.vitals()
    for (const worker of workers) {
      const { slot } = worker
      for (const name of COUNTED) this.#totals.see(nameOf(worker), slot, name, worker[name])
    }
    const families = familiesOf({
      ...own,
      startedAt: Date.parse(startedAt),
      reloads: this.#reloads,
      slots: slots.map(({ exits, restarts, slot }) => {
        const all = workers.filter((worker) => worker.slot === slot)
        return { ...this.#slot(slot, all), exits, restarts }
      }),
      sockets: numbersOfSockets(this.#sockets()),
    })
    return formatFamilies(families)
  }

  /** @param workers All of the slot: in a reload there are two. */
  #slot(slot: number, workers: readonly WorkerNumbers[]): Omit<SlotNumbers, 'exits' | 'restarts'> {
    const ready = workers.find(({ state }) => state === 'ready')
    return {
      slot,
      isUp: ready !== undefined,
      responds: ready && ready.delay !== undefined,
      generation: ready?.generation,
      startedAt: ready && Date.parse(ready.startedAt),
      delay: ready?.delay,
      open: sumOf(workers, 'open'),
      memory: sumOf(workers, 'memory'),
      stood: ready?.stood,
      accepted: this.#totals.of(slot, 'accepted'),
      cpu: this.#totals.of(slot, 'cpu'),
      passedOn: this.#totals.of(slot, 'passedOn'),
      joins: this.#totals.of(slot, 'joins') ?? 0,
      acceptedAsGuest: this.#totals.of(slot, 'acceptedAsGuest') ?? 0,
    }
  }

  #reloaded(outcome: 'done' | 'failed'): void {
    const duration = performance.now() - this.#reloadsSince
    this.#reloads[outcome]++
    this.#reloads.duration += duration
    this.#reloads.last = duration
  }
}

const COUNTED = ['accepted', 'cpu', 'passedOn'] as const

interface Named {
  readonly pid: number
  readonly threadId?: number | undefined
  readonly startedAt: Date | string
}

/** Of one worker: a pid comes again. */
function nameOf({ pid, startedAt, threadId }: Named): string {
  return `${pid} ${threadId} ${new Date(startedAt).getTime()}`
}

/** @returns undefined where no worker tells. */
function sumOf(workers: readonly WorkerNumbers[], name: 'open' | 'memory'): number | undefined {
  const told = workers.flatMap((worker) => worker[name] ?? [])
  return told.length === 0 ? undefined : told.reduce((sum, one) => sum + one, 0)
}
