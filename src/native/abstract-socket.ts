// Abstract unix sockets (unix(7)) by the addon: Node 20 fills their names with zeros, and so finds none but its own.
import net from 'node:net'
import type { SystemFailure } from '../common/errors.js'
import { listenOn } from '../node/adopt.js'
import type { Addon } from './addon-contract.js'
import { OwnedDescriptor } from './owned-descriptor.js'

/** A connection to whoever has the name. Keeps no process alive. */
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

/** The server gets the name, unless somebody has it: ETIMEDOUT; EACCES where that is another user. */
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
