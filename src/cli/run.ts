import { closeSync, fstatSync, openSync } from 'node:fs'
import process from 'node:process'
import { notifySystemd, Supervisor, SupervisorError, SupervisorOptionError, systemdSockets } from '../supervisor.js'
import { UsageError } from './arguments.js'
import { Prefixer } from './prefix.js'
import { parseRunArguments } from './run-arguments.js'
import { narrate, narrateAsJson } from './run-narration.js'
import { screenOf } from './terminal.js'

export const RUN_HELP = `Usage: reuseport run [options] script [args ...]

Runs a program in several processes that share its ports, replaces them without
a lost connection, and keeps them running.

  -n, --workers <count|auto>   processes (default auto: one for each CPU)
      --ready-timeout <time>   for a worker to listen (default 30s)
      --drain-timeout <time>   for the connections of one that leaves (10s)
      --grace <time>           for new connections to go elsewhere (50ms)
      --max-restarts <count>   early deaths in a row until it gives up (10)
      --steering <policy>      hash, random or cpu: how the kernel chooses
      --pin                    each worker on one CPU (Linux)
      --threads                worker threads instead of processes
      --fallback <policy>      error, or exclusive: one socket for all workers
                               where the kernel does not balance
      --one-socket             one socket for all workers in any case
      --watch                  reload when a file changes
      --replace                then drain whoever was on these ports by
                               reuseport run before
      --env-file <file>        more variables for the workers
      --cwd <folder>           where they run; the script is looked for there
      --prefix                 each line they print begins with the worker
      --json                   what happens as a line of JSON, on stderr
  -h, --help                   print this

Times are seconds, or have a unit: 500ms, 10s, 2m.

SIGHUP (or reuseport reload) replaces the workers, SIGTTIN starts one more,
SIGTTOU drains one, SIGTERM and SIGINT drain all and end, as does a terminal that
closes; a second one ends at once.

Exit codes: 0 it was told to end, 1 a worker did not come up, 2 usage, 3 workers
died again and again, 130 or 143 a second signal.`

const CANNOT = 1
const GAVE_UP = 3

/** @returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseRunArguments(args)
  if (parsed === 'help') {
    process.stdout.write(`${RUN_HELP}\n`)
    return 0
  }
  const supervisor = create({ ...parsed.options, sockets: systemdSockets() })
  notifySystemd(supervisor)
  const screen = screenOf(process.stderr, process.env)
  const write = (line: string): void => void process.stderr.write(`${line}\n`)
  if (parsed.json) narrateAsJson(supervisor, write)
  else narrate(supervisor, write, screen)
  if (parsed.prefix) new Prefixer(supervisor, screenOf(process.stdout, process.env))
  // Who reads what it prints may go; the workers stay.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const signals = handleSignals(supervisor)
  try {
    await supervisor.start()
    await supervisor.closed
    return signals.exitCode()
  } catch (error) {
    if (signals.exitCode() !== 0) return signals.exitCode()
    // It was told to end before it had begun.
    if (signals.count > 0) return 0
    if (error instanceof SupervisorError && error.code === 'ERR_REUSEPORT_GAVE_UP') return GAVE_UP
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new UsageError(`There is no script ${parsed.options.script}`)
    if (!parsed.json) write(`reuseport: ${message}`)
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

/** Node ends by SIGABRT where it finds, at its end, that its terminal takes no settings any more. */
function leaveTerminal(): void {
  for (const fd of [0, 1, 2]) {
    if (!isDevice(fd)) continue
    closeSync(fd)
    // The number stays taken.
    openSync('/dev/null', 'r+')
  }
}

/** A terminal that has closed is not known as one any more. */
function isDevice(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice()
  } catch {
    return false
  }
}

interface Signals {
  /** That told it to end. */
  readonly count: number
  /** 128 and the signal where a second one came. */
  exitCode(): number
  end(): void
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/** Whether this process has a terminal that controls it. tty(4) */
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
  // What came of it is told by events.
  const handlers = {
    SIGINT: () => end('SIGINT'),
    SIGTERM: () => end('SIGTERM'),
    // Of the terminal, which has closed, or of somebody who wants a reload.
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
    supervisor.emit('warning', 'the last worker stays')
    return
  }
  supervisor.scale(count).catch((error: unknown) => supervisor.emit('warning', (error as Error).message))
}
