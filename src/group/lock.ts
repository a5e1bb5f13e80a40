import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { type Deadline, pause } from '../common/waiting.js'
import { connectAbstract, describeStranger, isStrangers } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { ReusePortLockError } from './group-errors.js'
import { type GroupName, groupSocketName } from './name.js'

/** Held by a process while it changes how the kernel chooses; released by `end()`, and by the end of that process. */
export interface GroupLock {
  end(): void
}

/** ms between two attempts if the holder of a name accepts no waiter: backlog full, or not listening yet. */
const CROWDED = 5

/** ms for which a thread that has released a lock leaves it to waiters: they learn of it through their event loop. */
const COURTESY = 20

/** The names of the locks that this thread has released within that time. */
const released = new Map<string, NodeJS.Timeout>()

/**
 * Acquires the group's lock, under which one process at a time changes the group's program or leaves the group. Waits
 * without blocking the event loop. The holder waits for nothing but itself: the lock is free again in milliseconds.
 *
 * @throws ReusePortLockError if the time is over, or if a process of another user has bound the name of the lock.
 * @throws ReusePortSteeringError if the system has no abstract unix sockets.
 */
export async function lockGroup(addon: Addon, group: GroupName, deadline: Deadline): Promise<GroupLock> {
  const name = groupSocketName('lock', group)
  if (released.has(name)) await pause(COURTESY)
  for (;;) {
    deadline.assertNotAborted()
    const fd = addon.acquireLock(name, 0)
    if (typeof fd === 'number') return toLock(new OwnedDescriptor(addon, fd, 4), name)
    const code = getSystemErrorName(fd.errno)
    if (code === 'ENOSYS') throw new ReusePortSteeringError('this system has no abstract unix sockets')
    if (isStrangers(fd)) throw new ReusePortLockError(`@${name}`, describeStranger(addon, name, 'its name'))
    if (code !== 'ETIMEDOUT') throw new ReusePortLockError(`@${name}`, `${fd.syscall} ${code}`)
    await waitForEnd(addon, name, deadline, 'changes of the group')
  }
}

function toLock(descriptor: OwnedDescriptor, name: string): GroupLock {
  return {
    end: () => {
      descriptor.close()
      clearTimeout(released.get(name))
      released.set(name, setTimeout(() => released.delete(name), COURTESY).unref())
    },
  }
}

/**
 * As `lockGroup`, for a process that changes the policy of the group: waits until no listener leaves the group, because
 * those that leave have a program of their own in force.
 *
 * @throws ReusePortLockError, ReusePortSteeringError
 */
export async function lockForPolicy(addon: Addon, group: GroupName, deadline: Deadline): Promise<GroupLock> {
  const leader = groupSocketName('leader', group)
  for (;;) {
    const lock = await lockGroup(addon, group, deadline)
    const socket = connectAbstract(addon, leader)
    if ('errno' in socket) {
      // A stranger leads no listener of this user's group.
      if (getSystemErrorName(socket.errno) !== 'EAGAIN') return lock
    } else socket.on('error', () => {}).destroy()
    lock.end()
    await waitForEnd(addon, leader, deadline, 'drains')
  }
}

/**
 * Resolves when the process that has bound the name releases it, and also whenever another attempt is due.
 *
 * @throws ReusePortLockError where no time is left; the reason of the signal.
 */
async function waitForEnd(addon: Addon, name: string, deadline: Deadline, what: string): Promise<void> {
  if (deadline.left() === 0) {
    const reason = `process ${process.pid} waited ${deadline.total} ms for ${what} of other processes to end`
    throw new ReusePortLockError(`@${name}`, reason)
  }
  const socket = connectAbstract(addon, name)
  if ('errno' in socket) return pause(CROWDED)
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
