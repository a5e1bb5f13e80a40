// What a guest asks of the sockets of others, and of what it accepts from them.
import { readFileSync } from 'node:fs'
import type { ListenableServer } from '../index.js'
import { acceptQueueOf, waitingConnections } from '../native/accept-queue.js'
import type { Addon } from '../native/addon-contract.js'
import { duplicateOf } from '../native/duplicate-for.js'
import { socketHandle } from '../node/guest-listener.js'
import { placeOf } from './servers.js'

/** `listen` would bring back to life a socket that its owner has taken out of its group. */
export function isListening(addon: Addon, handle: unknown): boolean {
  const { fd } = (handle ?? {}) as { readonly fd?: unknown }
  return typeof fd === 'number' && fd >= 0 && typeof waitingConnections(addon, fd) === 'number'
}

/** Whether no connection waits for the server itself. */
export function isIdle(server: ListenableServer): boolean {
  const { fd } = (server as { readonly _handle?: { readonly fd?: number } })._handle ?? {}
  return fd === undefined || (acceptQueueOf(fd)?.waiting ?? 0) === 0
}

/** Descriptors of sockets that a process keeps for another one: by these, others tell it from the owner (socket_holders.h). */
const BORROWED = 512

/** A handle of the same socket that shows that it is another's. @param inode Where another thread may close the descriptor. */
export function borrow(addon: Addon, fd: number, inode?: number): object | undefined {
  const copy = duplicateOf(addon, fd, inode, BORROWED)
  const handle = typeof copy === 'number' ? socketHandle(copy) : undefined
  if (typeof copy !== 'number') return undefined
  if (handle === undefined) addon.close(copy)
  else addon.release(copy)
  return handle
}

/** A connection inherits the minimum TTL by which an owner that drains defers new ones, and that drops its packets. */
export function resetFor(addon: Addon, server: ListenableServer): (fd: number) => void {
  const family = placeOf(server)?.family === 'IPv4' ? 4 : 6
  return (fd) => void addon.answerNewConnections(fd, family, 0)
}

/** Whether the socket has raw options: one may be a minimum TTL of the program, which its connections keep. */
export function isRaw(options: string): boolean {
  return options !== '' && !options.endsWith(',[]]')
}

export function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
