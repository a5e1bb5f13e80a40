// The file of a unix socket that the supervisor has bound. A second name beside it (`.<name>.reuseport`) keeps the socket's
// inode: a program that removes the file before it listens, as many do, gets it back.
import { linkSync, lstatSync, type Stats, unlinkSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import type { Addon } from '../native/addon-contract.js'

export function spareOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.reuseport`)
}

export function statOf(file: string): Stats | undefined {
  return lstatSync(file, { throwIfNoEntry: false })
}

export function isSame(one: Stats | undefined, other: Stats): boolean {
  return one?.ino === other.ino && one.dev === other.dev
}

/** Removes the file, unless another one has its name by now. */
export function removeOwn(file: string, own: Stats): void {
  try {
    if (isSame(statOf(file), own)) unlinkSync(file)
  } catch {
    // The folder is gone, or may not be written any more.
  }
}

/** Whether a file is a socket of this user. A file of another user or kind is never removed. */
export function isOwnSocket(stats: Stats | undefined): stats is Stats {
  return stats?.isSocket() === true && stats.uid === process.geteuid?.()
}

/**
 * Whether no socket is bound to the file any more, on this machine. A datagram tells more than a connection does, which is
 * refused also while a socket is bound and does not listen yet: connect(2), unix(7).
 */
export function isStale(addon: Addon, file: string): boolean {
  const failure = isOwnSocket(statOf(file)) ? addon.sendToUnix(file, '') : undefined
  return failure !== undefined && getSystemErrorName(failure.errno) === 'ECONNREFUSED'
}

/** Puts the second name in place. One of an earlier or replaced supervisor goes. @throws what link(2) does. */
export function keepSpare(file: string): void {
  const spare = spareOf(file)
  if (isOwnSocket(statOf(spare))) unlinkSync(spare)
  linkSync(file, spare)
}

/** @throws EEXIST where another file has the name. */
export function restore(file: string): void {
  linkSync(spareOf(file), file)
}
