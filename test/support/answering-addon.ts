import { loadAddon } from '../../src/addon.js'
import type { Addon } from '../../src/addon-contract.js'
import type { SystemFailure } from '../../src/errors.js'
import type { BoundSocket } from '../../src/socket-table.js'
import { ERRNO } from './faults.js'

/** The addon with other answers. */
export function answering(answers: Partial<Addon>): Addon {
  const state = loadAddon()
  if (!state.loaded) throw new Error(state.reason)
  return { ...state.addon, ...answers }
}

export function failure(code: keyof typeof ERRNO, syscall: string): SystemFailure {
  return { errno: -ERRNO[code], syscall }
}

/** A listening socket as the kernel lists it. */
export function boundSocket(more: Partial<BoundSocket> = {}): BoundSocket {
  return {
    protocol: 'tcp',
    family: 'IPv4',
    address: '127.0.0.1',
    port: 8080,
    device: 0,
    inode: 100,
    cookie: 'a',
    uid: 1000,
    queued: 0,
    limit: 511,
    receiveBuffer: null,
    drops: 0,
    ipv6Only: null,
    state: 10,
    ...more,
  }
}
