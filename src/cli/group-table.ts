import { addressText } from '../common/address.js'
import type { Group, GroupMember } from '../index.js'
import { leastCommand, sameProgram, shortCommand } from './command-text.js'
import type { WorkerOfGroup } from './supervised.js'
import { type Column, tableLines } from './table.js'
import { age, bar, cut, duration, paint, printable, type Screen } from './terminal.js'

/** Drops per second since the last refresh, by the cookie of the socket. */
export interface Rates {
  readonly drops: ReadonlyMap<string, number>
}

const BAR = 8

type Workers = ReadonlyMap<number, WorkerOfGroup>

function columnsFor(
  screen: Screen,
  now: number,
  rates: Rates | undefined,
  workers: Workers,
): readonly Column<GroupMember>[] {
  const drops = ({ cookie, drops }: GroupMember): string => {
    const rate = rates?.drops.get(cookie) ?? 0
    return `${drops ?? '?'}${rate > 0 ? ` +${rate.toFixed(rate < 10 ? 1 : 0)}/s` : ''}`
  }
  return [
    { title: 'PID', right: true, cell: ({ pid, self }) => `${pid ?? '?'}${self ? '*' : ''}` },
    ...(workers.size === 0 ? [] : [workerColumn(workers)]),
    { title: 'USER', rank: 4, cell: ({ user, uid }) => cut(user ?? String(uid), 12) },
    { title: 'QUEUE', cell: (member) => queue(member, screen) },
    { title: 'DROPS', right: true, rank: 3, cell: drops },
    { title: 'CONN', right: true, rank: 2, cell: ({ established }) => String(established ?? '-') },
    ...(workers.size === 0 ? [] : guestColumns(workers)),
    { title: 'AGE', right: true, rank: 1, cell: ({ startedAt }) => (startedAt ? age(startedAt, now) : '?') },
  ]
}

function workerColumn(workers: Workers): Column<GroupMember> {
  const cell = ({ inode }: GroupMember): string => {
    const worker = workers.get(inode)
    if (worker === undefined) return '-'
    return `${worker.slot} gen ${worker.generation}${worker.state === 'ready' ? '' : ` ${worker.state}`}`
  }
  return { title: 'WORKER', rank: 5, cell }
}

function guestColumns(workers: Workers): readonly Column<GroupMember>[] {
  const of = ({ inode }: GroupMember): WorkerOfGroup | undefined => workers.get(inode)
  return [
    { title: 'STOOD', right: true, rank: 0, cell: (member) => duration((of(member)?.stood ?? 0) / 1000) },
    { title: 'GUEST', right: true, rank: 0, cell: (member) => String(of(member)?.acceptedAsGuest ?? '-') },
  ]
}

function queue({ queued, backlog }: GroupMember, { columns }: Screen): string {
  const numbers = `${queued}/${backlog}`
  return columns === undefined ? numbers : `${bar(backlog === 0 ? 0 : queued / backlog, BAR)} ${numbers}`
}

/** The groups as text: for each group a headline, the titles of the columns, and a line for each member. */
export function groupTable(
  groups: readonly Group[],
  screen: Screen,
  now: number,
  rates?: Rates,
  workers: Workers = new Map(),
): string {
  if (groups.length === 0) return 'No group.\n'
  return groups.map((group) => oneGroup(group, screen, now, rates, workersOf(group, workers))).join('\n')
}

function workersOf({ members }: Group, workers: Workers): Workers {
  return members.some(({ inode }) => workers.has(inode)) ? workers : new Map()
}

function oneGroup(group: Group, screen: Screen, now: number, rates: Rates | undefined, workers: Workers): string {
  const width = screen.columns ?? Number.POSITIVE_INFINITY
  const least = Math.max(LEAST_FOR_COMMAND.from, ...group.members.map(leastFor))
  const lines = tableLines(group.members, columnsFor(screen, now, rates, workers), screen, {
    title: 'COMMAND',
    least: Math.min(LEAST_FOR_COMMAND.to, least),
    cell: (member, room) => shortCommand(commandOf(member), room),
  })
  return `${[headline(group, screen, width), ...lines].join('\n')}\n`
}

function headline(group: Group, screen: Screen, width: number): string {
  const { address, device, members, port, protocol } = group
  const where = addressText(address, port)
  const on = device === undefined ? '' : ` device ${device}`
  const count = members.length === 1 ? '1 member' : `${members.length} members`
  const warning = differences(group)
  const plain = `${protocol} ${where}${on}  ${count}`
  if (warning === undefined) return paint(screen, 'bold', cut(plain, width))
  const marked = cut(`${plain}  ! ${warning}`, width)
  return `${paint(screen, 'bold', marked.slice(0, plain.length))}${paint(screen, 'yellow', marked.slice(plain.length))}`
}

/** A warning about members with different commands or users. Hidden members do not count. */
export function differences({ members }: Group): string | undefined {
  const differs = (of: (member: GroupMember) => unknown): boolean =>
    new Set(members.filter((member) => !member.hidden).map(of)).size > 1
  const what = [
    differs(({ command }) => command && sameProgram(command)) && 'command',
    differs(({ uid }) => uid) && 'user',
  ].filter(Boolean)
  return what.length === 0 ? undefined : `members differ in ${what.join(' and ')}`
}

function commandOf({ command, hidden }: GroupMember): string {
  return hidden ? '(hidden)' : printable(command ?? '?')
}

function leastFor(member: GroupMember): number {
  return leastCommand(commandOf(member))
}

/** A longer name of a script has the other columns' room no more. */
const LEAST_FOR_COMMAND = { from: 10, to: 24 } as const
