// Members that a policy names: which sockets a name stands for, and in which slots they are. The work is done in slices,
// between which the event loop runs.
import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import { nextTurn } from '../common/waiting.js'
import { toHolders } from '../group/holders.js'
import { isStillMember, type Member } from '../group/member.js'
import type { BoundSocket } from '../group/socket-table.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { assertMayRead } from '../node/permission.js'
import { detach, learnSlots, steeringError } from './steering.js'
import type { MemberName } from './steering-types.js'

/** The server of the member that steers has stopped listening, or listens on another socket. */
export const LEFT = 'the server has left its group in the meantime'

/** How many processes are searched, or sockets taken, in one turn: each reads all descriptors of a process (3 µs for one). */
const SEARCHES = 4

/** How many listeners learn their slots in one turn: about 80 µs for each. */
const LISTENERS = 64

/** Calls `work` for each item, and lets the event loop run after each `slice` of them. */
async function inSlices<T>(items: readonly T[], slice: number, work: (item: T) => void): Promise<void> {
  for (const [at, item] of items.entries()) {
    if (at > 0 && at % slice === 0) await nextTurn()
    work(item)
  }
}

/** The inodes of the members that each name stands for; none where these members have left the group. */
export async function inodesOf(
  addon: Addon,
  members: readonly BoundSocket[],
  names: readonly MemberName[],
): Promise<readonly (readonly number[])[]> {
  const all = new Set(members.map(({ inode }) => inode))
  const inodes = Float64Array.from(all)
  const pids = new Set(names.flatMap((name) => ('pid' in name ? [name.pid] : [])))
  if (pids.size > 0) assertMayRead('/proc')
  const held = new Map<number, readonly number[]>()
  await inSlices([...pids], SEARCHES, (pid) => held.set(pid, [...addon.heldBy(pid, inodes)]))
  return names.map((name) => {
    if ('pid' in name) return held.get(name.pid) ?? []
    return 'inode' in name && all.has(name.inode) ? [name.inode] : []
  })
}

/**
 * The slots of these members, in the order of `inodes`.
 *
 * @throws ReusePortSteeringError; the kernel then chooses by hash, or as before the call.
 */
export async function slotsOf(
  member: Member,
  members: readonly BoundSocket[],
  inodes: readonly number[],
): Promise<readonly number[]> {
  const { addon } = member
  const taken: OwnedDescriptor[] = []
  const fds: number[] = []
  try {
    const holders = toHolders(addon.findHolders(Float64Array.from(inodes)))
    await inSlices(inodes, SEARCHES, (inode) => {
      if (inode === member.socket.inode) return fds.push(member.fd)
      const descriptor = take(addon, inode, holders.get(inode))
      taken.push(descriptor)
      return fds.push(descriptor.fd)
    })
    const slots: number[] = []
    for (let at = 0; at < fds.length; at += LISTENERS) {
      await nextTurn()
      if (!isStillMember(member)) throw new ReusePortSteeringError(LEFT)
      const learnt = learnSlots(member, fds.slice(at, at + LISTENERS), members.length)
      const unknown = learnt.indexOf(undefined)
      if (unknown !== -1) {
        detach(member)
        throw new ReusePortSteeringError(
          `the slot of the socket with inode ${inodes[at + unknown]} could not be determined`,
        )
      }
      slots.push(...(learnt as readonly number[]))
    }
    return slots
  } finally {
    for (const descriptor of taken) descriptor.close()
  }
}

/**
 * A descriptor, owned here, for a socket that another process or this process holds.
 *
 * @throws ReusePortSteeringError; AccessDeniedError where Node's permission model hides /proc
 */
export function take(addon: Addon, inode: number, holder: number | undefined): OwnedDescriptor {
  assertMayRead('/proc')
  if (holder === undefined) {
    throw new ReusePortSteeringError(`/proc shows no process that holds the socket with inode ${inode}`)
  }
  const fd = addon.takeSocket(holder, inode)
  if (typeof fd === 'number') return new OwnedDescriptor(addon, fd, 4)
  const { reason } = steeringError(fd)
  const advice =
    holder === process.pid
      ? ''
      : `; duplicating it takes the right to debug process ${holder}: be its parent, or have CAP_SYS_PTRACE`
  throw new ReusePortSteeringError(`the socket of process ${holder} cannot be duplicated: ${reason}${advice}`)
}
