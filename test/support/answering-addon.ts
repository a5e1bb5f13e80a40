import type { SystemFailure } from '../../src/common/errors.js'
import type { BoundSocket } from '../../src/group/socket-table.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
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
