// Abstract unix sockets (unix(7)) by the addon: Node 20 pads their names with zeros and finds only its own sockets.
import net from 'node:net'
import type { SystemFailure } from '../common/errors.js'
import { listenOn } from '../node/adopt.js'
import type { Addon } from './addon-contract.js'
import { OwnedDescriptor } from './owned-descriptor.js'

/** Connects to the process that has the name. The connection does not keep this process alive. */
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

/**
 * Makes the server listen on the name. Fails with ETIMEDOUT where another process of this user has the name, and with
 * EACCES where a process of another user has it.
 */
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
