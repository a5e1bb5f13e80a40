// Pure: what each operating system does with a shared port.
/** What a system does with connections to a port that several sockets share. */
export type Semantics = 'hash' | 'last-wins' | 'none'

export interface SystemFacts {
  readonly semantics: Semantics
  /** Where it does not balance: why, and what to do. */
  readonly advice: string
}

const BALANCED: SystemFacts = { semantics: 'hash', advice: '' }

const INSTEAD = "set fallback: 'exclusive' and share the listener through node:cluster, or run one process"

function lastWins(name: string, behaviour: string): SystemFacts {
  return {
    semantics: 'last-wins',
    advice: `${name} ${behaviour}; set fallback: 'unbalanced' to share it all the same, or ${INSTEAD}`,
  }
}

function none(name: string, behaviour: string): SystemFacts {
  return { semantics: 'none', advice: `${name} ${behaviour}; ${INSTEAD}` }
}

/**
 * What is known of each system (`process.platform`). A live probe cannot see it: binding twice succeeds also where one
 * socket gets every connection.
 */
const SYSTEMS: Readonly<Record<string, SystemFacts>> = {
  linux: BALANCED, // 3.9 and later, socket(7)
  android: BALANCED,
  freebsd: BALANCED, // 12 and later, SO_REUSEPORT_LB, setsockopt(2)
  sunos: BALANCED, // Solaris 11.4; illumos has no option, which the addon knows
  aix: BALANCED, // 7.2 TL5 and later
  darwin: lastWins('macOS', 'lets sockets share a port and gives every connection to the one bound last'),
  openbsd: lastWins('OpenBSD', 'allows duplicate bindings and does not balance connections between them'),
  netbsd: lastWins('NetBSD', 'allows duplicate bindings and does not balance connections between them'),
  win32: none('Windows', 'has no such option, and its SO_REUSEADDR would let a stranger take the port over'),
}

/** @internal */
export function factsOf(platform: string): SystemFacts {
  return SYSTEMS[platform] ?? none(`This system (${platform})`, 'is not known to share ports')
}
