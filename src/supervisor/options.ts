import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { refuseUnknownOptions } from '../options/option-names.js'
import type { SteeringName } from './protocol.js'

/** Options of `Supervisor`. Times in ms. Never written to. */
export interface SupervisorOptions {
  /** The program: a file that Node runs, from `cwd`. */
  readonly script: string
  /** Its arguments. */
  readonly args?: readonly string[] | undefined
  /** How many workers, 1 to 1024; `'auto'` for as many as `os.availableParallelism()` says. Default `'auto'`. */
  readonly workers?: number | 'auto' | undefined
  /** ms at most for a worker to listen, or to say `process.send('ready')`. Default 30000. */
  readonly readyTimeout?: number | undefined
  /** ms for the connections of a worker that leaves; what is left then is destroyed. Default 10000. */
  readonly drainTimeout?: number | undefined
  /** `grace` of `drain`, in ms. Default 50. */
  readonly grace?: number | undefined
  /** Early deaths of one worker in a row before the supervisor gives up; `Infinity` for never. Default 10. */
  readonly maxRestarts?: number | undefined
  /** How the kernel chooses between the workers: `steer`. Default: by hash. Linux. */
  readonly steering?: SteeringName | undefined
  /** Each worker runs on one CPU. Default false. Linux. */
  readonly pin?: boolean | undefined
  /** Worker threads of this process instead of processes. Default false. */
  readonly threads?: boolean | undefined
  /** What happens where the kernel does not balance: `'error'`, or `'exclusive'`: all workers accept from one socket. Default `'error'`. */
  readonly fallback?: 'error' | 'exclusive' | undefined
  /** All workers accept from one socket also where the kernel would balance. Default false. */
  readonly oneSocket?: boolean | undefined
  /** Where the workers run. Default `process.cwd()`. */
  readonly cwd?: string | undefined
  /** Their environment. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** A file of further variables, read at the start of each worker; what `env` has is not replaced. */
  readonly envFile?: string | undefined
  /** Options of Node. Default `process.execArgv`. */
  readonly execArgv?: readonly string[] | undefined
  /** `'pipe'`: what workers print is told by the event `'worker:output'`. Default `'inherit'`. */
  readonly output?: 'inherit' | 'pipe' | undefined
  /** Reload when a file below `cwd` changes (not in `node_modules`, nor where a name begins with a dot). Default false. */
  readonly watch?: boolean | undefined
  /** Once the workers listen, end whoever else `reuseport run` has put on these ports: drained. Default false. Linux. */
  readonly replace?: boolean | undefined
  /** Listening sockets that somebody else has opened, systemd for one. Every worker accepts from them. */
  readonly sockets?: readonly { readonly fd: number; readonly name?: string | undefined }[] | undefined
}

type Given = Omit<SupervisorOptions, 'workers' | 'steering' | 'envFile'>

/** @internal */
export type Settings = { readonly [Name in keyof Given]-?: NonNullable<Given[Name]> } & {
  readonly workers: number
  readonly steering: SteeringName | undefined
  readonly envFile: string | undefined
}

/** @internal */
export const OPTIONS: readonly (keyof SupervisorOptions)[] = [
  'script',
  'args',
  'workers',
  'readyTimeout',
  'drainTimeout',
  'grace',
  'maxRestarts',
  'steering',
  'pin',
  'threads',
  'fallback',
  'oneSocket',
  'cwd',
  'env',
  'envFile',
  'execArgv',
  'output',
  'watch',
  'replace',
  'sockets',
]

/** @internal */
export const MOST_WORKERS = 1024
const LONGEST = 0x7fffffff

/** An option of `Supervisor` that makes no sense. */
export class SupervisorOptionError extends TypeError {
  readonly code = 'ERR_INVALID_ARG_VALUE'
  readonly option: string

  constructor(option: string, value: unknown, expected: string) {
    super(`The option '${option}' must be ${expected}, not ${typeof value === 'string' ? `'${value}'` : String(value)}`)
    this.option = option
  }
}

/** @internal @throws SupervisorOptionError, ReusePortUnknownOptionError */
export function parseOptions(options: SupervisorOptions): Settings {
  if (typeof options !== 'object' || options === null) throw new SupervisorOptionError('options', options, 'an object')
  refuseUnknownOptions(options, OPTIONS)
  const cwd = path.resolve(text(options, 'cwd') ?? process.cwd())
  const script = text(options, 'script')
  if (options.replace && options.oneSocket) {
    throw new SupervisorOptionError(
      'replace',
      true,
      'left out where there is one socket for all: it cannot be shared with others',
    )
  }
  if (script === undefined || script === '') throw new SupervisorOptionError('script', options.script, 'a file')
  return {
    script: toFile(path.resolve(cwd, script)),
    cwd,
    args: [...(options.args ?? [])],
    workers: toWorkers(options.workers ?? 'auto'),
    readyTimeout: time(options, 'readyTimeout', 30_000),
    drainTimeout: time(options, 'drainTimeout', 10_000),
    grace: time(options, 'grace', 50),
    maxRestarts: toMaxRestarts(options.maxRestarts ?? 10),
    steering: oneOf(options, 'steering', ['hash', 'cpu', 'random']),
    pin: flag(options, 'pin'),
    threads: flag(options, 'threads'),
    fallback: oneOf(options, 'fallback', ['error', 'exclusive']) ?? 'error',
    oneSocket: flag(options, 'oneSocket'),
    env: options.env ?? process.env,
    envFile: text(options, 'envFile'),
    execArgv: [...(options.execArgv ?? process.execArgv)],
    output: oneOf(options, 'output', ['inherit', 'pipe']) ?? 'inherit',
    watch: flag(options, 'watch'),
    replace: flag(options, 'replace'),
    sockets: [...(options.sockets ?? [])],
  }
}

/** As `node` finds a script: with or without its extension, or the folder of a package. */
function toFile(script: string): string {
  try {
    return createRequire(import.meta.url).resolve(script)
  } catch {
    return script
  }
}

/** @internal */
export function toWorkers(workers: number | 'auto'): number {
  if (workers === 'auto') return Math.min(availableParallelism(), MOST_WORKERS)
  if (Number.isInteger(workers) && workers >= 1 && workers <= MOST_WORKERS) return workers
  throw new SupervisorOptionError('workers', workers, `a whole number from 1 to ${MOST_WORKERS}, or 'auto'`)
}

function toMaxRestarts(value: number): number {
  if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0)) return value
  throw new SupervisorOptionError('maxRestarts', value, 'a whole number of 0 or more, or Infinity')
}

type Name = keyof SupervisorOptions

function text(options: SupervisorOptions, name: Name): string | undefined {
  const value = options[name]
  if (value === undefined || typeof value === 'string') return value
  throw new SupervisorOptionError(name, value, 'text')
}

function flag(options: SupervisorOptions, name: Name): boolean {
  const value = options[name]
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new SupervisorOptionError(name, value, 'true or false')
}

function time(options: SupervisorOptions, name: Name, otherwise: number): number {
  const value = options[name] ?? otherwise
  if (typeof value === 'number' && value >= 0 && value <= LONGEST) return value
  throw new SupervisorOptionError(name, value, `a number of ms from 0 to ${LONGEST}`)
}

function oneOf<T extends string>(options: SupervisorOptions, name: Name, allowed: readonly T[]): T | undefined {
  const value = options[name]
  if (value === undefined) return undefined
  const found = allowed.find((candidate) => candidate === value)
  if (found !== undefined) return found
  throw new SupervisorOptionError(name, value, allowed.map((candidate) => `'${candidate}'`).join(' or '))
}
