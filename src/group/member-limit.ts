import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { describeStranger, isStrangers } from '../native/abstract-socket.js'
import type { Addon, NameOwner } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { ReusePortGroupFullError, ReusePortInspectionError } from './group-errors.js'
import { groupSocketName } from './name.js'
import { readGroups, socketsOn } from './reader.js'

/**
 * ms for which the event loop may stand still. A process that holds the lock needs less than 1 ms to join the group, so
 * this is for one that has no CPU at that moment.
 */
const LOCK_TIMEOUT = 50

/** ms more for processes of this user that start at the same moment, on a machine that has no CPU for them. */
const OWN_TIMEOUT = 2000

export interface Joining {
  readonly protocol: Transport
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
}

export interface Admission {
  /**
   * For the socket when it is a member: counts once more, because another process may not have had the lock.
   *
   * @throws ReusePortGroupFullError where the group has become too large; the caller then closes the socket.
   */
  confirm(): void
  /** Releases the lock, once this socket has joined the group or has failed to. */
  end(): void
}

const FREE: Admission = { confirm: () => {}, end: () => {} }

/**
 * Admits one more member to a group that has room. Other processes that set `maxMembers` wait until the member has
 * joined. Members are counted before and after this one has joined, because the lock may not be to be had in time, or a
 * stranger may have bound its name: of processes that join at the same moment all may then be refused, but never too many be admitted.
 * Port 0 needs no lock: the port that the kernel chooses has no members yet.
 *
 * @throws ReusePortGroupFullError, ReusePortInspectionError
 */
export function admit(addon: Addon, joining: Joining, maxMembers: number | undefined): Admission {
  if (maxMembers === undefined || joining.port === 0) return FREE
  const lock = acquireLock(addon, joining)
  const confirm = (): void => refuseWhereFull(addon, joining, maxMembers, maxMembers + 1)
  const admission = { confirm, end: (): void => lock?.close() }
  try {
    refuseWhereFull(addon, joining, maxMembers)
  } catch (error) {
    admission.end()
    throw error
  }
  return admission
}

function acquireLock(addon: Addon, { protocol, family, address, port }: Joining): OwnedDescriptor | undefined {
  const where = { protocol, family: family === 4 ? 'IPv4' : 'IPv6', address, port, device: 0 } as const
  const name = groupSocketName('join', where)
  let lock = addon.acquireLock(name, LOCK_TIMEOUT)
  if (isBusy(lock) && isOwn(addon.nameOwner(name))) lock = addon.acquireLock(name, OWN_TIMEOUT)
  if (typeof lock === 'number') return new OwnedDescriptor(addon, lock, family)
  const code = getSystemErrorName(lock.errno)
  if (code === 'ENOSYS') throw new ReusePortInspectionError('maxMembers', 'this system has no abstract unix sockets')
  if (isStrangers(lock)) warnOfStranger(describeStranger(addon, name))
  return undefined
}

function isBusy(lock: number | SystemFailure): boolean {
  return typeof lock !== 'number' && getSystemErrorName(lock.errno) === 'ETIMEDOUT'
}

/** Also where nobody has the name at this moment: from one holder to the next. */
function isOwn(owner: NameOwner | SystemFailure): boolean {
  return 'errno' in owner ? getSystemErrorName(owner.errno) === 'ENOENT' : owner.isOwn
}

const told = new Set<string>()

/** Once for each name and thread. */
function warnOfStranger(reason: string): void {
  if (told.has(reason)) return
  told.add(reason)
  process.emitWarning(`maxMembers counts the members without a lock: ${reason}`, {
    type: 'ReusePortWarning',
    code: 'REUSEPORT_NAME_TAKEN',
  })
}

/** @param limit How many members are too many. */
function refuseWhereFull(addon: Addon, joining: Joining, maxMembers: number, limit = maxMembers): void {
  const { protocol, port, address } = joining
  const family = joining.family === 4 ? 'IPv4' : 'IPv6'
  const members = socketsOn(addon, 'maxMembers', protocol, port).filter(
    (socket) => socket.address === address && socket.family === family && socket.uid === process.geteuid?.(),
  )
  if (members.length < limit) return
  const groups = readGroups(addon, 'maxMembers', members)
  throw new ReusePortGroupFullError(
    address,
    port,
    maxMembers,
    groups.flatMap((group) => group.members),
  )
}
