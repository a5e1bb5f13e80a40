// Pure: the errors of groups.
import { addressText } from '../common/address.js'
import type { GroupMember } from './group-types.js'

/** The system's sockets cannot be inspected: it is not Linux, or access to the kernel's sock_diag(7) is denied. */
export class ReusePortInspectionError extends Error {
  readonly code = 'ERR_REUSEPORT_INSPECTION_UNAVAILABLE'
  readonly reason: string

  constructor(neededBy: string, reason: string) {
    super(`${neededBy} needs Linux and its sock_diag interface: ${reason}`)
    this.reason = reason
  }
}

/** The group has as many members as `maxMembers` allows. */
export class ReusePortGroupFullError extends Error {
  readonly code = 'ERR_REUSEPORT_GROUP_FULL'
  readonly maxMembers: number
  readonly members: readonly GroupMember[]

  constructor(address: string, port: number, maxMembers: number, members: readonly GroupMember[]) {
    const names = members.map(({ pid, command, user, uid }) =>
      pid === undefined ? `a process of ${user ?? `uid ${uid}`}` : `${pid} (${command ?? 'unknown'})`,
    )
    super(
      `${addressText(address, port)} has ${members.length} of at most ${maxMembers} members (option maxMembers): ${names.join(', ')}`,
    )
    this.maxMembers = maxMembers
    this.members = members
  }
}

/** A lock of a group could not be acquired: that of `maxMembers`, or that of `steer`, `drain` and `repairGroup`. */
export class ReusePortLockError extends Error {
  readonly code = 'ERR_REUSEPORT_LOCKED'
  /** The abstract unix socket, as `ss -x` shows it. */
  readonly lock: string

  constructor(lock: string, reason: string) {
    super(`The lock ${lock} could not be acquired: ${reason}`)
    this.lock = lock
  }
}
