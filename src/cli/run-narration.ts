// Reports the events of a supervisor, as sentences for people or as JSON.
import { constants } from 'node:os'
import process from 'node:process'
import { ENDING_SIGNALS } from '../common/ending-signals.js'
import type {
  ListeningInfo,
  RecyclingReason,
  Supervisor,
  SupervisorEvents,
  WorkerExit,
  WorkerInfo,
  WorkersLimit,
} from '../supervisor.js'
import { type Colour, paint, printable, type Screen, toJson } from './terminal.js'

const EVENTS: readonly (keyof SupervisorEvents)[] = [
  'workers:auto',
  'worker:start',
  'worker:listening',
  'worker:path',
  'worker:ready',
  'worker:drained',
  'worker:exit',
  'worker:recycle',
  'worker:restart',
  'running',
  'replaced',
  'warning',
  'watch:change',
  'reload:start',
  'reload:soak',
  'reload:done',
  'reload:failed',
  'scaled',
  'stopping',
]

/** The names in JSON of the arguments of each event, in their order. Events that are not listed have one: `worker`. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'workers:auto': ['workers', 'from'],
  'worker:recycle': ['worker', 'reason'],
  'worker:restart': ['slot', 'restart'],
  running: ['workers'],
  replaced: ['replaced'],
  warning: ['message'],
  'watch:change': ['files'],
  'reload:start': ['generation'],
  'reload:soak': ['worker', 'soak'],
  'reload:done': ['generation', 'duration'],
  'reload:failed': ['generation', 'error'],
  scaled: ['workers'],
  stopping: ['error'],
  'worker:listening': ['worker', 'where'],
  'worker:path': ['worker', 'path'],
  'worker:drained': ['worker', 'report'],
  'worker:exit': ['worker', 'exit'],
}

/** A line of JSON for each event. */
export function narrateAsJson(supervisor: Supervisor, write: (line: string) => void): void {
  for (const name of EVENTS) {
    supervisor.on(name, (...told: unknown[]) => {
      const fields = FIELDS[name] ?? ['worker']
      const pairs = fields.map((field, index) => [field, toPlain(told[index])])
      const line = {
        time: new Date().toISOString(),
        supervisor: process.pid,
        event: name,
        ...Object.fromEntries(pairs),
      }
      write(toJson(line))
    })
  }
}

function toPlain(value: unknown): unknown {
  if (value instanceof Error) return { message: value.message, ...('code' in value && { code: value.code }) }
  if (typeof value !== 'object' || value === null || !('error' in value)) return value
  return { ...value, error: toPlain(value.error) }
}

/** A sentence for each event that an operator has to know about. */
export function narrate(supervisor: Supervisor, write: (line: string) => void, screen: Screen): void {
  const say = (text: string, colour?: Colour): void => {
    const name = paint(screen, 'dim', `reuseport ${process.pid}:`)
    write(`${name} ${colour === undefined ? printable(text) : paint(screen, colour, printable(text))}`)
  }
  supervisor.on('workers:auto', (workers, from) => say(`starts ${count(workers, 'worker')}: ${reasonFor(from)}`))
  const places = new Set<string>()
  const listens = (place: string): void => {
    const isNew = !places.has(place)
    places.add(place)
    if (isNew && supervisor.state !== 'starting') say(`also listens on ${place}`, 'green')
  }
  supervisor.on('worker:listening', (_worker, where) => listens(format(where)))
  supervisor.on('worker:path', (_worker, path) => listens(path.replace('\0', '@')))
  supervisor.on('running', (workers) => {
    const all = [...places].join(', ') || 'no port'
    say(`${count(workers, 'worker')} on ${all}: ${supervisor.workers.map(({ pid }) => pid).join(', ')}`, 'green')
  })
  supervisor.on('worker:ready', (worker) => {
    if (supervisor.state === 'reloading') say(`${nameOf(worker)} is ready`)
  })
  supervisor.on('worker:drained', (worker, { lossless, reason }) => {
    if (!lossless) say(`${nameOf(worker)} lost connections when it left: ${reason}`, 'yellow')
  })
  supervisor.on('worker:exit', (worker, exit) => {
    const how = exit.error?.message ?? (exit.signal === null ? `exit code ${exit.code}` : exit.signal)
    if (!exit.isExpected) say(`${nameOf(worker)} died: ${how}`, 'yellow')
    else if (isFailure(exit)) say(`${nameOf(worker)} failed when it was told to end: ${how}`, 'yellow')
  })
  supervisor.on('worker:recycle', (worker, reason) => say(`${nameOf(worker)} is replaced: ${recycled(reason)}`))
  supervisor.on('worker:restart', (slot, { delay, earlyDeaths }) => {
    const why = earlyDeaths > 0 ? ` (early death ${earlyDeaths} in a row)` : ''
    say(`worker ${slot} restarts${delay > 0 ? ` in ${delay} ms` : ''}${why}`)
  })
  supervisor.on('replaced', ({ ended, strangers, late }) => {
    const gone = ended.filter((pid) => !late.includes(pid))
    if (gone.length > 0) say(`replaced the earlier processes: ${gone.join(', ')}`, 'green')
    if (late.length > 0)
      say(`earlier processes that did not end in time and may still serve: ${late.join(', ')}`, 'yellow')
    if (strangers.length > 0)
      say(`processes on the same port that reuseport run did not start, and leaves: ${strangers.join(', ')}`, 'yellow')
  })
  supervisor.on('warning', (message) => say(message, 'yellow'))
  supervisor.on('watch:change', ([first, ...more]) =>
    say(`${first}${more.length > 0 ? ` and ${count(more.length, 'more file')}` : ''} changed`),
  )
  supervisor.on('reload:start', (generation) => say(`reload: generation ${generation} starts`))
  supervisor.on('reload:soak', (worker, soak) =>
    say(`${nameOf(worker)} serves beside the one before it for ${soak / 1000} s (--soak)`),
  )
  supervisor.on('reload:done', (generation, duration) =>
    say(`reload: generation ${generation} serves, after ${(duration / 1000).toFixed(1)} s`, 'green'),
  )
  supervisor.on('reload:failed', (_generation, error) => say(`reload failed: ${error.message}`, 'red'))
  supervisor.on('scaled', (workers) => say(`scaled to ${count(workers, 'worker')}`))
  supervisor.on('stopping', (error) => {
    if (error !== undefined) say(`gives up: ${error.message}`, 'red')
    if (supervisor.workers.length > 0) say(`drains ${count(supervisor.workers.length, 'worker')} and ends`)
  })
}

/** Where the number of `-n auto` comes from. */
function reasonFor(from: WorkersLimit): string {
  if (from.limit === 'cpus') return 'one for each CPU'
  if (from.limit === 'affinity') return `the affinity allows no more of ${count(from.cpus, 'CPU')}`
  if (from.limit === 'most') return `the most there can be, on ${count(from.cpus, 'CPU')}`
  return `the CPU quota in ${from.cgroup} is ${Number(from.quota.toFixed(2))} of ${count(from.cpus, 'CPU')}`
}

/** Why a worker is recycled. */
function recycled(reason: RecyclingReason): string {
  if (reason.why === 'memory')
    return `it has ${megabytes(reason.memory)} of memory (--max-memory ${megabytes(reason.limit)})`
  return `it has served for ${(reason.age / 1000).toFixed(0)} s (--max-age ${reason.limit / 1000}s)`
}

function megabytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(0)}M`
}

/**
 * Whether a program that was told to end has failed. It may end by the signal, or with the exit code that shells give for one
 * (`next start` does); SIGKILL is what the supervisor sends.
 */
function isFailure({ code, error, signal }: WorkerExit): boolean {
  if (error !== undefined) return true
  if (signal === null) return code !== 0 && !ENDING_SIGNALS.some((name) => code === 128 + constants.signals[name])
  return signal !== 'SIGKILL' && !ENDING_SIGNALS.some((name) => name === signal)
}

function nameOf({ slot, pid, threadId }: WorkerInfo): string {
  // Nothing was started: no descriptor or no process was left.
  if (pid === -1) return `worker ${slot}`
  return `worker ${slot} (${threadId === undefined ? pid : `thread ${threadId}`})`
}

function format({ address, family, port }: ListeningInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
