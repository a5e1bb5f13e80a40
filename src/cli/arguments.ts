import { nearestName } from '../options/option-names.js'

/** What was typed makes no sense: exit code 2, with the help that belongs to it. */
export class UsageError extends Error {}

/** `seconds`: a flag that may be followed by a number. */
export type Flags = Readonly<Record<string, 'boolean' | 'seconds'>>

export interface Arguments {
  readonly flags: ReadonlyMap<string, true | number>
  readonly rest: readonly string[]
}

const SHORTEST = 0.1
const LONGEST = 3600

const SHORT: Readonly<Record<string, string>> = { '-h': '--help', '-V': '--version' }

/** @throws UsageError for a flag that is unknown, with the nearest one, or has a value that it does not take. */
export function parseFlags(args: readonly string[], known: Flags): Arguments {
  const flags = new Map<string, true | number>()
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? ''
    if (!argument.startsWith('-') || argument === '-') {
      rest.push(argument)
      continue
    }
    const [typed = '', value] = (SHORT[argument] ?? argument).split(/=(.*)/s)
    const kind = known[typed.slice(2)]
    if (kind === undefined) throw unknownFlag(argument, known)
    const next = args[index + 1]
    // A number that is too large for seconds is a port.
    if (kind === 'seconds' && value === undefined && next !== undefined && isNumber(next) && Number(next) <= LONGEST) {
      flags.set(typed, toSeconds(typed, next))
      index++
    } else if (value !== undefined) {
      if (kind === 'boolean') throw new UsageError(`${typed} takes no value`)
      flags.set(typed, toSeconds(typed, value))
    } else {
      flags.set(typed, true)
    }
  }
  return { flags, rest }
}

function unknownFlag(argument: string, known: Flags): UsageError {
  const nearest = nearestName(argument.replace(/^-+/, '').split('=')[0] ?? '', Object.keys(known))
  const advice = nearest === undefined ? '' : `. Did you mean --${nearest}?`
  return new UsageError(`There is no option ${argument}${advice}`)
}

function isNumber(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text)
}

function toSeconds(flag: string, text: string): number {
  const seconds = Number(text)
  if (isNumber(text) && seconds >= SHORTEST && seconds <= LONGEST) return seconds
  throw new UsageError(`${flag} takes seconds from ${SHORTEST} to ${LONGEST}, not '${text}'`)
}

/** @throws UsageError */
export function toPorts(texts: readonly string[]): readonly number[] {
  return texts.map((text) => {
    const port = Number(text)
    if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port
    throw new UsageError(`'${text}' is no port: those are 1 to 65535`)
  })
}
