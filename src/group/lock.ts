import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { type Deadline, pause } from '../common/waiting.js'
import { connectAbstract } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { ReusePortLockError } from './group-errors.js'
import type { SeenSocket } from './rows.js'

/** Whoever changes how the kernel chooses has it; released by `end()`, and by the death of its process. */
export interface GroupLock {
  end(): void
}

/** What tells a group from others. */
export type GroupName = Pick<SeenSocket, 'protocol' | 'family' | 'address' | 'device' | 'port' | 'uid'>

/** An abstract unix socket (unix(7)), as `ss -x` shows it without the @. */
export function steeringName(purpose: 'lock' | 'keeper', group: GroupName): string {
  const { protocol, family, address, device, port, uid } = group
  const version = family === 'IPv4' ? 4 : 6
  const where = device === 0 ? address : `${address}%${device}`
  return `reuseport:steer-${purpose}:${protocol}${version}:${where}:${port}:${uid}`
}

/** ms: between two looks at a lock that has too many waiters for one more to be told. */
const CROWDED = 5

/** ms in which whoever had a lock leaves it to others: they only hear of its end by their event loop. */
const COURTESY = 20

const released = new Map<string, number>()

/**
 * The one lock under which a group's choice is changed. The event loop goes on while it is waited for.
 *
 * @throws ReusePortLockError where it could not be had in time, or a stranger has taken its name.
 * @throws ReusePortSteeringError where the system has no such lock.
 */
export async function lockGroup(addon: Addon, group: GroupName, deadline: Deadline): Promise<GroupLock> {
  const name = steeringName('lock', group)
  if (performance.now() - (released.get(name) ?? Number.NEGATIVE_INFINITY) < COURTESY) await pause(COURTESY)
  for (;;) {
    deadline.assertNotAborted()
    const fd = addon.acquireLock(name, 0)
    if (typeof fd === 'number') {
      const lock = new OwnedDescriptor(addon, fd, 4)
      return {
        end: () => {
          lock.close()
          released.delete(name)
          released.set(name, performance.now())
        },
      }
    }
    const code = getSystemErrorName(fd.errno)
    if (code === 'ENOSYS') throw new ReusePortSteeringError('this system has no abstract unix sockets')
    if (code === 'EACCES') throw new ReusePortLockError(`@${name}`, 'a process of another user has taken its name')
    if (code !== 'ETIMEDOUT') throw new ReusePortLockError(`@${name}`, `${fd.syscall} ${code}`)
    if (deadline.left() === 0) {
      throw new ReusePortLockError(`@${name}`, `others have had it for ${deadline.total} ms (process ${process.pid})`)
    }
    await endOf(addon, name, deadline)
  }
}

/** Until whoever has the lock lets it go, or there is reason to look again. */
async function endOf(addon: Addon, name: string, deadline: Deadline): Promise<void> {
  const socket = connectAbstract(addon, name)
  if ('errno' in socket) {
    await pause(CROWDED)
    return
  }
  try {
    // Waited for, so that the process stays.
    socket.on('error', () => {}).ref()
    await deadline.race(
      new Promise<void>((resolve) => {
        socket.once('close', () => resolve())
      }),
    )
  } finally {
    socket.destroy()
  }
}
