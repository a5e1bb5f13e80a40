import type { SystemFailure } from '../common/errors.js'
import { loadAddon } from './addon.js'
import type { Addon } from './addon-contract.js'

/** The accept queue of a listener. */
export interface AcceptQueue {
  /** Connections. */
  readonly waiting: number
  /** The most connections that wait: the backlog, or less where the system allows less. At most 2^21 - 1. */
  readonly limit: number
}

/** The addon puts the limit above the lower 32 bits. */
const LIMIT = 2 ** 32

/** The number of connections in the accept queue of a listener. */
export function waitingConnections(addon: Addon, fd: number): number | SystemFailure {
  const queue = addon.acceptQueue(fd)
  return typeof queue === 'number' ? queue % LIMIT : queue
}

/** @returns undefined without the addon, and where the kernel does not tell: `fd` is no listener, or the system is not Linux. */
export function acceptQueueOf(fd: number): AcceptQueue | undefined {
  const state = loadAddon()
  const queue = state.loaded ? state.addon.acceptQueue(fd) : undefined
  if (typeof queue !== 'number') return undefined
  return { waiting: queue % LIMIT, limit: Math.floor(queue / LIMIT) }
}
