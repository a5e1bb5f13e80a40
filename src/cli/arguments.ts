// Pure: the arguments of the commands, and the errors of wrong ones.
import { nearestName } from '../options/option-names.js'

/** The command line is wrong. The command prints this message and where its help is, and exits with code 2. */
export class UsageError extends Error {}

/** A file that the command line names is missing. The command prints this message alone, and exits with code 2. */
export class MissingFileError extends UsageError {}

/** `seconds`: a flag that a number of seconds may follow. */
export type Flags = Readonly<Record<string, 'boolean' | 'seconds'>>

export interface Arguments {
  readonly flags: ReadonlyMap<string, true | number>
  readonly rest: readonly string[]
}

const SHORTEST = 0.1
const LONGEST = 3600

const SHORT: Readonly<Record<string, string>> = { '-h': '--help', '-V': '--version' }

/** @throws UsageError for an unknown flag, with the nearest known one, and for a value that the flag does not take. */
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
    // A number above the longest interval is a port: `--watch 8080`.
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
  throw new UsageError(`${flag} takes a number of seconds from ${SHORTEST} to ${LONGEST}, not '${text}'`)
}

/** @throws UsageError */
export function toPorts(texts: readonly string[]): readonly number[] {
  return texts.map((text) => {
    const port = Number(text)
    if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port
    throw new UsageError(`'${text}' is not a port: a port is a number from 1 to 65535`)
  })
}
