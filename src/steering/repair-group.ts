// What `repairGroup` does.
import { addressText } from '../common/address.js'
import { AccessDeniedError, ReusePortSteeringError } from '../common/errors.js'
import { Deadline } from '../common/waiting.js'
import type { Group, GroupTarget } from '../group/group-types.js'
import { inspectGroup } from '../group/inspect-group.js'
import { lockForPolicy } from '../group/lock.js'
import type { GroupName } from '../group/name.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { requireAddon } from '../native/require-addon.js'
import { takeMember } from './apply-policy.js'
import { askKeeper, tellKeeper } from './keeper-channel.js'
import { steeringError } from './steering.js'
import type { Steering } from './steering-types.js'

/** ms for a drain that is still running: when it ends, it restores the group itself. */
const LOCK_TIMEOUT = 5000

export async function repairGroup(target: GroupTarget | number): Promise<Steering> {
  const addon = requireAddon('repairGroup')
  const group = await inspectGroup(target)
  if (group.members.length === 0 || group.protocol !== 'tcp') {
    throw new ReusePortSteeringError(`no TCP server listens on ${addressText(group.address, group.port)}`)
  }
  const name: GroupName = { ...group, device: group.device ?? 0 }
  const deadline = new Deadline(LOCK_TIMEOUT, undefined)
  tellKeeper(addon, name)
  // A wish of time 0 is older than any other, so it changes nothing: it only asks for the policy in force.
  const kept = await askKeeper(addon, name, { policy: 'hash', since: 0 }, deadline)
  if (kept !== undefined) return kept
  const lock = await lockForPolicy(addon, name, deadline)
  try {
    detachFrom(addon, group)
  } finally {
    lock.end()
  }
  return { policy: 'hash', method: 'hash', members: group.members.length, keeper: undefined, reason: undefined }
}

function detachFrom(addon: Addon, group: Group): void {
  const descriptor = reach(addon, group)
  try {
    const failure = addon.detachProgram(descriptor.fd)
    if (failure !== undefined) throw steeringError(failure)
  } finally {
    descriptor.close()
  }
}

function reach(addon: Addon, group: Group): OwnedDescriptor {
  try {
    return takeMember(addon, group.members)
  } catch (error) {
    const isOutOfReach = error instanceof ReusePortSteeringError || error instanceof AccessDeniedError
    if (!isOutOfReach || group.device !== undefined) throw error
    return join(addon, group)
  }
}

/** Joins the group as one more member, which answers no client. */
function join(addon: Addon, { address, ipv6Only, port, ...group }: Group): OwnedDescriptor {
  const family = group.family === 'IPv4' ? 4 : 6
  const fd = addon.openSocket({ transport: 'tcp', family, ipv6Only: ipv6Only === true, multipath: false })
  if (typeof fd !== 'number') throw steeringError(fd)
  const descriptor = new OwnedDescriptor(addon, fd, family)
  const deferred = addon.deferNewConnections(fd, family)
  const failure =
    (typeof deferred === 'number' ? undefined : deferred) ?? descriptor.bind(address, port) ?? addon.listen(fd, 1)
  if (failure === undefined) return descriptor
  descriptor.close()
  throw steeringError(failure)
}
