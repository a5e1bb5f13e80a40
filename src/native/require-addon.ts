import { AccessDeniedError, ReusePortAddonError } from '../common/errors.js'
import { loadAddon } from './addon.js'
import type { Addon } from './addon-contract.js'

/** @throws ReusePortAddonError; AccessDeniedError where Node's permission model denies the network */
export function requireAddon(neededBy: string): Addon {
  const state = loadAddon()
  if (state.loaded) return state.addon
  if (state.cause instanceof AccessDeniedError) throw state.cause
  throw new ReusePortAddonError(neededBy, state.reason, state.cause)
}
