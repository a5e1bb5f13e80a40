import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { type Deadline, pause } from '../common/waiting.js'
import { connectAbstract } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { ReusePortLockError } from './group-errors.js'
import type { SeenSocket } from './rows.js'

/** Held by a process while it changes how the kernel chooses; released by `end()`, and by the end of that process. */
export interface GroupLock {
  end(): void
}

/** The properties that tell one group from another. */
export type GroupName = Pick<SeenSocket, 'protocol' | 'family' | 'address' | 'device' | 'port' | 'uid'>

/** The name of an abstract unix socket (unix(7)). `ss -x` shows it with an @ in front. */
export function steeringName(purpose: 'lock' | 'keeper', group: GroupName): string {
  const { protocol, family, address, device, port, uid } = group
  const version = family === 'IPv4' ? 4 : 6
  const where = device === 0 ? address : `${address}%${device}`
  return `reuseport:steer-${purpose}:${protocol}${version}:${where}:${port}:${uid}`
}

/** ms between two attempts if the holder of the lock accepts no waiter: backlog full, or not listening yet. */
const CROWDED = 5

/** ms for which a thread that has released a lock leaves it to waiters: they learn of it through their event loop. */
const COURTESY = 20

const released = new Map<string, number>()

/**
 * Acquires the group's lock, under which one process at a time changes how the kernel chooses. Waits without blocking
 * the event loop.
 *
 * @throws ReusePortLockError if the time is over, or if a process of another user has bound the name of the lock.
 * @throws ReusePortSteeringError if the system has no abstract unix sockets.
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
    if (code === 'EACCES') throw new ReusePortLockError(`@${name}`, 'a process of another user has bound its name')
    if (code !== 'ETIMEDOUT') throw new ReusePortLockError(`@${name}`, `${fd.syscall} ${code}`)
    if (deadline.left() === 0) {
      throw new ReusePortLockError(
        `@${name}`,
        `process ${process.pid} waited ${deadline.total} ms while drains or other changes of the group held it`,
      )
    }
    await endOf(addon, name, deadline)
  }
}

/** Resolves when the holder releases the lock, and also whenever another attempt is due. */
async function endOf(addon: Addon, name: string, deadline: Deadline): Promise<void> {
  const socket = connectAbstract(addon, name)
  if ('errno' in socket) {
    await pause(CROWDED)
    return
  }
  try {
    // connectAbstract() leaves the socket unreferenced: the process has to stay alive while it waits.
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
