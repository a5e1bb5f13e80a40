import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import type { SupervisorOptions } from '../supervisor.js'
import { UsageError } from './arguments.js'
import { OPTIONS, parseRunArguments } from './run-arguments.js'

const OWN = {
  name: { type: 'string' },
  user: { type: 'string' },
  socket: { type: 'string' },
  out: { type: 'string' },
} as const

type Own = keyof typeof OWN

export interface SystemdArguments {
  /** For `run`, as they were typed: its options, the script and the script's arguments. */
  readonly args: readonly string[]
  readonly options: SupervisorOptions
  readonly name: string | undefined
  readonly user: string | undefined
  readonly sockets: readonly string[]
  readonly out: string | undefined
}

/** @returns 'help' for `--help`. @throws UsageError */
export function parseSystemdArguments(args: readonly string[]): SystemdArguments | 'help' {
  const { tokens } = parseArgs({
    args: [...args],
    options: { ...OPTIONS, ...OWN },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const end = tokens.findIndex(({ kind }) => kind !== 'option')
  const values: { readonly name: Own; readonly value: string }[] = []
  const own = new Set<number>()
  for (const token of end === -1 ? tokens : tokens.slice(0, end)) {
    if (token.kind !== 'option' || !isOwn(token.name)) continue
    if (token.value === '--help' || token.value === '-h') return 'help'
    values.push({ name: token.name, value: toValue(token.name, token.value) })
    own.add(token.index)
    if (token.inlineValue === false) own.add(token.index + 1)
  }
  const rest = args.filter((_, index) => !own.has(index))
  const parsed = parseRunArguments(rest)
  if (parsed === 'help') return 'help'
  const last = (name: Own): string | undefined => values.findLast((one) => one.name === name)?.value
  const sockets = values.filter(({ name }) => name === 'socket').map(({ value }) => value)
  return { args: rest, options: parsed.options, name: last('name'), user: last('user'), sockets, out: last('out') }
}

function isOwn(name: string): name is Own {
  return name in OWN
}

const TAKES: Readonly<Record<Own, { readonly what: string; readonly fits: (value: string) => boolean }>> = {
  name: { what: 'letters, digits and :_.- such as my-app', fits: (value) => /^[\w:.][\w:.-]{0,200}$/.test(value) },
  user: { what: 'the name or the number of a user', fits: (value) => /^[\w.][\w.-]{0,31}\$?$/.test(value) },
  socket: { what: 'a port or address:port such as 80 or [::1]:80', fits: isSocket },
  out: { what: 'a folder', fits: (value) => value !== '' && !value.startsWith('-') },
}

function toValue(name: Own, value: string | undefined): string {
  const { fits, what } = TAKES[name]
  if (value !== undefined && fits(value)) return value
  throw new UsageError(`--${name} takes ${what}${value === undefined ? '' : `, not '${value}'`}`)
}

function isSocket(value: string): boolean {
  const [, bracketed, plain, port = value] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(value) ?? []
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return false
  if (bracketed !== undefined) return isIP(bracketed) === 6
  return plain === undefined || isIP(plain) === 4
}
