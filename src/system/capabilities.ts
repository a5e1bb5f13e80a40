import os from 'node:os'
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { type AddonState, loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { coreSharesPorts } from '../node/core-reuse-port.js'
import { networkDenied } from '../node/permission.js'
import { CVE_2026_52910, hasFix } from './kernel-versions.js'
import { factsOf, type Semantics } from './systems.js'

/** What this system can do. Frozen. Each `false` has its reason under the same name in `reasons`. */
export interface Capabilities {
  /** `process.platform`. */
  readonly platform: string
  /** Whether several sockets may be bound to one port here. */
  readonly supported: boolean
  /** Whether the kernel then spreads the connections over them. */
  readonly balanced: boolean
  /**
   * How: by a hash of the addresses and ports of both sides (`'hash'`), all to the socket bound last (`'last-wins'`; on
   * NetBSD and OpenBSD which one is not specified), or not at all.
   */
  readonly semantics: Semantics
  /** The socket option that does it; null where there is none. */
  readonly option: 'SO_REUSEPORT' | 'SO_REUSEPORT_LB' | null
  /** Whether the native addon is loaded. Without it Node's own `reusePort` serves, where Node has it. */
  readonly addon: boolean
  /** The file that the addon was loaded from. */
  readonly binary: string | null
  /** Whether it can be chosen who gets a new connection (`steer`), which is also how `drain` works best. Linux 4.6. */
  readonly steering: boolean
  /** What may go wrong with that on this kernel: a sentence; null where nothing is known of. */
  readonly steeringRisk: string | null
  /** For each "no" a sentence: why, and what to do. `probe` stands there when the port could not be tried. */
  readonly reasons: Readonly<Partial<Record<'supported' | 'balanced' | 'addon' | 'steering' | 'probe', string>>>
}

type Reasons = { -readonly [name in keyof Capabilities['reasons']]: string }

interface Probed {
  readonly supported: boolean
  readonly reason: string
  /** Whether another try could say something else. */
  readonly conclusive: boolean
  /** Or why not. */
  readonly steering?: true | string
}

let cached: Capabilities | undefined

/**
 * What this system can do, tried at the first call (two sockets bound to one port of the loopback address, and closed)
 * and combined with what is known of the system, since binding twice succeeds also where nothing is balanced.
 *
 * The answer is cached, unless the try itself failed for want of descriptors or memory: then it rests on what is known
 * of the system, says so in `reasons.probe`, and the next call tries again.
 */
export function capabilities(): Capabilities {
  if (cached !== undefined) return cached
  const state = loadAddon()
  const probed = probe(state)
  const answer = combine(process.platform, state, probed)
  if (probed.conclusive) cached = answer
  return answer
}

/** @internal Pure: what follows from the system, the addon and the probe. */
export function combine(platform: string, state: AddonState, probed: Probed): Capabilities {
  const facts = factsOf(platform)
  const reasons: Reasons = {}
  const supported = facts.semantics !== 'none' && probed.supported
  const balanced = supported && facts.semantics === 'hash'
  if (!state.loaded) reasons.addon = state.reason
  if (!supported) reasons.supported = facts.semantics === 'none' ? facts.advice : probed.reason
  if (!balanced) reasons.balanced = facts.semantics === 'hash' ? probed.reason : facts.advice
  if (typeof probed.steering === 'string') reasons.steering = probed.steering
  if (!probed.conclusive) reasons.probe = probed.reason
  return Object.freeze({
    platform,
    supported,
    balanced,
    semantics: supported ? facts.semantics : 'none',
    option: supported ? optionOf(platform, state) : null,
    addon: state.loaded,
    binary: state.loaded ? (state.binary ?? null) : null,
    steering: probed.steering === true,
    steeringRisk: probed.steering === true ? riskOf(os.release()) : null,
    reasons: Object.freeze(reasons),
  })
}

function riskOf(release: string): string | null {
  const verdict = hasFix(release, CVE_2026_52910)
  if (verdict === 'yes') return null
  const known = verdict === 'no' ? `Linux ${release} lacks the fix` : `Linux ${release} cannot be judged by its number`
  return `changing who gets what under traffic can crash a kernel with CVE-2026-52910; ${known}: ask your distribution`
}

function optionOf(platform: string, state: AddonState): Capabilities['option'] {
  if (state.loaded) return state.addon.option
  return platform === 'freebsd' ? 'SO_REUSEPORT_LB' : 'SO_REUSEPORT'
}

function probe(state: AddonState): Probed {
  // The addon is no way around Node's permission model.
  if (networkDenied()) {
    const reason = 'the permission model denies the network; add --allow-net'
    return { supported: false, reason, conclusive: true, steering: reason }
  }
  return state.loaded
    ? { ...probeAddon(state.addon), steering: probeSteering(state.addon) }
    : { ...probeCore(state.reason), steering: `the native addon is missing: ${state.reason}` }
}

/** By a program for a socket that is not bound, and so for nobody. */
function probeSteering(addon: Addon): true | string {
  const fd = addon.openSocket({ transport: 'tcp', family: 4, ipv6Only: false, multipath: false })
  if (typeof fd !== 'number') return `it could not be tried: ${fd.syscall} ${getSystemErrorName(fd.errno)}`
  const failure = addon.attachProgram(fd, RETURN_0)
  addon.close(fd)
  if (failure === undefined) return true
  const code = getSystemErrorName(failure.errno)
  if (code === 'ENOSYS') return 'this system has no programs for the members of a port'
  return `the kernel, or a seccomp filter, refuses programs for the members of a port (${failure.syscall} ${code})`
}

const RETURN_0: Uint32Array = Uint32Array.of(6, 0, 0, 0)

/** What the system says to the option itself. Anything else (EMFILE, ENOBUFS …) says nothing about port sharing. */
const REFUSALS: readonly string[] = ['ENOPROTOOPT', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENOSYS']

function probeAddon(addon: Addon): Probed {
  const outcome = addon.probe()
  if (outcome === true) return { supported: true, reason: '', conclusive: true }
  if (outcome === false) return refused('the second bind() answered EADDRINUSE')
  const code = getSystemErrorName(outcome.errno)
  const what = `${outcome.syscall}() answered ${code}`
  if (outcome.syscall === 'setsockopt' && REFUSALS.includes(code)) return refused(what)
  return {
    supported: true,
    reason: `the port could not be tried (${what}); this rests on what is known of the system`,
    conclusive: false,
  }
}

function refused(what: string): Probed {
  const reason = `this kernel does not let two sockets share a port: ${what}; use Linux 3.9 or later, or set fallback: 'exclusive'`
  return { supported: false, reason, conclusive: true }
}

function probeCore(missing: string): Probed {
  const reason = `the native addon is missing (${missing}), and this Node has no reusePort that works: 22.12 and later have`
  return { supported: coreSharesPorts(), reason, conclusive: true }
}
