import { accessSync, constants } from 'node:fs'
import { capabilities, ReusePortUnsupportedError } from '../index.js'
import type { Settings } from './options.js'
import { assertPinnable } from './pin.js'

export interface Sharing {
  /** Whether all workers accept from one socket. */
  readonly isShared: boolean
  /** Warning for the user, where there is a reason for one. */
  readonly warning: string | undefined
}

/**
 * Decides how the workers share their ports on this system.
 *
 * @throws ReusePortUnsupportedError where the workers cannot share a port; ENOENT or EACCES for the script; Error where
 * workers cannot be pinned.
 */
export function checkPreconditions({ script, fallback, oneSocket, pin }: Settings): Sharing {
  accessSync(script, constants.R_OK)
  if (pin) assertPinnable()
  const { addon, balanced, reasons } = capabilities()
  // Node can share a port by itself, but only the addon can make a worker listen on a socket that the supervisor holds.
  const against = balanced && !addon ? `the native addon is missing: ${reasons.addon}` : reasons.balanced
  if (against !== undefined && fallback === 'error') throw new ReusePortUnsupportedError(against)
  if (against === undefined && !oneSocket) return { isShared: false, warning: undefined }
  const why = against === undefined ? '' : `: ${against}`
  const warning = `all workers accept from one socket, so the kernel does not balance connections${why}`
  return { isShared: true, warning }
}
