import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import type { Transport } from '../common/transport.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { ReusePortGroupFullError, ReusePortInspectionError, ReusePortLockError } from './group-errors.js'
import { readGroups, socketsOn } from './reader.js'

/** ms. A process that holds the lock needs less than 1 ms to join the group. */
const LOCK_TIMEOUT = 2000

export interface Joining {
  readonly protocol: Transport
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
}

export interface Admission {
  /** Releases the lock, once this socket has joined the group or has failed to. */
  end(): void
}

const FREE: Admission = { end: () => {} }

/**
 * Admits one more member to a group that has room. Other processes that set `maxMembers` wait until the member has
 * joined. Port 0 needs no lock: the port that the kernel chooses has no members yet.
 *
 * @throws ReusePortGroupFullError, ReusePortLockError, ReusePortInspectionError
 */
export function admit(addon: Addon, joining: Joining, maxMembers: number | undefined): Admission {
  if (maxMembers === undefined || joining.port === 0) return FREE
  const lock = new OwnedDescriptor(addon, acquireLock(addon, joining), joining.family)
  const admission = { end: (): void => lock.close() }
  try {
    refuseWhereFull(addon, joining, maxMembers)
  } catch (error) {
    admission.end()
    throw error
  }
  return admission
}

function acquireLock(addon: Addon, { protocol, family, address, port }: Joining): number {
  const name = `reuseport:${protocol}${family}:${address}:${port}:${process.geteuid?.()}`
  const lock = addon.acquireLock(name, LOCK_TIMEOUT)
  if (typeof lock === 'number') return lock
  const code = getSystemErrorName(lock.errno)
  if (code === 'ENOSYS') throw new ReusePortInspectionError('maxMembers', 'this system has no abstract unix sockets')
  throw new ReusePortLockError(`@${name}`, reasonFor(code))
}

function reasonFor(code: string): string {
  if (code === 'EACCES') return 'a process of another user has bound its name'
  return code === 'ETIMEDOUT' ? `another process has held it for ${LOCK_TIMEOUT} ms` : code
}

function refuseWhereFull(addon: Addon, joining: Joining, maxMembers: number): void {
  const { protocol, port, address } = joining
  const family = joining.family === 4 ? 'IPv4' : 'IPv6'
  const members = socketsOn(addon, 'maxMembers', protocol, port).filter(
    (socket) => socket.address === address && socket.family === family && socket.uid === process.geteuid?.(),
  )
  if (members.length < maxMembers) return
  const groups = readGroups(addon, 'maxMembers', members)
  throw new ReusePortGroupFullError(
    address,
    port,
    maxMembers,
    groups.flatMap((group) => group.members),
  )
}
