import { fstatSync } from 'node:fs'
import { closeHandle } from '../common/close-handle.js'
import type { ListenWish } from '../listen/supervision.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import type { Listening } from './protocol.js'

interface KeptBase {
  readonly id: string
  readonly wish: ListenWish
  /** The descriptor in the supervisor's process. */
  readonly fd: number
  readonly inode: number
  /** Where workers are processes: the handle that the IPC channel delivered, which can be sent to another worker. */
  readonly handle: object | undefined
  /** Another process, such as systemd, has opened the socket and keeps it. All workers get it and none drains it. */
  readonly isGiven: boolean
  close(): void
}

/** A listening socket that the supervisor holds, so that the socket and its accept queue outlive a worker. */
export interface Kept extends KeptBase {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
}

/** A unix socket that the supervisor has opened, and that all workers accept from. `close` removes its file. */
export interface KeptPath extends KeptBase {
  /** Absolute, or abstract with a zero in front. */
  readonly path: string
  /** Puts the file back where it is gone. @returns the failure. */
  look(): { readonly errno: number; readonly hint?: string | undefined } | undefined
}

export type AnyKept = Kept | KeptPath

interface Handle {
  readonly fd: number
  close(): void
}

/**
 * Keeps the handle that a process sent with its message.
 *
 * @returns undefined where the message has no handle, or one that is not bound to the port that the message names; the
 *   handle is then closed.
 */
export function keepHandle(listening: Listening, handle: unknown): Kept | undefined {
  if (!isHandle(handle)) return undefined
  const { fd } = handle
  const state = loadAddon()
  const isBound = fd >= 0 && (!state.loaded || isBoundTo(state.addon, fd, listening))
  const { datagram } = listening.wish
  // libuv has set SO_REUSEADDR when the handle came, and any user could bind the port as well.
  if (isBound && state.loaded && datagram !== undefined) state.addon.setReuseAddress(fd, datagram.reuseAddr)
  if (isBound) return { ...describe(listening, fd), handle, close: once(() => handle.close()) }
  closeHandle(handle)
  return undefined
}

function isHandle(handle: unknown): handle is Handle {
  return typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number'
}

function isBoundTo(addon: Addon, fd: number, { port }: Listening): boolean {
  const bound = addon.localAddress(fd)
  return !('errno' in bound) && bound.port === port
}

/**
 * Keeps a duplicate of the descriptor that a thread named.
 *
 * @returns undefined without the addon, and where the thread has closed the descriptor already: its number may then
 * belong to another socket.
 */
export function keepDescriptor(listening: Listening, fd: number): Kept | undefined {
  const state = loadAddon()
  if (!state.loaded) return undefined
  const { addon } = state
  const duplicate = addon.duplicate(fd)
  if (typeof duplicate !== 'number') return undefined
  const owned = new OwnedDescriptor(addon, duplicate, listening.family === 'IPv4' ? 4 : 6)
  if (!isBoundTo(addon, duplicate, listening)) {
    owned.close()
    return undefined
  }
  return { ...describe(listening, duplicate), handle: undefined, close: () => owned.close() }
}

function describe({ id, wish, address, family, port }: Listening, fd: number): Omit<Kept, 'handle' | 'close'> {
  return { id, wish, address, family, port, fd, inode: inodeOf(fd), isGiven: false }
}

/** @returns 0 where the descriptor is closed. */
export function inodeOf(fd: number): number {
  try {
    return fstatSync(fd).ino
  } catch {
    return 0
  }
}

export function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}

export function isOnPort(kept: AnyKept | undefined): kept is Kept {
  return kept !== undefined && 'port' in kept
}
