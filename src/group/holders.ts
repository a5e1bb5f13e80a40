import process from 'node:process'
import { nextTurn } from '../common/waiting.js'
import type { Addon } from '../native/addon-contract.js'

/** One search answers for all sockets that are asked for in the same turn: it reads /proc of every process. */
let next: { readonly inodes: Set<number>; readonly found: Promise<ReadonlyMap<number, number>> } | undefined

/**
 * Another process that holds this socket too, besides the supervisor of this one, as far as this user may see. A process gets a duplicate by
 * `subprocess.send(message, server)`, from a supervisor, or by SCM_RIGHTS. Linux: proc(5).
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
  return toHolders(addon.findHolders(Float64Array.from(inodes), Float64Array.of(process.pid, supervisor)))
}

/** @param pairs Of pid and inode. @returns a pid for each inode. */
export function toHolders(pairs: Float64Array): ReadonlyMap<number, number> {
  const holders = new Map<number, number>()
  for (let index = 0; index < pairs.length; index += 2) {
    const [pid = 0, inode = 0] = pairs.subarray(index, index + 2)
    holders.set(inode, pid)
  }
  return holders
}
