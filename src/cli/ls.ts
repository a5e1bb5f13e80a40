import { readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { type Group, inspectGroups } from '../index.js'
import { type SupervisorStatus, supervisors } from '../supervisor.js'
import { type Flags, parseFlags, toPorts, UsageError } from './arguments.js'
import { differences, groupTable, type Rates } from './group-table.js'
import { hangsOf, problemLines, problemsOf } from './ls-check.js'
import { warn } from './naming.js'
import { namingWorkers, supervisorLines, type WorkerOfGroup, workersByInode } from './supervised.js'
import { cut, paint, type Screen, toJson } from './terminal.js'

export const LS_HELP = `Usage: reuseport ls [port ...] [options]

Lists the groups of this machine, or only those on the given ports, and the
process that holds each socket. A group is the set of sockets that the kernel
chooses between: one protocol, address, port and user.

  --udp              list UDP instead of TCP
  --check            say what is wrong, and nothing else: nobody listens, a
                     queue is full, members differ, a worker is silent for 3 s
  --watch [seconds]  refresh every 2 seconds, or at the given interval, until
                     Ctrl-C (put ports before this option)
  --json             print JSON: one document, with --watch one for each line
  -h, --help         print this help

PID    process that holds the socket; * marks this process
WORKER slot, generation and state of a worker of reuseport run
QUEUE  TCP: connections in the accept queue, and the backlog
       UDP: bytes in the receive buffer, and the size of the buffer
DROPS  TCP: packets of handshakes that the listener dropped: its queue was full,
       or the client repeated or broke off the handshake
       UDP: datagrams that found no room
CONN   established connections that the process holds
STOOD  how long connections had to wait in the queue of this worker's slot
GUEST  connections that this worker has accepted from the queues of others
A process of another user is (hidden): run ls as root. So is a process in
another process namespace: run ls there.

Exit codes: 0 success, 1 --check has found something, or this system cannot list
groups, 2 wrong usage.`

const FLAGS: Flags = { udp: 'boolean', check: 'boolean', watch: 'seconds', json: 'boolean', help: 'boolean' }
const INTERVAL = 2

export interface Output {
  readonly stream: Writable & { readonly columns?: number }
  readonly screen: () => Screen
}

/** Registers what to do when the user ends `--watch`. */
export type Interrupted = (onEnd: () => void) => void

export async function ls(args: readonly string[], out: Output, interrupted: Interrupted): Promise<number> {
  const { flags, rest } = parseFlags(args, FLAGS)
  if (flags.has('--help')) {
    out.stream.write(`${LS_HELP}\n`)
    return 0
  }
  const ports = toPorts(rest)
  const protocol = flags.has('--udp') ? 'udp' : 'tcp'
  const look = async (): Promise<Seen> => {
    const [groups, all] = await Promise.all([
      inspectGroups({ protocol, ...(ports.length > 0 && { ports }) }),
      protocol === 'tcp' ? supervisors(warn) : [],
    ])
    const workers = workersByInode(all)
    const seen = new Set(groups.flatMap(({ members }) => members.map(({ inode }) => workers.get(inode)?.supervisor)))
    const shown = ports.length === 0 ? all : all.filter(({ pid }) => seen.has(pid))
    return { groups: namingWorkers(groups, all, workers, commandOf), supervisors: shown, running: all, workers }
  }
  const watch = flags.get('--watch')
  if (flags.has('--check')) {
    if (watch !== undefined) throw new UsageError('--check and --watch cannot be together')
    return check(await look(), ports, flags.has('--json'), out)
  }
  if (watch !== undefined) {
    const seconds = watch === true ? INTERVAL : watch
    await watchGroups(look, seconds, flags.has('--json'), out, interrupted)
    return 0
  }
  const seen = await look()
  out.stream.write(flags.has('--json') ? `${documentOf(seen, 2)}\n` : toText(seen, out.screen(), Date.now()))
  return 0
}

/** @returns the exit code. */
async function check(seen: Seen, ports: readonly number[], json: boolean, { stream }: Output): Promise<number> {
  const hanging = await hangsOf(new Set(seen.supervisors.map(({ pid }) => pid)))
  const problems = [...problemsOf(seen, ports), ...hanging]
  const ok = problems.length === 0
  stream.write(json ? `${toJson({ ok, problems }, 2)}\n` : problemLines(problems))
  return ok ? 0 : 1
}

/** Linux: proc(5). Undefined where the process has ended. */
function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ') || undefined
  } catch {
    return undefined
  }
}

interface Seen {
  readonly groups: readonly Group[]
  /** Those on the ports that were asked for. */
  readonly supervisors: readonly SupervisorStatus[]
  readonly running: readonly SupervisorStatus[]
  readonly workers: ReadonlyMap<number, WorkerOfGroup>
}

function toText({ groups, supervisors: all, workers }: Seen, screen: Screen, now: number, rates?: Rates): string {
  const table = groupTable(groups, screen, now, rates, workers)
  return all.length === 0 ? table : `${table}\n${supervisorLines(all, screen, now)}`
}

/** docs/cli.md has the schema. */
function documentOf({ groups, supervisors: all, workers }: Seen, indent?: number): string {
  const marked = groups.map((group) => ({
    ...group,
    members: group.members.map((member) => ({ ...member, worker: workers.get(member.inode) })),
    differences: differences(group),
  }))
  return toJson({ groups: marked, supervisors: all }, indent)
}

const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const REST_OF_LINE = '\x1b[K'
const REST_OF_SCREEN = '\x1b[J'

async function watchGroups(
  look: () => Promise<Seen>,
  seconds: number,
  json: boolean,
  { stream, screen }: Output,
  interrupted: Interrupted,
): Promise<void> {
  const inPlace = !json && screen().columns !== undefined
  let timer: NodeJS.Timeout | undefined
  let wake = (): void => {}
  let goesOn = true
  interrupted(() => {
    goesOn = false
    clearTimeout(timer)
    wake()
  })
  if (inPlace) stream.write(ENTER)
  try {
    let last: Look | undefined
    while (goesOn) {
      const now: Look = { ...(await look()), at: Date.now() }
      if (json) stream.write(`${documentOf(now)}\n`)
      else stream.write(frame(now, last, seconds, screen(), inPlace))
      last = now
      if (!goesOn) break
      await new Promise<void>((resolve) => {
        wake = resolve
        timer = setTimeout(resolve, seconds * 1000)
      })
    }
  } finally {
    if (inPlace) stream.write(LEAVE)
  }
}

interface Look extends Seen {
  readonly at: number
}

function frame(now: Look, last: Look | undefined, seconds: number, screen: Screen, inPlace: boolean): string {
  const table = toText(now, screen, now.at, ratesSince(now, last))
  if (!inPlace) return `${table}\n`
  const time = new Date(now.at).toTimeString().slice(0, 8)
  const text = `${time}, refreshed every ${seconds} s. Ctrl-C ends.`
  const title = paint(screen, 'dim', cut(text, screen.columns ?? text.length))
  // A line beyond the last row would scroll the first line away.
  const lines = `${title}\n\n${table.trimEnd()}`
    .split('\n')
    .slice(0, screen.rows)
    .map((line) => line + REST_OF_LINE)
  return `${HOME}${lines.join('\n')}${REST_OF_SCREEN}`
}

function ratesSince(now: Look, last: Look | undefined): Rates {
  const drops = new Map<string, number>()
  if (last === undefined) return { drops }
  const elapsed = (now.at - last.at) / 1000
  const before = new Map(last.groups.flatMap(({ members }) => members.map((one) => [one.cookie, one.drops])))
  for (const { cookie, drops: count = 0 } of now.groups.flatMap(({ members }) => members)) {
    drops.set(cookie, (count - (before.get(cookie) ?? count)) / elapsed)
  }
  return { drops }
}
