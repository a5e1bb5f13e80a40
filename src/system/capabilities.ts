// Room: what this system can do with a shared port, tried live. It may import native and every room below.
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { type AddonState, loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { coreSharesPorts } from '../node/core-reuse-port.js'
import { NETWORK_DENIED, networkDenied } from '../node/permission.js'
import { CVE_2026_52910, hasFix } from './kernel-versions.js'
import { whyProgramsStay } from './program-removal.js'
import { factsOf, type Semantics } from './systems.js'

/** What this system can do. Frozen. `reasons` has a reason under the same name for each `false`. */
export interface Capabilities {
  /** `process.platform`. */
  readonly platform: string
  /** Whether this system lets several sockets share one port. */
  readonly supported: boolean
  /** Whether the kernel spreads the connections over the sockets of a shared port. */
  readonly balanced: boolean
  /**
   * How the kernel chooses a socket. `'hash'`: by a hash of the addresses and ports of both sides. `'last-wins'`: the
   * socket bound last gets every connection (NetBSD and OpenBSD do not specify which socket). `'none'`: ports are not
   * shared.
   */
  readonly semantics: Semantics
  /** The socket option that shares a port. Null where ports are not shared. */
  readonly option: 'SO_REUSEPORT' | 'SO_REUSEPORT_LB' | null
  /** Whether the native addon is loaded. Without the addon, Node's own `reusePort` serves where Node has it. */
  readonly addon: boolean
  /** The file from which the addon was loaded. Null without the addon. */
  readonly binary: string | null
  /** Whether `steer` can change how the kernel chooses a member. `drain` works best by steering too. Linux 5.3. */
  readonly steering: boolean
  /** A sentence on the risk of steering on this kernel. Null where no risk is known. */
  readonly steeringRisk: string | null
  /** For each `false` a sentence: why, and what to do. `probe` is present where a shared port could not be tried. */
  readonly reasons: Readonly<Partial<Record<'supported' | 'balanced' | 'addon' | 'steering' | 'probe', string>>>
}

type Reasons = { -readonly [name in keyof Capabilities['reasons']]: string }

interface Probed {
  readonly supported: boolean
  readonly reason: string
  /** False where another attempt may have another result. */
  readonly conclusive: boolean
  /** A text is the reason why steering is not available. */
  readonly steering?: true | string
}

let cached: Capabilities | undefined

/**
 * Says what this system can do. The first call tries it: two sockets are bound to one port of the loopback address and
 * closed. The result is combined with the known facts of the system, because binding twice succeeds also on systems
 * that do not balance.
 *
 * The answer is cached, unless the attempt failed for lack of descriptors or memory. Then the answer uses only the
 * known facts, `reasons.probe` says so, and the next call tries again.
 */
export function capabilities(): Capabilities {
  if (cached !== undefined) return cached
  const state = loadAddon()
  const probed = probe(state)
  const answer = combine(process.platform, state, probed)
  if (probed.conclusive) cached = answer
  return answer
}

/** @internal Pure. Combines the facts of the system, the state of the addon and the result of the probe. */
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
    steeringRisk: probed.steering === true ? riskOf(process.getBuiltinModule('node:os').release()) : null,
    reasons: Object.freeze(reasons),
  })
}

function riskOf(release: string): string | null {
  const verdict = hasFix(release, CVE_2026_52910)
  if (verdict === 'yes') return null
  const known = verdict === 'no' ? 'is older than the fix' : 'may lack the fix'
  return `replacing the program of a group under traffic can crash a kernel with CVE-2026-52910; Linux ${release} ${known}: ask your distribution whether its kernel has the fix`
}

function optionOf(platform: string, state: AddonState): Capabilities['option'] {
  if (state.loaded) return state.addon.option
  return platform === 'freebsd' ? 'SO_REUSEPORT_LB' : 'SO_REUSEPORT'
}

function probe(state: AddonState): Probed {
  if (networkDenied()) {
    return { supported: false, reason: NETWORK_DENIED, conclusive: true, steering: NETWORK_DENIED }
  }
  return state.loaded
    ? { ...probeAddon(state.addon), steering: probeSteering(state.addon) }
    : { ...probeCore(state.reason), steering: `the native addon is missing: ${state.reason}` }
}

/** Attaches a program to a socket that is not bound, so the program affects no group. */
function probeSteering(addon: Addon): true | string {
  const fd = addon.openSocket({ transport: 'tcp', family: 4, ipv6Only: false, multipath: false })
  if (typeof fd !== 'number') return `steering could not be tried: ${fd.syscall} ${getSystemErrorName(fd.errno)}`
  const failure = addon.attachProgram(fd, RETURN_0)
  addon.close(fd)
  if (failure === undefined) return whyProgramsStay(addon) ?? true
  const code = getSystemErrorName(failure.errno)
  if (code === 'ENOSYS') return 'this system has no BPF programs that choose between the members of a group'
  return `the kernel or a seccomp filter refuses BPF programs that choose between the members of a group (${failure.syscall} ${code})`
}

const RETURN_0: Uint32Array = Uint32Array.of(6, 0, 0, 0)

/** Errors by which the system refuses the option itself. Others (EMFILE, ENOBUFS …) say nothing about port sharing. */
const REFUSALS: readonly string[] = ['ENOPROTOOPT', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL', 'ENOSYS']

function probeAddon(addon: Addon): Probed {
  const outcome = addon.probe()
  if (outcome === true) return { supported: true, reason: '', conclusive: true }
  if (outcome === false) return refused('the second bind() failed with EADDRINUSE')
  const code = getSystemErrorName(outcome.errno)
  const what = `${outcome.syscall}() failed with ${code}`
  if (outcome.syscall === 'setsockopt' && REFUSALS.includes(code)) return refused(what)
  return {
    supported: true,
    reason: `a shared port could not be tried (${what}); this answer uses only the known facts of the system`,
    conclusive: false,
  }
}

function refused(what: string): Probed {
  const reason = `this kernel does not let two sockets share a port: ${what}; use Linux 3.9 or later, or set fallback: 'exclusive'`
  return { supported: false, reason, conclusive: true }
}

function probeCore(missing: string): Probed {
  const reason = `the native addon is missing (${missing}), and Node's own reusePort does not share a port here; it needs Node 22.12 or later`
  return { supported: coreSharesPorts(), reason, conclusive: true }
}
