import { InvalidArgumentValueError, ReusePortSteeringError } from '../common/errors.js'
import type { GroupMember } from '../group/group-types.js'
import { toHolders } from '../group/holders.js'
import { isStillMember, type Member, membersNow } from '../group/member.js'
import type { BoundSocket } from '../group/socket-table.js'
import type { Addon } from '../native/addon-contract.js'
import type { OwnedDescriptor } from '../native/owned-descriptor.js'
import { inodesOf, LEFT, slotsOf, take } from './named-members.js'
import { attachByBuckets, attachChecked, attachInstructions, detach } from './steering.js'
import type { MemberName, Steering, SteeringPolicy } from './steering-types.js'

/** How often a policy is applied to a group whose members change meanwhile. A keeper looks again a second later. */
const ATTEMPTS = 3

/** A policy that was put in force, and the members that the group had at that moment. */
export interface Applied extends Pick<Steering, 'policy' | 'method' | 'reason'> {
  readonly members: readonly BoundSocket[]
}

export function toSteering({ members, method, policy, reason }: Applied, keeper: number | undefined): Steering {
  return { policy, method, members: members.length, keeper, reason }
}

/**
 * Puts a policy in force for the current members of the group. The caller holds the group's lock.
 *
 * @throws ReusePortSteeringError, ReusePortInspectionError; if the change had begun, the kernel then chooses by hash.
 */
export async function applyPolicy(member: Member, policy: SteeringPolicy): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    const applied = await applyOnce(member, policy)
    // A member that left meanwhile may have changed slots.
    if (attempt === ATTEMPTS || areSame(applied.members, membersNow(member, 'steer'))) return applied
  }
}

async function applyOnce(member: Member, policy: SteeringPolicy): Promise<Applied> {
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
    attachInstructions(member, policy.program)
  } else if ('by' in policy) attachByBuckets(member, policy, members.length)
  else {
    const weights = 'weights' in policy ? policy.weights : policy.exclude.map((name) => ({ ...name, weight: 0 }))
    const bySlot = await weightsOf(member, members, weights)
    if (!isStillMember(member)) throw new ReusePortSteeringError(LEFT)
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

/** Whether these are the same sockets, in any order. */
export function areSame(some: readonly BoundSocket[], others: readonly BoundSocket[]): boolean {
  const inodes = new Set(some.map(({ inode }) => inode))
  return some.length === others.length && others.every(({ inode }) => inodes.has(inode))
}

/** The weight of each slot; 1 for a member that is not named. */
async function weightsOf(
  member: Member,
  members: readonly BoundSocket[],
  named: readonly (MemberName & { readonly weight: number })[],
): Promise<readonly number[]> {
  const weights = members.map(() => 1)
  const byInode = new Map<number, number>()
  const inodesOfNames = await inodesOf(member.addon, members, named)
  for (const [at, entry] of named.entries()) {
    if ('slot' in entry) weights[entry.slot] = entry.weight
    else for (const inode of inodesOfNames[at] ?? []) byInode.set(inode, entry.weight)
  }
  const inodes = [...byInode.keys()]
  if (inodes.length > 0) {
    for (const [index, slot] of (await slotsOf(member, members, inodes)).entries()) {
      weights[slot] = byInode.get(inodes[index] as number) as number
    }
  }
  return weights.slice(0, members.length)
}

/** Refuses a name that stands for no current member. A name whose member leaves later is ignored instead. */
export async function refuseStrangers(member: Member, policy: SteeringPolicy): Promise<void> {
  if (typeof policy !== 'object' || !('weights' in policy || 'exclude' in policy)) return
  const [list, names]: readonly [string, readonly MemberName[]] =
    'weights' in policy ? ['weights', policy.weights] : ['exclude', policy.exclude]
  const members = membersNow(member, 'steer')
  const inodes = await inodesOf(member.addon, members, names)
  for (const [at, name] of names.entries()) {
    const isMember = 'slot' in name ? name.slot < members.length : inodes[at]?.length !== 0
    if (!isMember) throw new InvalidArgumentValueError(`policy.${list}[${at}]`, name, 'must name a member of the group')
  }
}

/** A descriptor of this process for one of these members. @throws ReusePortSteeringError: why the last one failed */
export function takeMember(addon: Addon, members: readonly GroupMember[]): OwnedDescriptor {
  let failure: unknown
  for (const { inode } of members) {
    try {
      return take(addon, inode, toHolders(addon.findHolders(Float64Array.of(inode))).get(inode))
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
