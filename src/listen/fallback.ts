import process from 'node:process'
import { ReusePortAddonError, ReusePortUnsupportedError } from '../common/errors.js'
import type { AddonState } from '../native/addon.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { firstNeeded, type GivenConfiguration } from '../options/given-configuration.js'
import type { Capabilities } from '../system/capabilities.js'
import { publishFallback } from './channels.js'
import type { FallbackPolicy } from './listen-types.js'

/** What serves a call. */
export type Route =
  /** A socket that the addon opens. */
  | { readonly by: 'addon' }
  /** Node's own `reusePort`. */
  | { readonly by: 'core' }
  /** A plain `server.listen` or `socket.bind`, which does not share the port, so the process gets a warning. */
  | { readonly by: 'exclusive'; readonly reason: string }
  | { readonly by: 'refusal'; readonly error: ReusePortUnsupportedError }

export function chooseRoute(policy: FallbackPolicy, system: Capabilities): Route {
  if (system.balanced) return { by: system.addon ? 'addon' : 'core' }
  // Node's own reusePort fails on a system that does not balance, so only the addon can share a port there.
  const canShare = system.supported && system.addon
  if (policy === 'unbalanced' && canShare) return { by: 'addon' }
  const reason = reasonAgainst(system, policy)
  return policy === 'exclusive'
    ? { by: 'exclusive', reason }
    : { by: 'refusal', error: new ReusePortUnsupportedError(reason) }
}

function reasonAgainst({ reasons, supported }: Capabilities, policy: FallbackPolicy): string {
  const against = (supported ? reasons.balanced : reasons.supported) ?? 'this system cannot share a port'
  const needsAddon = policy === 'unbalanced' && supported && reasons.addon !== undefined
  return needsAddon ? `fallback: 'unbalanced' needs the native addon: ${reasons.addon}` : against
}

/**
 * The error of a call that Node has to serve because the addon does not: the refusal of its route, or the error for the
 * first option that only a socket of the addon can have. Undefined where Node can serve the call.
 */
export function refusalOf(
  route: Route,
  state: AddonState,
  options: GivenConfiguration,
): ReusePortUnsupportedError | ReusePortAddonError | undefined {
  if (route.by === 'refusal') return route.error
  const option = firstNeeded(options)
  if (option === undefined) return undefined
  if (!state.loaded) return new ReusePortAddonError(option, state.reason, state.cause)
  const reason = route.by === 'exclusive' ? route.reason : "Node's own reusePort serves this call"
  return new ReusePortUnsupportedError(`${option} needs a socket that this library opens, but ${reason}`)
}

/** Warns and publishes that Node serves a call instead of the addon. */
export function fallBack(route: Route, state: AddonState, target: ListenableServer | BindableSocket): void {
  if (route.by === 'exclusive') {
    warnExclusive(route.reason)
    publishFallback(() => ({ target, by: 'exclusive', reason: route.reason }))
  } else {
    publishFallback(() => ({ target, by: 'core', reason: state.loaded ? '' : state.reason }))
  }
}

let warned = false

/** Warns once per process, and once per worker thread, that a port is not shared. */
function warnExclusive(reason: string): void {
  if (warned) return
  warned = true
  process.emitWarning(`the port is not shared: ${reason}`, {
    type: 'ReusePortWarning',
    code: 'REUSEPORT_FALLBACK_EXCLUSIVE',
  })
}
