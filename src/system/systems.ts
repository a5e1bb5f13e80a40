// Pure: what each operating system does with a shared port.
/** How a system chooses a socket for a connection to a shared port. `'none'`: it does not share ports. */
export type Semantics = 'hash' | 'last-wins' | 'none'

export interface SystemFacts {
  readonly semantics: Semantics
  /** Says why the system does not balance and what to do. Empty where it balances. */
  readonly advice: string
}

const BALANCED: SystemFacts = { semantics: 'hash', advice: '' }

const INSTEAD = "set fallback: 'exclusive' and share the listener through node:cluster, or run one process"

function lastWins(name: string, behaviour: string): SystemFacts {
  return {
    semantics: 'last-wins',
    advice: `${name} ${behaviour}; set fallback: 'unbalanced' to share the port without balancing, or ${INSTEAD}`,
  }
}

function none(name: string, behaviour: string): SystemFacts {
  return { semantics: 'none', advice: `${name} ${behaviour}; ${INSTEAD}` }
}

/**
 * The known facts of each system, by `process.platform`. A probe cannot find them: binding twice succeeds also where
 * one socket gets every connection.
 */
const SYSTEMS: Readonly<Record<string, SystemFacts>> = {
  linux: BALANCED, // 3.9 and later, socket(7)
  android: BALANCED,
  freebsd: BALANCED, // 12 and later, SO_REUSEPORT_LB, setsockopt(2)
  sunos: BALANCED, // Solaris 11.4; illumos has no such option, which the addon reports
  aix: BALANCED, // 7.2 TL5 and later
  darwin: lastWins('macOS', 'lets sockets share a port and gives every connection to the one bound last'),
  openbsd: lastWins('OpenBSD', 'allows duplicate bindings and does not balance connections between them'),
  netbsd: lastWins('NetBSD', 'allows duplicate bindings and does not balance connections between them'),
  win32: none('Windows', 'has no SO_REUSEPORT, and its SO_REUSEADDR would let any program take the port over'),
}

/** @internal */
export function factsOf(platform: string): SystemFacts {
  return SYSTEMS[platform] ?? none(`This system (${platform})`, 'is not known to share ports')
}
