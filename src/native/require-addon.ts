import { ReusePortAddonError } from '../common/errors.js'
import { loadAddon } from './addon.js'
import type { Addon } from './addon-contract.js'

/** @throws ReusePortAddonError */
export function requireAddon(neededBy: string): Addon {
  const state = loadAddon()
  if (state.loaded) return state.addon
  throw new ReusePortAddonError(neededBy, state.reason, state.cause)
}
