import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import type { GroupMember } from '../group/group-types.js'
import { type Member, membersNow } from '../group/member.js'
import type { BoundSocket } from '../group/socket-table.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { attachChecked, detach, learnSlots, steeringError } from './steering.js'
import type { MemberName, Steering, SteeringPolicy } from './steering-types.js'

/** What was put in force, and for which members. */
export interface Applied extends Pick<Steering, 'policy' | 'method' | 'reason'> {
  readonly members: readonly BoundSocket[]
}

/**
 * Puts a policy in force for the members that there are now. The caller has the group's lock.
 *
 * @throws ReusePortSteeringError, ReusePortInspectionError; where it had begun, the kernel then chooses by hash.
 */
export function applyPolicy(member: Member, policy: SteeringPolicy): Applied {
  const members = membersNow(member, 'steer')
  const inForce = (method: Applied['method'], reason?: string): Applied => ({ policy, method, members, reason })
  const byHash = (reason?: string): Applied => {
    detach(member)
    return { policy: reason === undefined ? policy : 'hash', method: 'hash', members, reason }
  }
  if (policy === 'hash') return byHash()
  const { addon } = member
  const all = Float64Array.from(members.keys())
  if (policy === 'random') attachChecked(member, addon.buildProgram('uniform', all, all))
  else if ('cpu' in policy) attachChecked(member, addon.buildProgram('cpu', all, all))
  else if ('program' in policy) {
    attachChecked(
      member,
      Uint32Array.from(policy.program.flatMap(({ code, jt = 0, jf = 0, k = 0 }) => [code, jt, jf, k])),
    )
  } else {
    const weights = 'weights' in policy ? policy.weights : policy.exclude.map((name) => ({ ...name, weight: 0 }))
    const bySlot = weightsOf(member, members, weights)
    if (!bySlot.some((weight) => weight > 0)) return byHash('no member would be left')
    const positive = all.filter((slot) => (bySlot[slot] ?? 0) > 0)
    attachChecked(
      member,
      'exclude' in policy
        ? addon.buildProgram('uniform', positive, positive)
        : addon.buildProgram('weighted', all, Float64Array.from(bySlot)),
    )
  }
  return inForce('program')
}

/** The weight of each slot. */
function weightsOf(
  member: Member,
  members: readonly BoundSocket[],
  named: readonly (MemberName & { readonly weight: number })[],
): readonly number[] {
  const weights = members.map(() => 1)
  const byInode = new Map<number, number>()
  for (const entry of named) {
    if ('slot' in entry) weights[entry.slot] = entry.weight
    else for (const inode of inodesOf(member, members, entry)) byInode.set(inode, entry.weight)
  }
  const inodes = [...byInode.keys()]
  if (inodes.length > 0) {
    for (const [index, slot] of slotsOf(member, members, inodes).entries()) {
      weights[slot] = byInode.get(inodes[index] as number) as number
    }
  }
  return weights.slice(0, members.length)
}

/** A name of somebody who has left names nobody. */
function inodesOf({ addon }: Member, members: readonly BoundSocket[], name: MemberName): readonly number[] {
  const all = members.map(({ inode }) => inode)
  if ('pid' in name) return [...addon.heldBy(name.pid, Float64Array.from(all))]
  return 'inode' in name ? all.filter((inode) => inode === name.inode) : []
}

/** Whether a name names a member. */
export function isMember(member: Member, name: MemberName): boolean {
  const members = membersNow(member, 'steer')
  return 'slot' in name ? name.slot < members.length : inodesOf(member, members, name).length > 0
}

/** @throws ReusePortSteeringError */
function slotsOf(member: Member, members: readonly BoundSocket[], inodes: readonly number[]): readonly number[] {
  const taken: OwnedDescriptor[] = []
  try {
    const fds = inodes.map((inode) => {
      if (inode === member.socket.inode) return member.fd
      const descriptor = take(member.addon, inode)
      taken.push(descriptor)
      return descriptor.fd
    })
    return learnSlots(member, fds, members.length).map((slot, index) => {
      if (slot !== undefined) return slot
      detach(member)
      throw new ReusePortSteeringError(`the slot of the socket with inode ${inodes[index]} could not be told`)
    })
  } finally {
    for (const descriptor of taken) descriptor.close()
  }
}

/** A descriptor of ours for one of these members. @throws ReusePortSteeringError: why not of the last */
export function takeMember(addon: Addon, members: readonly GroupMember[]): OwnedDescriptor {
  let failure: unknown
  for (const { inode } of members) {
    try {
      return take(addon, inode)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** A descriptor of ours for a socket of another process, or of this one. */
function take(addon: Addon, inode: number): OwnedDescriptor {
  const [pid] = addon.findHolders(Float64Array.of(inode))
  if (pid === undefined) {
    throw new ReusePortSteeringError(`no process can be seen that holds the socket with inode ${inode}`)
  }
  const fd = addon.takeSocket(pid, inode)
  if (typeof fd === 'number') return new OwnedDescriptor(addon, fd, 4)
  const { reason } = steeringError(fd)
  const advice =
    pid === process.pid
      ? ''
      : '; to learn the slot of another process takes what a debugger takes: be its parent, or have CAP_SYS_PTRACE'
  throw new ReusePortSteeringError(`the socket of process ${pid} is out of reach: ${reason}${advice}`)
}
