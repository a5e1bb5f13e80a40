// Unix sockets that the supervisor opens for all its workers, as the primary of cluster does.
import { createHash } from 'node:crypto'
import { chmodSync, type Stats, unlinkSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { closeHandle } from '../common/close-handle.js'
import type { ListenWish } from '../listen/supervision.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { bindPath, handleOfPath } from '../node/path-listen.js'
import { inodeOf, type KeptPath, once } from './kept-socket.js'
import { isSame, isStale, keepSpare, removeOwn, restore, spareOf, statOf } from './path-file.js'
import type { PathAccess } from './protocol.js'

/** Why a worker gets no socket for its path. */
export interface PathRefusal {
  /** Negative, as in Node. */
  readonly errno: number
  readonly hint?: string | undefined
}

/** sockaddr_un, without the zero at its end. unix(7) */
const LONGEST = 107
/** ms to wait for another supervisor that looks at the same stale file. */
const LOCKS = 1000

const isAbstract = (file: string): boolean => file.startsWith('\0')

export function openPath(id: string, wish: ListenWish, access: PathAccess): KeptPath | PathRefusal {
  const state = loadAddon()
  const file = wish.address ?? ''
  if (!state.loaded) return refusal('ENOSYS', state.reason)
  if (!(path.isAbsolute(file) || isAbstract(file))) return refusal('EINVAL', 'the path is not absolute')
  const name = shortest(file)
  if (Buffer.byteLength(name) > LONGEST) {
    return refusal('EINVAL', `the path has ${Buffer.byteLength(name)} bytes: at most ${LONGEST} are possible`)
  }
  try {
    if (isAbstract(file)) return openAbstract(id, wish, file)
    const bound = bindFile(state.addon, file, name)
    return 'errno' in bound ? bound : openFile(state.addon, { id, wish, file, bound }, access)
  } catch (error) {
    const { code, message, errno } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return inUse(file)
    return { errno: errno ?? -constants.errno.EIO, hint: message }
  }
}

/** Node's own name, which Node 20 fills with zeros: its clients do the same. */
function openAbstract(id: string, wish: ListenWish, name: string): KeptPath | PathRefusal {
  const handle = bindPath(name)
  if (typeof handle === 'number')
    return { errno: handle, hint: handle === IN_USE ? 'another socket has the name' : undefined }
  const { fd } = handle
  return {
    id,
    wish,
    path: name,
    fd,
    inode: inodeOf(fd),
    handle,
    isGiven: false,
    look: () => undefined,
    close: once(() => handle.close()),
  }
}

const IN_USE = -constants.errno.EADDRINUSE

/** Binds the path; takes the place of a stale file of this user, which no socket is bound to any more. */
function bindFile(addon: Addon, file: string, name: string): { readonly fd: number; close(): void } | PathRefusal {
  const bound = bindPath(name)
  if (bound !== IN_USE) return typeof bound === 'number' ? { errno: bound } : bound
  // Two supervisors that start together: the second one must not remove what the first one has bound meanwhile.
  const lock = addon.acquireLock(
    `reuseport-path-${createHash('sha256').update(file).digest('hex').slice(0, 32)}`,
    LOCKS,
  )
  try {
    if (typeof lock !== 'number' || !isStale(addon, file)) return inUse(file)
    unlinkSync(file)
    const again = bindPath(name)
    if (typeof again !== 'number') return again
    return again === IN_USE ? inUse(file) : { errno: again }
  } finally {
    if (typeof lock === 'number') addon.close(lock)
  }
}

interface Bound {
  readonly id: string
  readonly wish: ListenWish
  readonly file: string
  readonly bound: { readonly fd: number; close(): void }
}

/** libuv removes the file when the handle closes that bound it, whoever has the name by then: another handle is kept. */
function openFile(addon: Addon, { id, wish, file, bound }: Bound, access: PathAccess): KeptPath | PathRefusal {
  const copy = addon.duplicate(bound.fd)
  let own: Stats | undefined
  try {
    if (typeof copy !== 'number') return { errno: copy.errno }
    keepSpare(file)
    own = statOf(spareOf(file))
  } finally {
    bound.close()
    if (own === undefined && typeof copy === 'number') addon.close(copy)
  }
  if (own === undefined) return refusal('ENOENT')
  const stats = own
  const remove = (): void => {
    removeOwn(file, stats)
    removeOwn(spareOf(file), stats)
  }
  let handle: ReturnType<typeof handleOfPath> = -1
  try {
    restore(file)
    const more = (access.readableAll ? 0o444 : 0) | (access.writableAll ? 0o222 : 0)
    if (more > 0) chmodSync(file, (stats.mode & 0o7777) | more)
    handle = handleOfPath(copy)
  } finally {
    if (typeof handle === 'number') {
      addon.close(copy)
      remove()
    }
  }
  if (typeof handle === 'number') return { errno: handle }
  addon.release(copy)
  const kept = handle
  const close = once(() => {
    remove()
    closeHandle(kept)
  })
  const look = (): PathRefusal | undefined => lookAt(addon, file, stats)
  return { id, wish, path: file, fd: kept.fd, inode: inodeOf(kept.fd), handle: kept, isGiven: false, look, close }
}

/** Puts the file back that somebody has removed. @returns why it cannot be had. */
function lookAt(addon: Addon, file: string, own: Stats): PathRefusal | undefined {
  try {
    if (isSame(statOf(file), own)) return undefined
    if (isStale(addon, file)) unlinkSync(file)
    restore(file)
    return undefined
  } catch (error) {
    const { code, errno = -constants.errno.EIO, message } = error as NodeJS.ErrnoException
    return code === 'EEXIST' ? inUse(file) : { errno, hint: message }
  }
}

/** A relative path may be short enough where the absolute one is not. Clients find the same file. */
function shortest(file: string): string {
  if (isAbstract(file) || Buffer.byteLength(file) <= LONGEST) return file
  return path.relative(process.cwd(), file)
}

function inUse(file: string): PathRefusal {
  const stats = statOf(file)
  if (stats === undefined) return refusal('EADDRINUSE')
  const whose = stats.uid === process.geteuid?.() ? '' : ` of uid ${stats.uid}`
  return refusal(
    'EADDRINUSE',
    stats.isSocket()
      ? `another process has bound the path, or another user: the file is a socket${whose}, and is left alone`
      : `a file${whose} that is not a socket has the path, and is left alone`,
  )
}

function refusal(code: 'EADDRINUSE' | 'EINVAL' | 'ENOENT' | 'ENOSYS', hint?: string): PathRefusal {
  return { errno: -constants.errno[code], hint }
}
