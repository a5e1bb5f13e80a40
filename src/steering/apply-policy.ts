import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import type { GroupMember } from '../group/group-types.js'
import { type Member, membersNow } from '../group/member.js'
import type { BoundSocket } from '../group/socket-table.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { attachChecked, detach, learnSlots, steeringError } from './steering.js'
import type { MemberName, Steering, SteeringPolicy } from './steering-types.js'

/** A policy that was put in force, and the members that the group had at that moment. */
export interface Applied extends Pick<Steering, 'policy' | 'method' | 'reason'> {
  readonly members: readonly BoundSocket[]
}

/**
 * Puts a policy in force for the current members of the group. The caller holds the group's lock.
 *
 * @throws ReusePortSteeringError, ReusePortInspectionError; if the change had begun, the kernel then chooses by hash.
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
  else if (policy === 'cpu' || 'cpu' in policy) attachChecked(member, addon.buildProgram('cpu', all, all))
  else if ('program' in policy) {
    attachChecked(
      member,
      Uint32Array.from(policy.program.flatMap(({ code, jt = 0, jf = 0, k = 0 }) => [code, jt, jf, k])),
    )
  } else {
    const weights = 'weights' in policy ? policy.weights : policy.exclude.map((name) => ({ ...name, weight: 0 }))
    const bySlot = weightsOf(member, members, weights)
    if (!bySlot.some((weight) => weight > 0)) return byHash('the policy leaves out every member')
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

/** The weight of each slot; 1 for a member that is not named. */
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

/** The inodes of the members that a name stands for; none if these members have left the group. */
function inodesOf({ addon }: Member, members: readonly BoundSocket[], name: MemberName): readonly number[] {
  const all = members.map(({ inode }) => inode)
  if ('pid' in name) return [...addon.heldBy(name.pid, Float64Array.from(all))]
  return 'inode' in name ? all.filter((inode) => inode === name.inode) : []
}

/** Whether a name stands for at least one current member of the group. */
export function isMember(member: Member, name: MemberName): boolean {
  const members = membersNow(member, 'steer')
  return 'slot' in name ? name.slot < members.length : inodesOf(member, members, name).length > 0
}

/** The slots of these members, in the order of `inodes`. @throws ReusePortSteeringError */
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
      throw new ReusePortSteeringError(`the slot of the socket with inode ${inodes[index]} could not be determined`)
    })
  } finally {
    for (const descriptor of taken) descriptor.close()
  }
}

/** A descriptor of this process for one of these members. @throws ReusePortSteeringError: why the last one failed */
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

/** A descriptor, owned here, for a socket that another process or this process holds. */
function take(addon: Addon, inode: number): OwnedDescriptor {
  const [pid] = addon.findHolders(Float64Array.of(inode))
  if (pid === undefined) {
    throw new ReusePortSteeringError(`/proc shows no process that holds the socket with inode ${inode}`)
  }
  const fd = addon.takeSocket(pid, inode)
  if (typeof fd === 'number') return new OwnedDescriptor(addon, fd, 4)
  const { reason } = steeringError(fd)
  const advice =
    pid === process.pid
      ? ''
      : `; duplicating it takes the right to debug process ${pid}: be its parent, or have CAP_SYS_PTRACE`
  throw new ReusePortSteeringError(`the socket of process ${pid} cannot be duplicated: ${reason}${advice}`)
}
