import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError, type SystemFailure } from '../common/errors.js'
import { type Member, membersNow } from '../group/member.js'
import type { BoundSocket } from '../group/socket-table.js'
import { whyProgramsStay } from '../system/program-removal.js'
import { bytesProgram, clientAddressProgram } from './bucket-program.js'
import { BUCKETS, slotsWithout } from './buckets.js'
import type { BytesPolicy, ClientAddressPolicy, FilterInstruction } from './steering-types.js'
import { targetsOf } from './targets.js'

/** How often a group is probed whose members change during the probe. */
const ATTEMPTS = 2

/** What is known after listeners were steered around. */
export interface SteeredAway {
  /** The members of the group, those that leave among them. */
  readonly members: readonly BoundSocket[]
  /** The slots of those that leave, in the order of their descriptors. Empty where no program is attached. */
  readonly slots: readonly number[]
}

/**
 * Sends new connections to every member except these, if there are others. The caller holds the group's lock.
 *
 * @param leaving Descriptors of members, `member` among them.
 * @param sticky The policy of the group, where clients stay with their members.
 * @throws ReusePortSteeringError, ReusePortInspectionError; the kernel then chooses by hash, or as before the call.
 */
export function steerAway(
  member: Member,
  leaving: readonly number[],
  neededBy: string,
  sticky?: ClientAddressPolicy,
): SteeredAway {
  for (let attempt = 1; ; attempt++) {
    const members = membersNow(member, neededBy)
    if (members.length <= leaving.length) {
      if (attempt > 1) detach(member)
      return { members, slots: [] }
    }
    const slots = learnSlots(member, leaving, members.length).filter((slot) => slot !== undefined)
    if (slots.length === leaving.length) {
      const staying = [...members.keys()].filter((slot) => !slots.includes(slot))
      if (sticky === undefined || members.length > BUCKETS) steerTo(member, staying)
      else attachByBuckets(member, sticky, members.length, slots)
      return { members, slots }
    }
    if (attempt === ATTEMPTS) {
      detach(member)
      throw new ReusePortSteeringError(
        'the slot of this listener could not be determined: check that the loopback device is up',
      )
    }
  }
}

/** Sends new connections to these slots, to each as often. The caller holds the group's lock. @throws ReusePortSteeringError */
export function steerTo(member: Member, slots: readonly number[]): void {
  const numbers = Float64Array.from(slots)
  attachChecked(member, member.addon.buildProgram('uniform', numbers, numbers))
}

/**
 * The slots of these members (descriptors) of the group; undefined for a slot that could not be determined for certain.
 * Leaves the probe's program attached, which leaves all connections but those of the probe to the hash. On an error the
 * probe's program is detached.
 *
 * @throws ReusePortSteeringError
 */
export function learnSlots(
  member: Member,
  listeners: readonly number[],
  members: number,
): readonly (number | undefined)[] {
  const { addon, fd, socket } = member
  const reason = whyProgramsStay(addon)
  if (reason !== undefined) throw new ReusePortSteeringError(reason)
  let slots: readonly number[] = []
  let failure: SystemFailure | undefined
  const targets = targetsOf(member)
  if (targets.length === 0) {
    throw new ReusePortSteeringError('the interface that the group is bound to has no address, or is down')
  }
  for (const { family, address } of targets) {
    const answer = addon.learnSlots(Float64Array.from(listeners), family, address, socket.port, members, socket.device)
    if ('errno' in answer) {
      failure = answer
      if (isUnreachable(answer)) continue
      // The probe of an earlier target has left its program attached.
      if (slots.length > 0) addon.detachProgram(fd)
      throw steeringError(answer)
    }
    slots = answer
    if (!slots.includes(-1)) break
  }
  if (slots.length === 0 && failure !== undefined) throw steeringError(failure)
  return slots.map((slot) => (slot === -1 ? undefined : slot))
}

/** @throws ReusePortSteeringError */
export function attachChecked({ addon, fd }: Member, program: Uint32Array | SystemFailure): void {
  const failure = 'errno' in program ? program : addon.attachProgram(fd, program)
  if (failure !== undefined) throw steeringError(failure)
}

/** @throws ReusePortSteeringError */
export function attachInstructions(member: Member, program: readonly FilterInstruction[]): void {
  attachChecked(member, wordsOf(program))
}

/** As the addon takes a program. */
export function wordsOf(program: readonly FilterInstruction[]): Uint32Array {
  return Uint32Array.from(program.flatMap(({ code, jt = 0, jf = 0, k = 0 }) => [code, jt, jf, k]))
}

/**
 * Clients stay with their member. The caller holds the group's lock.
 *
 * @param leaving Slots that get no new clients. @throws ReusePortSteeringError
 */
export function attachByBuckets(
  member: Member,
  policy: ClientAddressPolicy | BytesPolicy,
  members: number,
  leaving: readonly number[] = [],
): void {
  if (members > BUCKETS) throw new ReusePortSteeringError(`clients stay with one of ${BUCKETS} members at most`)
  const slots = slotsWithout(members, leaving)
  attachInstructions(member, policy.by === 'bytes' ? bytesProgram(policy, slots) : clientAddressProgram(policy, slots))
}

/** From now on the kernel chooses by hash. @throws ReusePortSteeringError */
export function detach({ addon, fd }: Member): void {
  const failure = addon.detachProgram(fd)
  if (failure !== undefined) throw steeringError(failure)
}

const UNREACHABLE: readonly string[] = [
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'ENETDOWN',
  'EINVAL',
]

function isUnreachable({ errno, syscall }: SystemFailure): boolean {
  return syscall !== 'setsockopt' && syscall !== 'getsockopt' && UNREACHABLE.includes(getSystemErrorName(errno))
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSYS: 'this system cannot attach a program to a group',
  ENOPROTOOPT: 'this kernel has no way to attach or detach a program, or no minimum TTL for this kind of socket',
  EOPNOTSUPP: 'this kernel does not support the call for this kind of socket',
  EPERM: 'the kernel or a seccomp filter denies the call',
  EACCES: 'the kernel or a security module denies the call',
  ENOMEM: 'the program is too large for net.core.optmem_max',
  E2BIG: 'the policy needs a program of more than 4096 instructions',
  EMFILE: 'no descriptor is left in this process: raise RLIMIT_NOFILE',
  ENFILE: 'no descriptor is left on this system: raise fs.file-max',
}

const INVALID: Readonly<Record<string, string>> = {
  setsockopt: 'the socket does not share its port',
  program: 'the kernel does not take this program',
}

export function steeringError(failure: SystemFailure): ReusePortSteeringError {
  const code = getSystemErrorName(failure.errno)
  const what = `${failure.syscall} ${code}`
  const reason = code === 'EINVAL' ? INVALID[failure.syscall] : REASONS[code]
  return new ReusePortSteeringError(reason === undefined ? what : `${reason} (${what})`)
}
