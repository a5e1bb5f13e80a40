import { closeSync, fstatSync, openSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import {
  notifySystemd,
  Supervisor,
  SupervisorError,
  SupervisorOptionError,
  type SupervisorOptions,
  systemdSockets,
  writeInBackground,
} from '../supervisor.js'
import { MissingFileError, UsageError } from './arguments.js'
import { currentFolder } from './current-folder.js'
import { Prefixer } from './prefix.js'
import { parseRunArguments } from './run-arguments.js'
import { narrate, narrateAsJson } from './run-narration.js'
import { printableLines, screenOf } from './terminal.js'

export const RUN_HELP = `Usage: reuseport run [options] script [args ...]

Runs a program in several processes (workers) that share its ports, replaces
workers without losing a connection, and starts another one where one dies.

  -n, --workers <count|auto>   number of workers (default auto: one per CPU)
      --ready-timeout <time>   limit for a worker to listen (default 30s)
      --drain-timeout <time>   limit for a leaving worker's connections (10s)
      --grace <time>           wait for new connections to go elsewhere (50ms)
      --max-restarts <count>   early deaths of a worker in a row before the
                               supervisor gives up (10)
      --steering <policy>      how the kernel chooses (Linux): hash, random, cpu
      --pin                    pin each worker to one CPU (Linux)
      --threads                run worker threads instead of processes
      --fallback <policy>      where the kernel does not balance: error, or
                               exclusive (one socket for all workers)
      --one-socket             use one socket for all workers in any case
      --watch                  reload when a file changes
      --replace                once the workers listen, drain the workers of an
                               earlier reuseport run on these ports (Linux)
      --env <file>             more variables for the workers (--env-file too,
                               but Node itself looks for that file as well)
      --cwd <folder>           folder of the workers, the script and --env
      --node-arg <option>      an option of Node for the workers; repeatable
      --prefix                 put the worker before each line that it prints
      --json                   report each event as a line of JSON on stderr
  -h, --help                   print this help

A time is a number of seconds, or has a unit: 500ms, 10s, 2m.

SIGHUP (or reuseport reload) replaces the workers. SIGTTIN starts one more,
SIGTTOU drains one. SIGTERM, SIGINT or a closing terminal drains all workers and
ends the supervisor. A second of these signals ends everything at once.

Exit codes: 0 ended by a signal, 1 a worker did not become ready,
2 wrong usage, 3 workers kept dying, 130 or 143 a second SIGINT or SIGTERM.`

const CANNOT = 1
const GAVE_UP = 3

/** @returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseRunArguments(args)
  if (parsed === 'help') {
    process.stdout.write(`${RUN_HELP}\n`)
    return 0
  }
  const { options } = parsed
  const cwd = path.resolve(currentFolder(process.env['PWD']), options.cwd ?? '')
  const supervisor = create({ ...options, cwd, sockets: systemdSockets() })
  notifySystemd(supervisor)
  const screen = screenOf(process.stderr, process.env)
  const write = (line: string): void => void process.stderr.write(`${line}\n`)
  if (parsed.json) narrateAsJson(supervisor, write)
  else narrate(supervisor, write, screen)
  if (parsed.prefix) new Prefixer(supervisor, screenOf(process.stdout, process.env))
  // A reader of stdout or stderr may close the pipe: the workers keep serving.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  writeInBackground()
  const signals = handleSignals(supervisor)
  try {
    await supervisor.start()
    await supervisor.closed
    return signals.exitCode()
  } catch (error) {
    if (signals.exitCode() !== 0) return signals.exitCode()
    // A signal ended the supervisor during its start.
    if (signals.count > 0) return 0
    if (error instanceof SupervisorError && error.code === 'ERR_REUSEPORT_GAVE_UP') return GAVE_UP
    const { code, message, option } = error as NodeJS.ErrnoException & { readonly option?: string }
    if (code === 'ENOENT' && option !== undefined) throw missing(option, options)
    if (!parsed.json) write(`reuseport: ${printableLines(message)}`)
    return CANNOT
  } finally {
    signals.end()
  }
}

function create(options: ConstructorParameters<typeof Supervisor>[0]): Supervisor {
  try {
    return new Supervisor(options)
  } catch (error) {
    if (error instanceof SupervisorOptionError) throw new UsageError(error.message)
    throw error
  }
}

function missing(option: string, { script, envFile, cwd }: SupervisorOptions): MissingFileError {
  if (option === 'envFile') return new MissingFileError(`There is no file ${envFile} (--env)`)
  if (option === 'cwd') return new MissingFileError(`There is no folder ${cwd ?? process.env['PWD']} (--cwd)`)
  return new MissingFileError(`There is no script ${script}`)
}

/** Puts /dev/null in place of the closed terminal: Node resets it at exit, and aborts (SIGABRT) where that fails. */
function leaveTerminal(): void {
  for (const fd of [0, 1, 2]) {
    if (!isDevice(fd)) continue
    closeSync(fd)
    // open(2) takes the lowest free number, which is this one.
    openSync('/dev/null', 'r+')
  }
}

/** Whether a descriptor is a terminal or another character device. isatty(3) fails for a terminal that has closed. */
function isDevice(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice()
  } catch {
    return false
  }
}

interface Signals {
  /** How many signals have asked the supervisor to end. */
  readonly count: number
  /** 128 plus the number of the second signal; 0 before it. */
  exitCode(): number
  end(): void
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** Whether this process has a controlling terminal: /dev/tty opens only then. tty(4) */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

function handleSignals(supervisor: Supervisor): Signals {
  let count = 0
  let exitCode = 0
  const ignore = (): void => {}
  const hadTerminal = hasTerminal()
  const end = (name: keyof typeof NUMBERS): void => {
    count++
    if (count === 1) {
      supervisor.stop().catch(ignore)
      return
    }
    exitCode = 128 + NUMBERS[name]
    supervisor.kill()
  }
  // Rejections are ignored: the events of the supervisor report them.
  const handlers = {
    SIGINT: () => end('SIGINT'),
    SIGTERM: () => end('SIGTERM'),
    // The kernel sends SIGHUP when the terminal closes, a user sends it for a reload.
    SIGHUP: () => {
      if (!hadTerminal || hasTerminal()) {
        supervisor.reload().catch(ignore)
        return
      }
      leaveTerminal()
      end('SIGHUP')
    },
    SIGTTIN: () => scale(supervisor, 1),
    SIGTTOU: () => scale(supervisor, -1),
  } as const
  for (const [name, handler] of Object.entries(handlers)) process.on(name as NodeJS.Signals, handler)
  return {
    get count() {
      return count
    },
    exitCode: () => exitCode,
    end() {
      for (const [name, handler] of Object.entries(handlers)) process.off(name as NodeJS.Signals, handler)
    },
  }
}

function scale(supervisor: Supervisor, more: 1 | -1): void {
  const count = new Set(supervisor.workers.map(({ slot }) => slot)).size + more
  if (count < 1) {
    supervisor.emit('warning', 'SIGTTOU is ignored: the last worker stays')
    return
  }
  supervisor.scale(count).catch((error: unknown) => supervisor.emit('warning', (error as Error).message))
}
