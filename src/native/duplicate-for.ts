import { fstatSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'
import { loadAddon } from './addon.js'
import type { Addon } from './addon-contract.js'

/**
 * Duplicates a descriptor that another thread may close at any time.
 *
 * @param inode Of the file that is meant; undefined where no other thread knows the descriptor.
 * @returns the duplicate, which belongs to the addon until it is released; the failure; undefined where the descriptor is
 *   another file's by now, or none.
 */
export function duplicateOf(
  addon: Addon,
  fd: number,
  inode: number | undefined,
  lowest = 0,
): number | SystemFailure | undefined {
  const copy = addon.duplicate(fd, lowest)
  if (inode === undefined) return copy
  if (typeof copy !== 'number') return getSystemErrorName(copy.errno) === 'EBADF' ? undefined : copy
  if (fstatSync(copy).ino === inode) return copy
  addon.close(copy)
  return undefined
}

/** As `duplicateOf`, for a server, which owns the duplicate: the addon releases it. Without the addon, the original. */
export function duplicateFor(fd: number, inode: number | undefined): number | SystemFailure | undefined {
  const state = loadAddon()
  if (!state.loaded) return fd
  const copy = duplicateOf(state.addon, fd, inode)
  if (typeof copy === 'number') state.addon.release(copy)
  return copy
}
