// Pure: what is wrong with the options of `run`, before their values are looked at.
import { nearestName } from '../options/option-names.js'
import { UsageError } from './arguments.js'
import { hintForOption } from './other-words.js'

/** As `parseArgs` gives them. */
export interface Token {
  readonly kind: string
  readonly index: number
  readonly name?: string
  /** As it was typed: `-n`. */
  readonly rawName?: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

export type Known = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>

/** Options whose value may look like an option. */
const WITH_OPTIONS: readonly (string | undefined)[] = ['node-arg']

/** @throws UsageError */
export function assertOptions(tokens: readonly Token[], known: Known): void {
  for (const token of tokens) if (token.kind === 'option') assertOption(token, known)
}

function assertOption({ name = '', rawName = '', value, inlineValue }: Token, known: Known): void {
  const option = Object.hasOwn(known, name) ? known[name] : undefined
  if (option === undefined) throw unknownOption(name, rawName, Object.keys(known))
  const shown = rawName === `--${name}` ? rawName : `${rawName} (--${name})`
  if (option.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${shown} takes no value, and got '${value}'`)
    return
  }
  if (value === undefined || value === '') throw new UsageError(`${shown} needs a value, and none follows`)
  if (inlineValue === true && rawName.length === 2 && value.startsWith('='))
    throw new UsageError(`${rawName} takes its value without '=': ${rawName} ${value.slice(1)}`)
  if (inlineValue === true || value === '-' || !value.startsWith('-') || WITH_OPTIONS.includes(name)) return
  throw new UsageError(`${shown} needs a value, and '${value}' follows (a value that begins so: --${name}=${value})`)
}

function unknownOption(name: string, rawName: string, known: readonly string[]): UsageError {
  const hint = hintForOption(name, known)
  if (hint !== undefined) return new UsageError(`There is no option ${rawName}: ${hint}`)
  // A single letter is near to many names, and means none of them.
  const nearest = name.length === 1 ? undefined : nearestName(name, known)
  return new UsageError(`There is no option ${rawName}${nearest === undefined ? '' : `. Did you mean --${nearest}?`}`)
}

/** Why there is no script: an option may have taken it for its value. */
export function noScript(tokens: readonly Token[]): UsageError {
  const last = tokens.findLast(({ kind }) => kind === 'option')
  const isTaken = last?.value !== undefined && last.inlineValue === false
  const why = isTaken ? `: ${last.rawName} has taken '${last.value}' for its value` : ': reuseport run server.js'
  return new UsageError(`A script is missing${why}`)
}

/**
 * Arguments of the script that look like options of `run`, which come before the script. Empty where the script follows
 * `--`: then somebody has said whose they are.
 *
 * @param tokens All, of the script too. @param script The index of the script.
 */
export function misplacedOptions(tokens: readonly Token[], script: number, known: Known): readonly string[] {
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY
  if (end < script) return []
  return tokens
    .filter(({ index, kind, name = '' }) => kind === 'option' && index > script && index < end && isOurs(name, known))
    .map(({ rawName = '', value }) => (value === undefined ? rawName : `${rawName} ${value}`))
}

/** Those of pm2 for the number of workers are meant for a command like this one, too. */
function isOurs(name: string, known: Known): boolean {
  return Object.hasOwn(known, name) || name === 'i' || name === 'instances'
}
