import { closeSync, fstatSync } from 'node:fs'
import type { Addon } from '../../src/native/addon-contract.js'
import { socketHandle } from '../../src/node/guest-listener.js'
import { openListener } from './native.js'

export interface ForeignSocket {
  readonly handle: { readonly fd: number; close(): void }
  /** Another descriptor of the socket, as its owner has. */
  readonly owner: number
  end(): void
}

/**
 * A socket of another owner, at the port of a server but another address, so that a client chooses by the address who gets
 * its connection: the server at 127.0.0.1, who has this socket at 127.0.0.2.
 */
export function foreignSocket(addon: Addon, port: number): ForeignSocket {
  const owner = openListener(addon, { family: 4, address: '127.0.0.2', port }) as number
  addon.release(owner)
  return {
    handle: handleFor(addon, owner),
    owner,
    end: () => {
      if (isOpen(owner)) closeSync(owner)
    },
  }
}

/** As the IPC channel gives it. */
export function handleFor(addon: Addon, fd: number): ForeignSocket['handle'] {
  const copy = addon.duplicate(fd) as number
  addon.release(copy)
  return socketHandle(copy) as ForeignSocket['handle']
}

export function isOpen(fd: number): boolean {
  try {
    return fstatSync(fd).ino > 0
  } catch {
    return false
  }
}
