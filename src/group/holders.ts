import process from 'node:process'
import { nextTurn, pause } from '../common/waiting.js'
import type { Addon } from '../native/addon-contract.js'

/** One search answers for all sockets that are asked for in the same turn: it reads /proc of every process. */
let next: { readonly inodes: Set<number>; readonly found: Promise<ReadonlyMap<number, number>> } | undefined

/**
 * Another process that holds this socket too, besides the supervisor of this one, as far as this user may see. A process
 * gets a duplicate by `subprocess.send(message, server)`, from a supervisor, or by SCM_RIGHTS. Linux: proc(5).
 *
 * @returns its pid; undefined where there is none.
 */
export async function otherHolder(
  addon: Addon,
  inode: number,
  supervisor: number = process.pid,
): Promise<number | undefined> {
  const inodes = next?.inodes ?? new Set()
  next ??= { inodes, found: search(addon, inodes, supervisor) }
  inodes.add(inode)
  return (await next.found).get(inode)
}

async function search(
  addon: Addon,
  inodes: ReadonlySet<number>,
  supervisor: number,
): Promise<ReadonlyMap<number, number>> {
  await nextTurn()
  next = undefined
  const asked = Float64Array.from(inodes)
  const found = toHolders(addon.findHolders(asked, Float64Array.of(process.pid, supervisor)))
  if (found.size === 0) return found
  // A child of this process has all its descriptors between fork(2) and execve(2).
  await pause(UNTIL_EXEC)
  const pids = [...new Set(found.values())]
  return new Map(pids.flatMap((pid) => [...addon.heldBy(pid, asked)].map((inode) => [inode, pid] as const)))
}

/** ms from fork to exec, generously. */
const UNTIL_EXEC = 50

/** @param pairs Of pid and inode. @returns a pid for each inode. */
export function toHolders(pairs: Float64Array): ReadonlyMap<number, number> {
  const holders = new Map<number, number>()
  for (let index = 0; index < pairs.length; index += 2) {
    const [pid = 0, inode = 0] = pairs.subarray(index, index + 2)
    holders.set(inode, pid)
  }
  return holders
}
