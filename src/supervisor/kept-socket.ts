import type { ListenWish } from '../listen/supervision.js'
import { loadAddon } from '../native/addon.js'
import type { Listening } from './protocol.js'

/** A listening socket that the supervisor holds, so that it and its queue outlive the worker that opened it. */
export interface Kept {
  readonly id: string
  readonly wish: ListenWish
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
  /** In this process. */
  readonly fd: number
  /** Of a process: what its IPC channel brought, and can take to another. */
  readonly handle: object | undefined
  /** Opened by somebody else, systemd for one, who has it always: for every worker, never drained. */
  readonly isGiven: boolean
  close(): void
}

interface Handle {
  readonly fd: number
  close(): void
}

/** From what a process sent with its message. @returns nothing where the handle did not come with it. */
export function keepHandle(listening: Listening, handle: unknown): Kept | undefined {
  if (typeof handle !== 'object' || handle === null || !('fd' in handle) || typeof handle.fd !== 'number')
    return undefined
  const { fd } = handle
  if (fd < 0) return undefined
  return { ...describe(listening), fd, handle, close: once(() => (handle as Handle).close()) }
}

/** From what a thread named. @returns nothing where it has closed it already. */
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
