import { isRestricted, mayRead } from '../node/permission.js'
import type { Addon } from './addon-contract.js'

/**
 * The addon reads /proc without asking Node. Where Node's permission model is on, this one asks before each search, and finds
 * nobody where the model forbids it. What opens sockets asks when the addon is handed out (`loadAddon`).
 */
export function permitted(addon: Addon): Addon {
  if (!isRestricted()) return addon
  const asking =
    <Args extends unknown[]>(search: (...args: Args) => Float64Array) =>
    (...args: Args): Float64Array =>
      mayRead('/proc') ? search(...args) : new Float64Array()
  return { ...addon, findHolders: asking(addon.findHolders), heldBy: asking(addon.heldBy) }
}
