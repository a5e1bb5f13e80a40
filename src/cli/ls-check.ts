// What is wrong on the ports, for health checks.
import { setTimeout as sleep } from 'node:timers/promises'
import { addressText } from '../common/address.js'
import type { Group, GroupMember } from '../index.js'
import { type SupervisorStatus, supervisorVitals } from '../supervisor.js'
import { differences } from './group-table.js'
import type { WorkerOfGroup } from './supervised.js'
import { printable } from './terminal.js'

export interface Problem {
  readonly problem: 'nobody-listens' | 'queue-full' | 'members-differ' | 'worker-hangs'
  /** A sentence. */
  readonly text: string
  readonly port?: number
  /** The process whose queue is full, or that hangs. */
  readonly pid?: number | undefined
}

export interface Checked {
  readonly groups: readonly Group[]
  /** All that run. */
  readonly running: readonly SupervisorStatus[]
  /** By the inodes of their sockets. */
  readonly workers: ReadonlyMap<number, WorkerOfGroup>
}

/** ms for a worker to answer. */
const PATIENCE = 3000
const GLANCE = 200

/** @param ports Somebody has to listen on each of them; empty: on any port. */
export function problemsOf({ groups, running, workers }: Checked, ports: readonly number[]): readonly Problem[] {
  const keepers = new Set(running.map(({ pid }) => pid))
  // A supervisor holds the sockets of workers that have died, and accepts nothing.
  const accepts = ({ inode, pid }: GroupMember): boolean => workers.has(inode) || pid === undefined || !keepers.has(pid)
  const isServed = (port?: number): boolean =>
    groups.some((group) => (port === undefined || group.port === port) && group.members.some(accepts))
  const nobody = ports.filter((port) => !isServed(port)).map((port) => unserved(`port ${port}`, port))
  if (ports.length === 0 && !isServed()) nobody.push(unserved('any port'))
  return [...nobody, ...groups.flatMap(problemsIn)]
}

function unserved(where: string, port?: number): Problem {
  return { problem: 'nobody-listens', text: `nobody listens on ${where}`, ...(port !== undefined && { port }) }
}

function problemsIn(group: Group): readonly Problem[] {
  const { address, members, port, protocol } = group
  const where = `${protocol} ${addressText(address, port)}`
  const differ = differences(group)
  const full = members.filter(({ backlog, queued }) => backlog > 0 && queued >= backlog)
  return [
    ...(differ === undefined ? [] : [{ problem: 'members-differ', text: `${where}: ${differ}`, port } as const]),
    ...full.map(({ backlog, pid, queued }) => {
      const text = `${where}: the queue of process ${pid ?? '(hidden)'} is full: ${queued}/${backlog}`
      return { problem: 'queue-full', text, port, pid } as const
    }),
  ]
}

/** Asks until every worker that is ready has answered, or its time is over. @param pids Those of the supervisors. */
export async function hangsOf(pids: ReadonlySet<number>, patience: number = PATIENCE): Promise<readonly Problem[]> {
  const deadline = performance.now() + patience
  for (;;) {
    const hung = (await supervisorVitals())
      .filter(({ pid }) => pids.has(pid))
      .flatMap(({ pid: supervisor, workers }) =>
        workers.flatMap(({ pid, slot, state, ...vitals }) => {
          const isSilent = state === 'ready' && 'silence' in vitals && vitals.silence !== undefined
          return isSilent ? [{ supervisor, pid, slot }] : []
        }),
      )
    if (hung.length === 0) return []
    if (performance.now() >= deadline) return hung.map((one) => hanging(one, patience))
    await sleep(GLANCE)
  }
}

function hanging(
  one: { readonly supervisor: number; readonly pid: number; readonly slot: number },
  ms: number,
): Problem {
  const text = `worker ${one.slot} (${one.pid}) of supervisor ${one.supervisor} has not answered for ${ms / 1000} s`
  return { problem: 'worker-hangs', text, pid: one.pid }
}

/** A line for each problem; nothing where all is well, as cron likes it. */
export function problemLines(problems: readonly Problem[]): string {
  return problems.map(({ text }) => `${printable(text)}\n`).join('')
}
