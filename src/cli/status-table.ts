// The status of supervisors as text.
import { addressText } from '../common/address.js'
import type { SlotHistory, SupervisorStatus, SupervisorVitals, WorkerVitals } from '../supervisor.js'
import { type Column, tableLines } from './table.js'
import { age, cut, cutStart, duration, paint, printable, type Screen } from './terminal.js'

/** What `reuseport status` knows of a supervisor. One of an earlier version tells less. */
export interface Looked
  extends Omit<SupervisorStatus, 'workers'>,
    Partial<Pick<SupervisorVitals, 'slots' | 'lastReload'>> {
  readonly workers: readonly LookedWorker[]
}

export type LookedWorker = SupervisorStatus['workers'][number] & WorkerVitals & { readonly cpuPercent?: number }

/** A worker, or a slot that has none at the moment. */
interface Row {
  readonly slot: number
  readonly worker: LookedWorker | undefined
  readonly history: SlotHistory | undefined
}

export function statusText(all: readonly Looked[], screen: Screen, now: number): string {
  if (all.length === 0) return 'No supervisor runs.\n'
  return all.map((one) => `${[...headLines(one, screen, now), ...rowLines(one, screen, now)].join('\n')}\n`).join('\n')
}

/** Where the workers of a supervisor listen. */
export function placesText({ places = [], workers }: Pick<SupervisorStatus, 'places' | 'workers'>): string {
  const ports = places.map(({ address, port, protocol }) => {
    const where = addressText(address, port)
    return protocol === 'udp' ? `udp ${where}` : where
  })
  const paths = workers.flatMap(({ paths = [] }) => paths.map((path) => path.replace('\0', '@')))
  return [...ports, ...new Set(paths)].join(', ')
}

const LEAST_FOR_SCRIPT = 30

function headLines(one: Looked, screen: Screen, now: number): readonly string[] {
  const { generation, lastReload, pid, script, startedAt, state } = one
  const width = screen.columns ?? Number.POSITIVE_INFINITY
  const name = printable(script)
  const places = cut(printable(placesText(one)), Math.max(width - 2 - name.length, width - 2 - LEAST_FOR_SCRIPT))
  const title = cutStart(name, places === '' ? width : width - 2 - places.length)
  const about = `  supervisor ${pid}  ${state}, up ${age(new Date(startedAt), now)}, generation ${generation}`
  const lines = [`${paint(screen, 'bold', title)}${places === '' ? '' : `  ${places}`}`, cut(printable(about), width)]
  if (lastReload === undefined) return lines
  const { at, duration: took, failure } = lastReload
  const when = `${age(new Date(at), now)} ago`
  const outcome = failure === undefined ? `took ${duration(Math.round((took ?? 0) / 100) / 10)}` : `failed: ${failure}`
  const line = cut(printable(`  last reload ${when}, to generation ${lastReload.generation}, ${outcome}`), width)
  return [...lines, failure === undefined ? line : paint(screen, 'red', line)]
}

function rowLines({ generation, slots = [], workers }: Looked, screen: Screen, now: number): readonly string[] {
  const history = (slot: number): SlotHistory | undefined => slots.find((one) => one.slot === slot)
  const empty = slots.filter(({ slot }) => workers.every((worker) => worker.slot !== slot))
  const rows: readonly Row[] = [
    ...workers.map((worker) => ({ slot: worker.slot, worker, history: history(worker.slot) })),
    ...empty.map((one) => ({ slot: one.slot, worker: undefined, history: one })),
  ].sort((a, b) => a.slot - b.slot || (b.worker?.generation ?? 0) - (a.worker?.generation ?? 0))
  const isMixed = workers.some((worker) => worker.generation !== generation)
  return [...tableLines(rows, columnsFor(now, isMixed), screen), ...slots.flatMap((one) => exitLine(one, screen, now))]
}

function exitLine({ lastExit, slot }: SlotHistory, screen: Screen, now: number): readonly string[] {
  if (lastExit === undefined) return []
  const { at, pid, reason } = lastExit
  const name = pid === -1 ? `worker ${slot}` : `worker ${slot} (${pid})`
  const text = printable(`  ${age(new Date(at), now)} ago: ${name} ${reason}`)
  return [paint(screen, 'yellow', cut(text, screen.columns ?? text.length))]
}

function columnsFor(now: number, isMixed: boolean): readonly Column<Row>[] {
  const of = (cell: (worker: LookedWorker) => string | undefined) => {
    return ({ worker }: Row): string => (worker === undefined ? '-' : (cell(worker) ?? '-'))
  }
  return [
    { title: 'SLOT', right: true, cell: ({ slot }) => String(slot) },
    { title: 'PID', right: true, cell: of(({ pid, threadId }) => (threadId ? `thread ${threadId}` : `${pid}`)) },
    { title: 'STATE', cell: ({ worker }) => worker?.state ?? 'down' },
    ...(isMixed ? [{ title: 'GEN', right: true, rank: 5, cell: of(({ generation }) => String(generation)) }] : []),
    { title: 'AGE', right: true, rank: 2, cell: of(({ startedAt }) => age(new Date(startedAt), now)) },
    { title: 'CPU', right: true, rank: 8, cell: of(({ cpuPercent }) => cpuPercent?.toString().concat('%')) },
    { title: 'MEM', right: true, rank: 7, cell: of(({ memory }) => (memory === undefined ? memory : size(memory))) },
    { title: 'DELAY', right: true, rank: 6, cell: of(delay) },
    { title: 'CONN', right: true, rank: 4, cell: of(({ open }) => open?.toString()) },
    { title: 'QUEUE', right: true, rank: 3, cell: of(queue) },
    { title: 'RESTARTS', right: true, rank: 1, cell: ({ history }) => String(history?.restarts ?? '-') },
  ]
}

/** Of a worker that starts nobody expects an answer. */
function delay({ delay: ms, silence, state }: LookedWorker): string | undefined {
  if (ms !== undefined) return ms < 10 ? `${ms.toFixed(1)}ms` : `${Math.round(ms)}ms`
  return silence === undefined || state === 'starting' ? undefined : `>${duration(Math.floor(silence / 100) / 10)}`
}

function queue({ backlog, queued }: LookedWorker): string | undefined {
  return backlog === undefined ? undefined : `${queued}/${backlog}`
}

function size(bytes: number): string {
  const megabytes = bytes / (1 << 20)
  return megabytes < 1000 ? `${Math.round(megabytes)}M` : `${(megabytes / 1024).toFixed(1)}G`
}
