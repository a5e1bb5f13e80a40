// Pure: what a supervisor tells of itself and its workers, as metrics. docs/guides/monitoring.md lists them.
import { EXIT_CAUSES } from './exit-cause.js'
import type { SlotHistory } from './history.js'
import type { Family, Sample } from './metrics-text.js'

/** @internal Of one slot. Undefined: not known, or not measured here. */
export interface SlotNumbers {
  readonly slot: number
  /** Whether a worker is ready. */
  readonly isUp: boolean
  /** Whether that worker has answered in time. */
  readonly responds: boolean | undefined
  readonly generation: number | undefined
  /** ms since 1970. */
  readonly startedAt: number | undefined
  /** ms. */
  readonly delay: number | undefined
  readonly open: number | undefined
  /** Bytes. */
  readonly memory: number | undefined
  /** ms. */
  readonly cpu: number | undefined
  readonly accepted: number | undefined
  readonly joins: number | undefined
  readonly acceptedAsGuest: number | undefined
  /** ms. */
  readonly stood: number | undefined
  readonly passedOn: number | undefined
  /** Workers that were started because the one before had died. */
  readonly restarts: number
  /** Workers that have ended, by cause. */
  readonly exits: SlotHistory['exits']
}

/** @internal A socket that the supervisor keeps. */
export interface SocketNumbers {
  /** Undefined: all workers accept from it. */
  readonly slot: number | undefined
  readonly protocol: 'tcp' | 'udp'
  /** With its port. */
  readonly address: string
  readonly queued: number
  readonly limit: number
  readonly drops: number | undefined
}

/** @internal Times in ms. */
export interface Numbers {
  readonly state: string
  readonly generation: number
  readonly startedAt: number
  readonly cpu?: number
  readonly memory?: number
  readonly reloads: {
    readonly done: number
    readonly failed: number
    readonly duration: number
    readonly last?: number
  }
  readonly slots: readonly SlotNumbers[]
  readonly sockets: readonly SocketNumbers[]
}

const STATES = ['new', 'starting', 'running', 'reloading', 'stopping', 'stopped']

/** @internal */
export function familiesOf(numbers: Numbers): readonly Family[] {
  return [...ofSupervisor(numbers), ...ofWorkers(numbers.slots), ...ofSockets(numbers.sockets)]
}

function ofSupervisor({ cpu, generation, memory, reloads, slots, startedAt, state }: Numbers): readonly Family[] {
  const { done, duration, failed, last } = reloads
  const states = STATES.map((name) => ({ labels: { state: name }, value: Number(name === state) }))
  return [
    gauge('state', 'The state of the supervisor: 1 for the one that it is in.', states),
    gauge('generation', '1 at the start; each reload adds 1.', one(generation)),
    gauge('slots', 'Workers that should run.', one(slots.length)),
    gauge('slots_up', 'Slots whose worker is ready.', one(slots.filter(({ isUp }) => isUp).length)),
    counter('reloads_total', 'Reloads that have ended.', [
      { labels: { outcome: 'done' }, value: done },
      { labels: { outcome: 'failed' }, value: failed },
    ]),
    {
      name: 'reuseport_reload_duration_seconds',
      type: 'summary',
      help: 'How long the reloads took, also those that failed.',
      samples: [
        { part: 'sum', value: duration / 1000 },
        { part: 'count', value: done + failed },
      ],
    },
    gauge('last_reload_duration_seconds', 'How long the last reload took.', one(seconds(last))),
    {
      name: 'process_start_time_seconds',
      type: 'gauge',
      help: 'When the supervisor was started, since 1970.',
      samples: one(startedAt / 1000),
    },
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'CPU time of the supervisor.',
      samples: one(seconds(cpu)),
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the supervisor.',
      samples: one(memory),
    },
  ]
}

function ofWorkers(slots: readonly SlotNumbers[]): readonly Family[] {
  const each = (value: (slot: SlotNumbers) => number | undefined): readonly Sample[] =>
    slots.flatMap((numbers) => {
      const found = value(numbers)
      return found === undefined ? [] : { labels: { slot: numbers.slot }, value: found }
    })
  // Also those that have not been: Prometheus sees no increase in a series that begins with 1.
  const exits = slots.flatMap(({ exits: counts, slot }) =>
    EXIT_CAUSES.map((cause) => ({ labels: { slot, cause }, value: counts[cause] ?? 0 })),
  )
  return [
    gauge(
      'worker_up',
      'Whether the worker of the slot is ready.',
      each(({ isUp }) => Number(isUp)),
    ),
    gauge(
      'worker_responding',
      'Whether that worker has answered this scrape within 200 ms.',
      each(({ responds }) => (responds === undefined ? undefined : Number(responds))),
    ),
    gauge(
      'worker_generation',
      'The generation of that worker.',
      each(({ generation }) => generation),
    ),
    gauge(
      'worker_start_time_seconds',
      'When that worker was started, since 1970.',
      each((of) => seconds(of.startedAt)),
    ),
    gauge(
      'worker_loop_delay_seconds',
      'How long its event loop took to answer.',
      each((of) => seconds(of.delay)),
    ),
    counter(
      'worker_restarts_total',
      'Workers that were started for one that had died.',
      each((of) => of.restarts),
    ),
    counter('worker_exits_total', 'Workers that have ended, by cause.', exits),
    counter(
      'worker_accepted_total',
      'Connections that servers of the slot have got.',
      each((of) => of.accepted),
    ),
    gauge(
      'worker_connections',
      'Open connections of the servers of the slot.',
      each(({ open }) => open),
    ),
    counter(
      'worker_cpu_seconds_total',
      'CPU time of the workers of the slot.',
      each((of) => seconds(of.cpu)),
    ),
    gauge(
      'worker_memory_bytes',
      'Resident memory of the workers of the slot.',
      each(({ memory }) => memory),
    ),
    counter(
      'worker_joins_total',
      'Visits to the queues of other slots.',
      each(({ joins }) => joins),
    ),
    counter(
      'worker_accepted_as_guest_total',
      'Connections accepted in such visits.',
      each(({ acceptedAsGuest }) => acceptedAsGuest),
    ),
    counter(
      'worker_passed_on_total',
      'Connections that another slot got to serve.',
      each((of) => of.passedOn),
    ),
    counter(
      'worker_queue_stood_seconds_total',
      'How long connections stood in its queues.',
      each((of) => seconds(of.stood)),
    ),
  ]
}

function ofSockets(sockets: readonly SocketNumbers[]): readonly Family[] {
  const each = (of: 'tcp' | 'udp', value: (socket: SocketNumbers) => number | undefined): readonly Sample[] =>
    sockets.flatMap((socket) => {
      const found = socket.protocol === of ? value(socket) : undefined
      const labels = { slot: socket.slot ?? 'all', address: socket.address }
      return found === undefined ? [] : { labels, value: found }
    })
  const queued = (socket: SocketNumbers): number => socket.queued
  const limit = (socket: SocketNumbers): number => socket.limit
  const drops = (socket: SocketNumbers): number | undefined => socket.drops
  return [
    gauge('queue_connections', 'Connections in the accept queue.', each('tcp', queued)),
    gauge('queue_backlog', 'Connections that have room in the accept queue.', each('tcp', limit)),
    counter('queue_drops_total', 'Packets of handshakes that the listener dropped.', each('tcp', drops)),
    gauge('udp_queue_bytes', 'Bytes in the receive buffer.', each('udp', queued)),
    gauge('udp_buffer_bytes', 'Size of the receive buffer.', each('udp', limit)),
    counter('udp_drops_total', 'Datagrams that found no room.', each('udp', drops)),
  ]
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `reuseport_${name}`, type: 'gauge', help, samples }
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `reuseport_${name}`, type: 'counter', help, samples }
}

function one(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ value }]
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
