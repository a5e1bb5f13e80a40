import process from 'node:process'
import { ReusePortAddonError, ReusePortUnsupportedError } from '../common/errors.js'
import type { AddonState } from '../native/addon.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { firstNeeded, type GivenConfiguration } from '../options/given-configuration.js'
import type { Capabilities } from '../system/capabilities.js'
import { publishFallback } from './channels.js'
import type { FallbackPolicy } from './listen-types.js'

/** How a call is served. */
export type Route =
  /** By a socket of the addon's. */
  | { readonly by: 'addon' }
  /** By Node's own `reusePort`. */
  | { readonly by: 'core' }
  /** By a plain `server.listen`, which is worth a warning. */
  | { readonly by: 'exclusive'; readonly reason: string }
  | { readonly by: 'refusal'; readonly error: ReusePortUnsupportedError }

export function chooseRoute(policy: FallbackPolicy, system: Capabilities): Route {
  if (system.balanced) return { by: system.addon ? 'addon' : 'core' }
  // Node's own reusePort refuses where the system does not balance.
  const canShare = system.supported && system.addon
  if (policy === 'unbalanced' && canShare) return { by: 'addon' }
  const reason = reasonAgainst(system, policy)
  return policy === 'exclusive'
    ? { by: 'exclusive', reason }
    : { by: 'refusal', error: new ReusePortUnsupportedError(reason) }
}

function reasonAgainst({ reasons, supported }: Capabilities, policy: FallbackPolicy): string {
  const against = (supported ? reasons.balanced : reasons.supported) ?? 'the system does not support it'
  const needsAddon = policy === 'unbalanced' && supported && reasons.addon !== undefined
  return needsAddon ? `fallback: 'unbalanced' needs the native addon: ${reasons.addon}` : against
}

/** Why a call that no socket of the addon's serves cannot be served: by its route, or for an option that needs one. */
export function refusalOf(
  route: Route,
  state: AddonState,
  options: GivenConfiguration,
): ReusePortUnsupportedError | ReusePortAddonError | undefined {
  if (route.by === 'refusal') return route.error
  const option = firstNeeded(options)
  if (option === undefined) return undefined
  if (!state.loaded) return new ReusePortAddonError(option, state.reason, state.cause)
  const reason = route.by === 'exclusive' ? route.reason : "Node's own reusePort serves"
  return new ReusePortUnsupportedError(`${option} takes a socket of this library's, and ${reason}`)
}

/** Tells that Node serves a call instead of the addon. */
export function fallBack(route: Route, state: AddonState, target: ListenableServer | BindableSocket): void {
  if (route.by === 'exclusive') {
    warnExclusive(route.reason)
    publishFallback(() => ({ target, by: 'exclusive', reason: route.reason }))
  } else {
    publishFallback(() => ({ target, by: 'core', reason: state.loaded ? '' : state.reason }))
  }
}

let warned = false

/** Once per process (and worker thread): a port that was to be shared is not. */
function warnExclusive(reason: string): void {
  if (warned) return
  warned = true
  process.emitWarning(`the port is not shared: ${reason}`, {
    type: 'ReusePortWarning',
    code: 'REUSEPORT_FALLBACK_EXCLUSIVE',
  })
}
