import { accessSync, constants } from 'node:fs'
import { capabilities, ReusePortUnsupportedError } from '../index.js'
import type { Settings } from './options.js'
import { assertPinnable } from './pin.js'

export interface Sharing {
  /** Whether all workers accept from one socket. */
  readonly isShared: boolean
  /** What to say about it. */
  readonly warning: string | undefined
}

/**
 * How the workers share their ports here.
 *
 * @throws where they cannot: ReusePortUnsupportedError; ENOENT or EACCES for the script; where they cannot be pinned.
 */
export function checkPreconditions({ script, fallback, oneSocket, pin }: Settings): Sharing {
  accessSync(script, constants.R_OK)
  if (pin) assertPinnable()
  const { addon, balanced, reasons } = capabilities()
  // Without the addon a worker cannot take over what the supervisor has kept.
  const against = balanced && !addon ? `the native addon is missing: ${reasons.addon}` : reasons.balanced
  if (against !== undefined && fallback === 'error') throw new ReusePortUnsupportedError(against)
  if (against === undefined && !oneSocket) return { isShared: false, warning: undefined }
  const why = against === undefined ? '' : `: ${against}`
  return { isShared: true, warning: `all workers accept from one socket, so who gets how much is not balanced${why}` }
}
