// Pure: who else accepts where the workers listen, as a sentence.
import { addressText } from '../common/address.js'
import type { Others } from '../supervisor.js'
import { age, cut } from './terminal.js'

const MOST_NAMED = 8
const LONGEST_COMMAND = 60

export function othersText({ address, orphans, port, strangers, supervisors }: Others, now: number): string {
  const who = [
    ...supervisors.map(({ pid, script, startedAt }) => `supervisor ${pid}${about([script], startedAt, now)}`),
    ...(orphans.length > 0 ? [orphansText(orphans, now)] : []),
    ...few(strangers).map(({ command, pid, startedAt }) =>
      pid === undefined
        ? 'a process that this user cannot see'
        : `process ${pid}${about([command && cut(command, LONGEST_COMMAND)], startedAt, now)}`,
    ),
    ...(strangers.length > MOST_NAMED ? [`${strangers.length - MOST_NAMED} more`] : []),
  ]
  return `not alone on ${addressText(address, port)}: ${who.join('; ')}${advice(supervisors.length, orphans.length)}`
}

function orphansText(orphans: Others['orphans'], now: number): string {
  const pids = few(orphans).map(({ pid }) => pid)
  const more = orphans.length > MOST_NAMED ? ' and more' : ''
  const oldest = orphans
    .flatMap(({ startedAt }) => startedAt ?? [])
    .toSorted((one, other) => Number(one) - Number(other))[0]
  const what = orphans.length === 1 ? 'an orphan' : `${orphans.length} orphans`
  return `${what} of a supervisor that has died (${pids.join(', ')}${more}${oldest ? `, up ${age(oldest, now)}` : ''})`
}

function about(texts: readonly (string | undefined)[], startedAt: Date | undefined, now: number): string {
  const known = [...texts, startedAt && `up ${age(startedAt, now)}`].filter(Boolean)
  return known.length === 0 ? '' : ` (${known.join(', ')})`
}

function advice(supervisors: number, orphans: number): string {
  if (supervisors + orphans === 0) return '. Connections go there too'
  const twice = supervisors > 0 ? '. Was it started twice?' : '.'
  const them = [supervisors > 0 && 'that supervisor', orphans > 0 && 'the orphans'].filter(Boolean).join(' and ')
  return `${twice} A start with --replace drains and ends ${them}`
}

function few<T>(all: readonly T[]): readonly T[] {
  return all.slice(0, MOST_NAMED)
}
