// What /proc says about processes (proc(5)). A process that ends in the meantime, or that this user may not inspect, is
// skipped.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { Addon } from '../native/addon-contract.js'
import { toHolders } from './holders.js'
import { groupKey, type SeenProcesses, type SeenSocket } from './rows.js'

/**
 * Reads which processes hold these sockets, and gives access to what /proc says about them.
 *
 * @param connectionsTo Gives the inodes of the established connections to a group's address and port.
 */
export function seeProcesses(
  addon: Addon,
  sockets: readonly SeenSocket[],
  connectionsTo: (group: SeenSocket) => Float64Array,
): SeenProcesses {
  const holders = holdersOf(addon, sockets)
  const users = new Map<number, string | undefined>()
  // One look at the descriptors of a process answers for all groups: there may be many of both.
  const held = new Map<number, ReadonlySet<number>>()
  let connections: Float64Array | undefined
  const heldBy = (pid: number): ReadonlySet<number> => {
    connections ??= Float64Array.from(connectedTo(sockets, connectionsTo))
    const found = held.get(pid) ?? new Set(addon.heldBy(pid, connections))
    held.set(pid, found)
    return found
  }
  return {
    own: process.pid,
    holder: (inode) => holders.get(inode),
    command: commandOf,
    startedAt: startOf,
    user(uid) {
      if (!users.has(uid)) users.set(uid, userName(uid))
      return users.get(uid)
    },
    established(pid, group) {
      const own = heldBy(pid)
      return connectionsTo(group).filter((inode) => own.has(inode)).length
    },
  }
}

/** The inodes of the connections to all TCP groups. */
function connectedTo(
  sockets: readonly SeenSocket[],
  connectionsTo: (group: SeenSocket) => Float64Array,
): ReadonlySet<number> {
  const groups = new Map(sockets.map((socket) => [groupKey(socket), socket]))
  return new Set([...groups.values()].flatMap((group) => (group.protocol === 'tcp' ? [...connectionsTo(group)] : [])))
}

/** A pid for each inode. Inode 0 stands for sockets that no process holds. */
function holdersOf(addon: Addon, sockets: readonly SeenSocket[]): ReadonlyMap<number, number> {
  const inodes = sockets.map(({ inode }) => inode).filter((inode) => inode !== 0)
  return toHolders(addon.findHolders(Float64Array.from(inodes)))
}

/** The command line of a process; its name if the command line is empty, as that of a zombie is. */
function commandOf(pid: number): string | undefined {
  const line = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    ?.replace(/\0+$/, '')
    .replaceAll('\0', ' ')
  return line || attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd())
}

/** Ticks per second of the times in /proc (USER_HZ): the same on every Linux architecture that Node runs on. */
const TICKS = 100

function startOf(pid: number): Date | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const boot = attempt(() => readFileSync('/proc/stat', 'utf8'))?.match(/^btime (\d+)$/m)?.[1]
  // The name in the second field may contain spaces and parentheses. The start time is the 22nd field.
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  if (ticks === undefined || boot === undefined) return undefined
  return new Date(Number(boot) * 1000 + (Number(ticks) * 1000) / TICKS)
}

function userName(uid: number): string | undefined {
  const users = attempt(() => readFileSync('/etc/passwd', 'utf8')) ?? ''
  return users
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === String(uid))?.[0]
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
