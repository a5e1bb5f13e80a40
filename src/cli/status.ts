import { setTimeout as sleep } from 'node:timers/promises'
import { type SupervisorStatus, type SupervisorVitals, supervisorVitals } from '../supervisor.js'
import { parseFlags } from './arguments.js'
import type { Output } from './ls.js'
import { toWhich, WHICH_HELP, warn } from './naming.js'
import { type Looked, statusText } from './status-table.js'
import { toJson } from './terminal.js'

export const STATUS_HELP: string = `Usage: reuseport status [pid|script|port] [--json]

Shows supervisors (reuseport run) of this user, or of all users where root asks:
script, ports and state, a line for each worker, and why earlier ones ended.

  --json      print JSON, with all that is known
  -h, --help  print this help

STATE    starting, ready or leaving; down: another worker starts soon
GEN      generation, where not all workers are of the last one
CPU      share of one CPU, over half a second
MEM      resident memory; of a thread: its heap
DELAY    time until the event loop has answered; >2s: no answer for 2 s
CONN     open connections of the worker's servers
QUEUE    connections that wait in its accept queues, and the most that can
RESTARTS workers of this slot that died and were replaced
Connections of threads and cluster workers of a program are not counted.

${WHICH_HELP}

Exit codes: 0 success, 1 there is no such supervisor, 2 wrong usage.`

/** ms. The kernel counts CPU time in steps of 10 ms. */
const WINDOW = 500

export async function status(args: readonly string[], { screen, stream }: Output): Promise<number> {
  const { flags, rest } = parseFlags(args, { json: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    stream.write(`${STATUS_HELP}\n`)
    return 0
  }
  const which = toWhich('status', rest)
  const before = await supervisorVitals(which)
  if (before.length > 0) await sleep(WINDOW)
  const supervisors = (await supervisorVitals(which, warn)).map((one) => withShares(one, before))
  if (supervisors.length === 0 && which !== undefined) throw new Error(`there is no supervisor ${which}`)
  const isJson = flags.has('--json')
  stream.write(isJson ? `${toJson({ supervisors }, 2)}\n` : statusText(supervisors, screen(), Date.now()))
  return 0
}

type Told = SupervisorVitals | SupervisorStatus

/** @param before What was told some time earlier. */
export function withShares(now: Told, before: readonly Told[]): Looked {
  const earlier = before.find(({ pid, startedAt }) => pid === now.pid && startedAt === now.startedAt)
  if (!('clock' in now && earlier !== undefined && 'clock' in earlier)) return now
  const elapsed = now.clock - earlier.clock
  const workers = now.workers.map((worker) => {
    const { cpu, pid, startedAt, threadId } = worker
    const same = earlier.workers.find(
      (one) => one.pid === pid && one.threadId === threadId && one.startedAt === startedAt,
    )
    if (cpu === undefined || same?.cpu === undefined || elapsed <= 0) return worker
    return { ...worker, cpuPercent: Math.round(((cpu - same.cpu) / elapsed) * 100) }
  })
  return { ...now, workers }
}
