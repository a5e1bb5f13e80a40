import type { ListenWish } from '../listen/supervision.js'
import { loadAddon } from '../native/addon.js'
import type { Listening } from './protocol.js'

/** A listening socket that the supervisor holds, so that the socket and its accept queue outlive a worker. */
export interface Kept {
  readonly id: string
  readonly wish: ListenWish
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
  /** The descriptor in the supervisor's process. */
  readonly fd: number
  /** Where workers are processes: the handle that the IPC channel delivered, which can be sent to another worker. */
  readonly handle: object | undefined
  /** Another process, such as systemd, has opened the socket and keeps it. All workers get it and none drains it. */
  readonly isGiven: boolean
  close(): void
}

interface Handle {
  readonly fd: number
  close(): void
}

/** Keeps the handle that a process sent with its message. @returns undefined where the message has no handle. */
export function keepHandle(listening: Listening, handle: unknown): Kept | undefined {
  if (typeof handle !== 'object' || handle === null || !('fd' in handle) || typeof handle.fd !== 'number')
    return undefined
  const { fd } = handle
  if (fd < 0) return undefined
  return { ...describe(listening), fd, handle, close: once(() => (handle as Handle).close()) }
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
  const bound = addon.localAddress(duplicate)
  if ('errno' in bound || bound.port !== listening.port) {
    addon.close(duplicate)
    return undefined
  }
  return { ...describe(listening), fd: duplicate, handle: undefined, close: once(() => addon.close(duplicate)) }
}

function describe({ id, wish, address, family, port }: Listening): Omit<Kept, 'fd' | 'handle' | 'close'> {
  return { id, wish, address, family, port, isGiven: false }
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}
