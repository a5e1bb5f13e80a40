// Adds the status that supervisors report to the groups that the kernel reports.
import type { Group } from '../index.js'
import type { SupervisorStatus } from '../supervisor.js'
import { shortPath } from './command-text.js'
import { age, cut, paint, printable, type Screen } from './terminal.js'

export interface WorkerOfGroup {
  readonly supervisor: number
  readonly slot: number
  readonly pid: number
  readonly generation: number
  readonly state: string
  readonly acceptedAsGuest?: number | undefined
  readonly stood?: number | undefined
}

/** The worker that accepts from each socket, by its inode. During a hand-over this is the newer one of two workers. */
export function workersByInode(supervisors: readonly SupervisorStatus[]): ReadonlyMap<number, WorkerOfGroup> {
  const workers = new Map<number, WorkerOfGroup>()
  for (const { pid: supervisor, workers: all } of supervisors) {
    for (const worker of all.toSorted((a, b) => a.generation - b.generation)) {
      const { slot, pid, generation, state, sockets, acceptedAsGuest, stood } = worker
      const told = { supervisor, slot, pid, generation, state, acceptedAsGuest, stood }
      for (const inode of sockets) workers.set(inode, told)
    }
  }
  return workers
}

/** The preload that a supervisor adds to the command of every worker. The table leaves it out, of orphans too. */
const PRELOAD = / --(?:import|require) \S*\/register\.js(?= )/

function withoutPreload(command: string | undefined): string | undefined {
  return command?.replace(PRELOAD, '')
}

/** Names the worker that accepts as the member's process: the supervisor holds the socket too, and may come first. */
export function namingWorkers(
  groups: readonly Group[],
  supervisors: readonly SupervisorStatus[],
  workers: ReadonlyMap<number, WorkerOfGroup>,
  commandOf: (pid: number) => string | undefined = () => undefined,
): readonly Group[] {
  return groups.map((group) => ({
    ...group,
    members: group.members.map((member) => {
      const worker = workers.get(member.inode)
      // A guest has the socket too, and a supervisor.
      if (worker === undefined || worker.pid === member.pid)
        return { ...member, command: withoutPreload(member.command) }
      const status = supervisors.find(({ pid }) => pid === worker.supervisor)
      const startedAt = status?.workers.find(({ pid }) => pid === worker.pid)?.startedAt
      return {
        ...member,
        pid: worker.pid,
        command: withoutPreload(commandOf(worker.pid)) ?? status?.script,
        startedAt: startedAt === undefined ? undefined : new Date(startedAt),
      }
    }),
  }))
}

/** A line for each supervisor. */
export function supervisorLines(supervisors: readonly SupervisorStatus[], screen: Screen, now: number): string {
  return supervisors
    .map(({ pid, script, state, generation, startedAt, workers }) => {
      const name = `supervisor ${pid}`
      const ready = workers.filter((worker) => worker.state === 'ready').length
      const count = ready === workers.length ? `${ready}` : `${ready} of ${workers.length}`
      const rest = `  ${state}, generation ${generation}, ${count} ready, ${age(new Date(startedAt), now)}  `
      const width = screen.columns ?? Number.POSITIVE_INFINITY
      const shown = shortPath(printable(script), width - name.length - rest.length)
      const line = cut(printable(name + rest) + shown, width)
      return `${paint(screen, 'bold', line.slice(0, name.length))}${line.slice(name.length)}\n${pathLines(workers, screen)}`
    })
    .join('')
}

/** A line for each unix path, with the slots of the workers that accept there. */
function pathLines(workers: SupervisorStatus['workers'], screen: Screen): string {
  const paths = [...new Set(workers.flatMap((worker) => worker.paths ?? []))]
  return paths
    .map((path) => {
      const slots = new Set(workers.filter((worker) => worker.paths?.includes(path)).map(({ slot }) => slot))
      const text = `  unix ${path.replace('\0', '@')}  workers ${[...slots].sort((a, b) => a - b).join(' ')}`
      return `${cut(printable(text), screen.columns ?? Number.POSITIVE_INFINITY)}\n`
    })
    .join('')
}
