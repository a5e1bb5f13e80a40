import path from 'node:path'
import process from 'node:process'
import { ENDING_SIGNALS, type EndingSignal } from '../common/ending-signals.js'
import type { BytesPolicy } from '../index.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { automaticWorkers, MOST_WORKERS, type WorkersLimit } from './automatic-workers.js'
import { toDatagramSteering } from './datagram-option.js'
import { DEPLOY_OPTIONS, type DeployOptions, type DeploySettings, parseDeployOptions } from './deploy-options.js'
import { type MetricsOption, type MetricsPlace, toMetricsPlace } from './metrics-place.js'
import { runningScript } from './node-options.js'
import { flag, oneOf, SupervisorOptionError, text, texts, time, variable } from './option-values.js'
import type { BalanceName, SteeringName } from './protocol.js'
import { toArgument, toScript } from './script-option.js'
import { STEERING_NAMES } from './steering-names.js'

/** Options of `Supervisor`. Times are in ms. The supervisor never writes to this object. */
export interface SupervisorOptions extends DeployOptions, MetricsOption {
  /** The program: a file that Node runs, or its `file:` URL. A path starts from `cwd`. Looked up anew for each worker. */
  readonly script: string | URL
  /** The arguments of the program. Default `[]`. */
  readonly args?: readonly string[] | undefined
  /**
   * The number of workers, 1 to 1024. `'auto'`: `os.availableParallelism()`, or less where the CPU quota of a cgroup is less
   * (rounded down, at least 1); the event `'workers:auto'` says which. Default `'auto'`.
   */
  readonly workers?: number | 'auto' | undefined
  /** ms until a worker must listen or call `process.send('ready')`. Default 30000. */
  readonly readyTimeout?: number | undefined
  /** ms without an answer after which a worker hangs: it is ended, and restarted as after a crash. From 100. Default: none. */
  readonly hangTimeout?: number | undefined
  /** ms for the connections of a worker that leaves; connections that are left then are destroyed. Default 10000. */
  readonly drainTimeout?: number | undefined
  /** The option `grace` of `drain`, in ms. Default 50. */
  readonly grace?: number | undefined
  /**
   * Early deaths of one worker in a row that the supervisor tolerates; at one more it gives up. `Infinity`: no limit.
   * Default 10.
   */
  readonly maxRestarts?: number | undefined
  /**
   * How the kernel chooses between the workers, as by `steer`; `'client'` is `{ by: 'client-address' }`. With that, idle
   * workers accept for a dead one only. Default: unchanged, so by hash. Linux.
   */
  readonly steering?: SteeringName | undefined
  /**
   * UDP: the worker of a datagram follows from `length` bytes (1 to 20) of it from `offset` on (0 to 65535), such as a
   * connection ID, over reloads and crashes; of one that is too short, or with `longHeaders: 'hash'` has a long header of
   * QUIC, from its sender. Default: the kernel's hash. Linux 5.3.
   */
  readonly datagramSteering?: DatagramSteeringOption | undefined
  /**
   * `'connections'`: the workers keep their numbers of open connections within 2 of each other, or 10 %: a worker that is
   * ahead passes on what it accepts, to the worker with fewest connections, before it reads from it. Connections that a
   * worker serves stay there. Not with `threads`, nor with the steering `'cpu'` or `'client'`. Default: off.
   */
  readonly balance?: BalanceName | undefined
  /** Each worker, with all its threads, runs on one CPU. Default false. Linux. */
  readonly pin?: boolean | undefined
  /** Worker threads of this process instead of processes. Default false. */
  readonly threads?: boolean | undefined
  /** Where the kernel does not balance: `'error'`, or `'exclusive'`: all workers accept from one socket. Default `'error'`. */
  readonly fallback?: 'error' | 'exclusive' | undefined
  /** All workers accept from one socket, even where the kernel would balance. Default false. */
  readonly oneSocket?: boolean | undefined
  /**
   * Workers that are idle accept from the queue of one that is busy, stands still or has died. Default true. Linux, where
   * each worker has a socket of its own.
   */
  readonly join?: boolean | undefined
  /** The working directory of the workers, looked up anew for each of them. Default `process.cwd()`. */
  readonly cwd?: string | undefined
  /** The environment of the workers. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /**
   * A file with further variables, read at the start of each worker. A relative path starts from `cwd`. A variable that
   * `env` has keeps its value.
   */
  readonly envFile?: string | undefined
  /**
   * The environment variable that tells a worker its slot as pm2 does, from 0; pm2's `instance_var`. It replaces a value
   * that `env` or `envFile` has. Default `'NODE_APP_INSTANCE'`.
   */
  readonly instanceVar?: string | undefined
  /**
   * Options of Node for the workers; those by which Node runs no script (`-e`, `-p`, `--test` and the like) are left out.
   * Workers that are inspected get a port each. Default `process.execArgv`.
   */
  readonly execArgv?: readonly string[] | undefined
  /**
   * The workers share a compile cache, in a folder of mode 0700 that goes with the supervisor. Not those that are
   * inspected or measured (NODE_V8_COVERAGE), nor those that have a cache of their own. Default false. Node 22.10.
   */
  readonly compileCache?: boolean | undefined
  /** `'pipe'`: the event `'worker:output'` brings the text that workers print. Default `'inherit'`. */
  readonly output?: 'inherit' | 'pipe' | undefined
  /**
   * Reload when a file below `cwd` changes, unless the program itself writes it: a file that a worker has open for
   * writing (Linux), or that changes whenever workers start. Names with a leading dot and `node_modules` are ignored.
   * Default false.
   */
  readonly watch?: boolean | undefined
  /**
   * Files and folders that `watch` leaves out. A pattern without `/` is for names in any folder, such as `*.log`; any
   * other pattern is for a path from `cwd`, such as `public/**`. Default `[]`.
   */
  readonly watchIgnore?: readonly string[] | undefined
  /** When the workers are ready, drain and end the earlier supervisors on these ports. Default false. Linux. */
  readonly replace?: boolean | undefined
  /** Listening TCP sockets that another process, such as systemd, has opened, for all workers. Default `[]`. */
  readonly sockets?: readonly { readonly fd: number; readonly name?: string | undefined }[] | undefined
}

/** `{ by: 'bytes' }` without a table. */
export type DatagramSteeringOption = Omit<BytesPolicy, 'table'>

type Absent = 'script' | 'workers' | 'steering' | 'datagramSteering' | 'balance' | 'envFile' | 'hangTimeout' | 'metrics'
type Given = Omit<SupervisorOptions, Absent | keyof DeployOptions>

/** @internal */
export type Settings = DeploySettings & { readonly [Name in keyof Given]-?: NonNullable<Given[Name]> } & {
  readonly script: string
  readonly workers: number
  /** Where the number of workers comes from, if it is automatic. */
  readonly automatic: WorkersLimit | undefined
  readonly steering: SteeringName | undefined
  readonly datagramSteering: BytesPolicy | undefined
  readonly hangTimeout: number | undefined
  readonly balance: BalanceName | undefined
  readonly envFile: string | undefined
  readonly metrics: MetricsPlace | undefined
}

/** @internal */
export const OPTIONS: readonly (keyof SupervisorOptions)[] = [
  ...DEPLOY_OPTIONS,
  'script',
  'args',
  'workers',
  'readyTimeout',
  'hangTimeout',
  'drainTimeout',
  'grace',
  'maxRestarts',
  'steering',
  'datagramSteering',
  'balance',
  'pin',
  'threads',
  'fallback',
  'oneSocket',
  'join',
  'cwd',
  'env',
  'envFile',
  'instanceVar',
  'execArgv',
  'compileCache',
  'output',
  'watch',
  'watchIgnore',
  'replace',
  'metrics',
  'sockets',
]

/** @internal @throws SupervisorOptionError, ReusePortUnknownOptionError */
export function parseOptions(options: SupervisorOptions): Settings {
  if (typeof options !== 'object' || options === null) throw new SupervisorOptionError('options', options, 'an object')
  refuseUnknownOptions(options, OPTIONS)
  const cwd = path.resolve(text(options, 'cwd') ?? process.cwd())
  const script = toScript(options.script)
  if (options.replace && options.oneSocket) {
    throw new SupervisorOptionError(
      'replace',
      true,
      "false where 'oneSocket' is true (no other supervisor can bind the port of that socket)",
    )
  }
  if (options.balance !== undefined) assertBalanceable(options)
  const { workers, from } = toWorkers(options.workers ?? 'auto')
  return {
    script: toArgument(script),
    cwd,
    args: [...(options.args ?? [])],
    workers,
    automatic: from,
    readyTimeout: time(options, 'readyTimeout', 30_000),
    hangTimeout: options.hangTimeout === undefined ? undefined : time(options, 'hangTimeout', 0, 100),
    drainTimeout: time(options, 'drainTimeout', 10_000),
    grace: time(options, 'grace', 50),
    ...parseDeployOptions(options),
    maxRestarts: toMaxRestarts(options.maxRestarts ?? 10),
    steering: oneOf(options, 'steering', STEERING_NAMES),
    datagramSteering: toDatagramSteering(options),
    balance: oneOf(options, 'balance', ['connections']),
    pin: flag(options, 'pin'),
    threads: flag(options, 'threads'),
    fallback: oneOf(options, 'fallback', ['error', 'exclusive']) ?? 'error',
    oneSocket: flag(options, 'oneSocket'),
    join: flag(options, 'join', true),
    env: options.env ?? process.env,
    envFile: toPath(cwd, text(options, 'envFile')),
    instanceVar: variable(options, 'instanceVar') ?? 'NODE_APP_INSTANCE',
    execArgv: runningScript(options.execArgv ?? process.execArgv),
    compileCache: flag(options, 'compileCache'),
    output: oneOf(options, 'output', ['inherit', 'pipe']) ?? 'inherit',
    watch: flag(options, 'watch'),
    watchIgnore: texts(options, 'watchIgnore'),
    replace: flag(options, 'replace'),
    metrics: toMetricsPlace(options, (file) => path.resolve(cwd, file)),
    sockets: [...(options.sockets ?? [])],
  }
}

/** Node cannot pass a connection to a thread. Where a policy binds clients to workers, they stay with them. */
function assertBalanceable({ balance, steering, threads }: SupervisorOptions): void {
  if (threads) throw new SupervisorOptionError('balance', balance, "undefined where 'threads' is true")
  if (steering === 'cpu' || steering === 'client') {
    throw new SupervisorOptionError('balance', balance, `undefined where 'steering' is '${steering}'`)
  }
}

/** Not the real path: a link on the way is followed anew at each start. */
function toPath(cwd: string, file: string | undefined): string | undefined {
  return file === undefined ? undefined : path.resolve(cwd, file)
}

/** @internal @returns the number, and where it comes from if it is automatic. */
export function toWorkers(workers: number | 'auto'): { readonly workers: number; readonly from?: WorkersLimit } {
  if (workers === 'auto') return automaticWorkers()
  if (Number.isInteger(workers) && workers >= 1 && workers <= MOST_WORKERS) return { workers }
  throw new SupervisorOptionError('workers', workers, `a whole number from 1 to ${MOST_WORKERS}, or 'auto'`)
}

/** @internal */
export function toEndingSignal(value: unknown): EndingSignal {
  const signal = ENDING_SIGNALS.find((name) => name === value)
  if (signal !== undefined) return signal
  throw new SupervisorOptionError('signal', value, ENDING_SIGNALS.map((name) => `'${name}'`).join(' or '))
}

function toMaxRestarts(value: number): number {
  if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0)) return value
  throw new SupervisorOptionError('maxRestarts', value, 'a whole number of 0 or more, or Infinity')
}
