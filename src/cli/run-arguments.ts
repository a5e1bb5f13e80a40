import process from 'node:process'
import { parseArgs } from 'node:util'
import type { SupervisorOptions } from '../supervisor.js'
import { UsageError } from './arguments.js'
import { assertOptions, misplacedOptions, noScript, type Token } from './run-options.js'

export const OPTIONS = {
  workers: { type: 'string', short: 'n' },
  grace: { type: 'string' },
  'drain-timeout': { type: 'string' },
  'hang-timeout': { type: 'string' },
  'ready-timeout': { type: 'string' },
  'max-restarts': { type: 'string' },
  health: { type: 'string' },
  soak: { type: 'string' },
  'max-memory': { type: 'string' },
  'max-age': { type: 'string' },
  'max-age-jitter': { type: 'string' },
  steering: { type: 'string' },
  'datagram-steering': { type: 'string' },
  balance: { type: 'string' },
  pin: { type: 'boolean' },
  threads: { type: 'boolean' },
  'one-socket': { type: 'boolean' },
  'no-join': { type: 'boolean' },
  fallback: { type: 'string' },
  watch: { type: 'boolean' },
  'watch-ignore': { type: 'string', multiple: true },
  replace: { type: 'boolean' },
  metrics: { type: 'string' },
  // Node looks for --env-file among the arguments of its script too, and ends with code 9 where the file is not in the
  // folder that it was started in.
  env: { type: 'string' },
  'env-file': { type: 'string' },
  'instance-var': { type: 'string' },
  cwd: { type: 'string' },
  'pid-file': { type: 'string' },
  'node-arg': { type: 'string', multiple: true },
  'compile-cache': { type: 'boolean' },
  prefix: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export interface RunArguments {
  readonly options: SupervisorOptions
  readonly json: boolean
  readonly prefix: boolean
  /** As given. */
  readonly pidFile: string | undefined
  /** What the user may not have meant, a sentence each. */
  readonly doubts: readonly string[]
}

/** @returns 'help' for `--help`. @throws UsageError */
export function parseRunArguments(args: readonly string[]): RunArguments | 'help' {
  // Arguments after the script belong to the script.
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const first = tokens.find(({ kind }) => kind !== 'option')
  const typed = first === undefined ? tokens : tokens.slice(0, tokens.indexOf(first))
  assertOptions(typed, OPTIONS)
  const own = joined(first === undefined ? args : args.slice(0, first.index), tokens)
  const [script, ...rest] =
    first === undefined ? [] : args.slice(first.kind === 'positional' ? first.index : first.index + 1)
  const { values } = parseArgs({ args: [...own], options: OPTIONS })
  if (values.help === true) return 'help'
  if (script === undefined) throw noScript(typed)
  const given = {
    workers:
      values.workers === undefined || values.workers === 'auto' ? values.workers : toNumber('workers', values.workers),
    grace: toTime('grace', values.grace),
    drainTimeout: toTime('drain-timeout', values['drain-timeout']),
    hangTimeout: toTime('hang-timeout', values['hang-timeout']),
    readyTimeout: toTime('ready-timeout', values['ready-timeout']),
    maxRestarts: values['max-restarts'] === undefined ? undefined : toNumber('max-restarts', values['max-restarts']),
    health: toPath(values.health),
    soak: toTime('soak', values.soak),
    maxMemory: toBytesOfMemory(values['max-memory']),
    maxAge: toTime('max-age', values['max-age']),
    maxAgeJitter: toTime('max-age-jitter', values['max-age-jitter']),
    steering: oneOf('steering', values.steering, ['hash', 'random', 'cpu', 'client']),
    datagramSteering: toBytes(values['datagram-steering']),
    balance: oneOf('balance', values.balance, ['connections']),
    fallback: oneOf('fallback', values.fallback, ['error', 'exclusive']),
    pin: values.pin,
    threads: values.threads,
    oneSocket: values['one-socket'],
    ...(values['no-join'] === true && { join: false }),
    compileCache: values['compile-cache'],
    watch: values.watch,
    watchIgnore: values['watch-ignore'],
    replace: values.replace,
    metrics: values.metrics,
    envFile: values.env ?? values['env-file'],
    instanceVar: values['instance-var'],
    cwd: values.cwd,
    ...(values['node-arg'] !== undefined && { execArgv: [...process.execArgv, ...toNodeOptions(values['node-arg'])] }),
  } as const
  const prefix = values.prefix === true
  return {
    options: { script, args: rest, ...given, ...(prefix && { output: 'pipe' }) },
    json: values.json === true,
    prefix,
    pidFile: values['pid-file'],
    doubts: first === undefined ? [] : doubtsOf(misplacedOptions(tokens, first.index, OPTIONS), script),
  }
}

function doubtsOf([first, ...more]: readonly string[], script: string): readonly string[] {
  if (first === undefined) return []
  const all = [first, ...more].join(' ')
  const meant = `(reuseport run -- ${script} … says that it is meant)`
  return [`${all} after ${script} goes to the program: options of reuseport run come before the script ${meant}`]
}

/** `--node-arg --inspect` as `--node-arg=--inspect`: `parseArgs` refuses a value that looks like an option. */
function joined(args: readonly string[], tokens: readonly Token[]): readonly string[] {
  const starts = tokens.filter(({ name, inlineValue }) => name === 'node-arg' && inlineValue === false)
  const at = new Set(starts.map(({ index }) => index))
  return args.flatMap((arg, index) => {
    if (at.has(index)) return [`${arg}=${args[index + 1]}`]
    return at.has(index - 1) ? [] : [arg]
  })
}

/** An option may be followed by its value: `--node-arg --require --node-arg ./more.js`. */
function toNodeOptions(options: readonly string[]): readonly string[] {
  for (const [index, option] of options.entries()) {
    const before = options[index - 1] ?? ''
    const isValue = before.startsWith('-') && !before.includes('=')
    if (option.startsWith('-') || isValue) continue
    throw new UsageError(`--node-arg takes an option of Node such as --max-old-space-size=512, not '${option}'`)
  }
  return options
}

function toNumber(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  if (name === 'max-restarts' && text === 'Infinity') return Number.POSITIVE_INFINITY
  const or = name === 'workers' ? ", or 'auto'" : ''
  throw new UsageError(`--${name} takes a whole number${or}, not '${text}'`)
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** @returns ms. */
function toTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|[smhd])?$/.exec(text) ?? []
  if (number !== undefined) return Number(number) * UNITS[unit as keyof typeof UNITS]
  throw new UsageError(`--${name} takes a time such as 500ms, 10s, 2m or 12h, not '${text}'`)
}

const SIZES = { K: 1 << 10, M: 1 << 20, G: 1 << 30 } as const

/** @returns bytes. */
function toBytesOfMemory(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMG])$/.exec(text.toUpperCase().replace(/I?B$/, '')) ?? []
  if (number !== undefined) return Math.round(Number(number) * SIZES[unit as keyof typeof SIZES])
  throw new UsageError(`--max-memory takes a size such as 512M or 1.5G, not '${text}'`)
}

function toPath(text: string | undefined): string | undefined {
  if (text === undefined || text.startsWith('/')) return text
  throw new UsageError(`--health takes a path of the program such as /healthz, not '${text}'`)
}

function toBytes(text: string | undefined): SupervisorOptions['datagramSteering'] {
  if (text === undefined) return undefined
  const [, offset, length] = /^bytes:(\d{1,5}):(\d{1,2})$/.exec(text) ?? []
  if (length !== undefined) return { by: 'bytes', offset: Number(offset), length: Number(length) }
  throw new UsageError(`--datagram-steering takes bytes:<offset>:<length>, not '${text}'`)
}

function oneOf<T extends string>(name: string, text: string | undefined, allowed: readonly T[]): T | undefined {
  if (text === undefined) return undefined
  const found = allowed.find((one) => one === text)
  if (found !== undefined) return found
  throw new UsageError(`--${name} takes one of ${allowed.join(', ')}, not '${text}'`)
}
