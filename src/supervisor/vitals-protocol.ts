// Pure: what a supervisor tells of itself when it is asked how it is, and how that is read.
import { amount, date, integer, list, record, text } from './control-fields.js'
import { parseStatus, type SupervisorStatus } from './control-protocol.js'
import { EXIT_CAUSES } from './exit-cause.js'
import type { LastExit, LastReload, SlotHistory } from './history.js'

/** How a worker is at this moment. */
export interface WorkerVitals {
  /** ms from a question to the answer of its event loop; missing where it has not answered within 200 ms. */
  readonly delay?: number
  /** ms for which a question waits for its answer; missing where none does. */
  readonly silence?: number
  /** Open connections of its servers; missing where it has not answered. */
  readonly open?: number
  /** Connections that its servers got so far; missing without the option `metrics`, and where it has not answered. */
  readonly accepted?: number
  /** ms of CPU time so far; of a thread only where Node tells it. */
  readonly cpu?: number
  /** Bytes in memory; of a thread: the heap and what belongs to it. */
  readonly memory?: number
  /** Connections in the accept queues of its TCP sockets, and the most that have room. Linux. */
  readonly queued?: number
  readonly backlog?: number
}

/** How a supervisor and its workers are, and what has become of earlier workers. */
export interface SupervisorVitals extends SupervisorStatus {
  readonly workers: readonly (SupervisorStatus['workers'][number] & WorkerVitals)[]
  /** ms since its process has started, by a clock that is never set. For differences of `cpu`. */
  readonly clock: number
  /** Of the supervisor's process, as for a worker. */
  readonly cpu?: number
  readonly memory?: number
  /** One for each slot. */
  readonly slots: readonly SlotHistory[]
  readonly lastReload?: LastReload
}

/** @internal @throws Error with the reason, as `parseStatus` does. */
export function parseVitals(value: unknown): SupervisorVitals {
  const vitals = record(value, 'its answer')
  const status = parseStatus(value)
  const told = list(vitals['workers'], 'workers').map((worker) => numbersOf(worker, WORKER_NUMBERS))
  const { lastReload } = vitals
  return {
    ...status,
    workers: status.workers.map((worker, index) => ({ ...worker, ...told[index] })),
    clock: integer(vitals['clock'], 'clock'),
    ...numbersOf(value, ['cpu', 'memory']),
    slots: list(vitals['slots'], 'slots').map(parseSlot),
    ...(lastReload !== undefined && { lastReload: parseReload(lastReload) }),
  }
}

const WORKER_NUMBERS = ['delay', 'silence', 'open', 'accepted', 'cpu', 'memory', 'queued', 'backlog'] as const

function numbersOf<Name extends string>(value: unknown, names: readonly Name[]): { readonly [K in Name]?: number } {
  const given = record(value, 'its answer')
  const known = names.filter((name) => given[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, amount(given[name], name)])) as { [K in Name]?: number }
}

function parseSlot(value: unknown): SlotHistory {
  const { exits, lastExit, restarts, slot } = record(value, 'slots')
  const counts = record(exits, 'slots.exits')
  const known = EXIT_CAUSES.filter((cause) => Object.hasOwn(counts, cause))
  return {
    slot: integer(slot, 'slots.slot'),
    restarts: integer(restarts, 'slots.restarts'),
    exits: Object.fromEntries(known.map((cause) => [cause, integer(counts[cause], 'slots.exits')])),
    ...(lastExit !== undefined && { lastExit: parseExit(lastExit) }),
  }
}

function parseExit(value: unknown): LastExit {
  const { at, cause, generation, pid, reason } = record(value, 'lastExit')
  return {
    cause: text(cause, 'lastExit.cause'),
    reason: text(reason, 'lastExit.reason'),
    // -1: nothing was started.
    pid: pid === -1 ? -1 : integer(pid, 'lastExit.pid'),
    generation: integer(generation, 'lastExit.generation'),
    at: date(at, 'lastExit.at'),
  }
}

function parseReload(value: unknown): LastReload {
  const { at, duration, failure, generation } = record(value, 'lastReload')
  return {
    generation: integer(generation, 'lastReload.generation'),
    at: date(at, 'lastReload.at'),
    ...(duration !== undefined && { duration: integer(duration, 'lastReload.duration') }),
    ...(failure !== undefined && { failure: text(failure, 'lastReload.failure') }),
  }
}
