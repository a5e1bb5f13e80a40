// Abstract unix sockets (unix(7)) by the addon: Node 20 fills their names with zeros, and so finds none but its own.
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'
import { listenOn } from '../node/adopt.js'
import type { Addon } from './addon-contract.js'
import { OwnedDescriptor } from './owned-descriptor.js'

/**
 * A connection to the process of this user that has bound the name. It keeps no process alive.
 *
 * @returns ECONNREFUSED where no process has bound the name, or its owner does not listen yet; EAGAIN where the queue of
 *   its owner is full; EACCES where another user has bound it, listening or not.
 */
export function connectAbstract(addon: Addon, name: string): net.Socket | SystemFailure {
  const fd = addon.connectToLock(name)
  if (typeof fd !== 'number') return fd
  const descriptor = new OwnedDescriptor(addon, fd, 4)
  try {
    const socket = new net.Socket({ fd, readable: true, writable: true })
    descriptor.release()
    return socket.unref()
  } finally {
    descriptor.close()
  }
}

/** @returns ETIMEDOUT where another process of this user has bound the name; EACCES where another user has. */
export function listenAbstract(addon: Addon, name: string, server: net.Server): SystemFailure | undefined {
  const fd = addon.acquireLock(name, 0)
  if (typeof fd !== 'number') return fd
  const descriptor = new OwnedDescriptor(addon, fd, 4)
  try {
    return listenOn(server, fd, () => descriptor.release())
  } finally {
    descriptor.close()
  }
}

/** Whether a name is another user's. */
export function isStrangers({ errno }: SystemFailure): boolean {
  return getSystemErrorName(errno) === 'EACCES'
}

/** That another user has bound a name, as a clause that names the user where the kernel tells it. */
export function describeStranger(addon: Addon, name: string, called = `the name @${name}`): string {
  const owner = addon.nameOwner(name)
  const who = 'errno' in owner || owner.uid === null ? 'another user' : `uid ${owner.uid}`
  return `a process of ${who} has bound ${called}`
}
