// Pure: reads the options of `Supervisor`, each with what it must be.
const LONGEST = 0x7fffffff

type Name<O> = keyof O & string

/** An option of `Supervisor` has an invalid value. `option` is the name of the option. */
export class SupervisorOptionError extends TypeError {
  readonly code = 'ERR_INVALID_ARG_VALUE'
  readonly option: string

  constructor(option: string, value: unknown, expected: string) {
    super(`The option '${option}' must be ${expected}, not ${typeof value === 'string' ? `'${value}'` : String(value)}`)
    this.option = option
  }
}

export function text<O extends object>(options: O, name: Name<O>): string | undefined {
  const value: unknown = options[name]
  if (value === undefined || typeof value === 'string') return value
  throw new SupervisorOptionError(name, value, 'a string')
}

/** The name of an environment variable. */
export function variable<O extends object>(options: O, name: Name<O>): string | undefined {
  const value = text(options, name)
  if (value === undefined || /^[A-Za-z_]\w*$/.test(value)) return value
  throw new SupervisorOptionError(name, value, 'the name of an environment variable')
}

export function texts<O extends object>(options: O, name: Name<O>): readonly string[] {
  const value: unknown = options[name] ?? []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '')) return [...value]
  throw new SupervisorOptionError(name, value, 'an array of strings that are not empty')
}

export function flag<O extends object>(options: O, name: Name<O>, otherwise = false): boolean {
  const value: unknown = options[name]
  if (value === undefined || typeof value === 'boolean') return value ?? otherwise
  throw new SupervisorOptionError(name, value, 'true or false')
}

export function time<O extends object>(options: O, name: Name<O>, otherwise: number, least = 0): number {
  const value: unknown = options[name] ?? otherwise
  if (typeof value === 'number' && value >= least && value <= LONGEST) return value
  throw new SupervisorOptionError(name, value, `a number of milliseconds from ${least} to ${LONGEST}`)
}

export function oneOf<O extends object, T extends string>(
  options: O,
  name: Name<O>,
  allowed: readonly T[],
): T | undefined {
  const value: unknown = options[name]
  if (value === undefined) return undefined
  const found = allowed.find((candidate) => candidate === value)
  if (found !== undefined) return found
  throw new SupervisorOptionError(name, value, allowed.map((candidate) => `'${candidate}'`).join(' or '))
}
