// Pure: the options of a call that configure its socket.
/** The caller's options of a socket besides its address. Unchecked: the check needs the option table of the addon. */
export interface GivenConfiguration {
  readonly socketOptions?: unknown
  readonly rawSocketOptions?: unknown
  readonly onSocket?: unknown
  readonly maxMembers?: unknown
  /** The names that nobody knows, in an object that Node reads too. */
  readonly ignored?: readonly string[]
}

export const CONFIGURATION_OPTIONS: readonly ('socketOptions' | 'rawSocketOptions' | 'onSocket' | 'maxMembers')[] = [
  'socketOptions',
  'rawSocketOptions',
  'onSocket',
  'maxMembers',
]

/** The first given option that only a socket of the addon can have. Options named in `optional` are passed over. */
export function firstNeeded(given: GivenConfiguration): string | undefined {
  const { socketOptions, rawSocketOptions } = given
  if (typeof socketOptions === 'object' && socketOptions !== null) {
    const { optional, ...options } = socketOptions as Readonly<Record<string, unknown>>
    const isOptional = (name: string): boolean => Array.isArray(optional) && optional.includes(name)
    const name = Object.keys(options).find((key) => options[key] !== undefined && !isOptional(key))
    if (name !== undefined) return `socketOptions.${name}`
  }
  if (Array.isArray(rawSocketOptions) && rawSocketOptions.length > 0) return 'rawSocketOptions'
  return (['onSocket', 'maxMembers'] as const).find((name) => given[name] !== undefined)
}

export function pickConfiguration(options: GivenConfiguration): GivenConfiguration {
  const { socketOptions, rawSocketOptions, onSocket, maxMembers } = options
  return { socketOptions, rawSocketOptions, onSocket, maxMembers }
}
