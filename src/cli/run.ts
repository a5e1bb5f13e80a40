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
import { writePidFile } from './pid-file.js'
import { Prefixer, printStreams } from './prefix.js'
import { parseRunArguments, type RunArguments } from './run-arguments.js'
import { narrate, narrateAsJson } from './run-narration.js'
import { handleSignals } from './run-signals.js'
import { noScriptText } from './script-advice.js'
import { printableLines, screenOf } from './terminal.js'

export const RUN_HELP = `Usage: reuseport run [options] script [args ...]

Runs a program in several processes (workers) that share its ports, replaces
workers without losing a connection, and starts another one where one dies.

  -n, --workers <count|auto>   number of workers (default auto: one per CPU, or
                               fewer by affinity or the cgroup's CPU quota)
      --ready-timeout <time>   limit for a worker to listen (default 30s)
      --hang-timeout <time>    end a worker that does not answer so long (none)
      --drain-timeout <time>   limit for a leaving worker's connections (10s)
      --grace <time>           wait for new connections to go elsewhere (50ms)
      --max-restarts <count>   early deaths of a worker in a row before the
                               supervisor gives up (10)
      --health <path>          ask each new worker for this path, such as
                               /healthz; 200 to 399 within --ready-timeout is
                               good, otherwise the old worker goes on
      --soak <time>            the first new worker of a reload serves beside
                               the old one so long; if it fails, it goes (0)
      --max-memory <size>      replace a worker with so much: 512M, 1.5G (Linux)
      --max-age <time>         replace a worker that has served so long: 12h
      --max-age-jitter <time>  up to so much longer, by chance (a tenth of it)
      --steering <policy>      how the kernel chooses (Linux): hash, random, cpu
                               or client (a client keeps its worker)
      --datagram-steering <bytes:offset:length>
                               choose the worker of a UDP datagram by these
                               bytes of it, such as a connection ID (Linux)
      --balance connections    keep the numbers of open connections even
      --pin                    pin each worker to one CPU (Linux)
      --threads                run worker threads instead of processes
      --fallback <policy>      where the kernel does not balance: error, or
                               exclusive (one socket for all workers)
      --one-socket             use one socket for all workers in any case
      --no-join                do not let idle workers accept for a busy one
      --watch                  reload when a file changes that the program does
                               not write itself
      --watch-ignore <what>    a file, folder or pattern such as '*.log' that
                               --watch leaves out; may be given several times
      --replace                once the workers listen, drain the workers of an
                               earlier reuseport run on these ports (Linux)
      --metrics <port|host:port|path>
                               serve /metrics for Prometheus, and the probes
                               /livez and /readyz, there (127.0.0.1 by default)
      --env <file>             more variables for the workers (--env-file too,
                               but Node itself looks for that file as well)
      --instance-var <name>    variable with the worker's slot, from 0, as by
                               pm2 (NODE_APP_INSTANCE)
      --cwd <folder>           folder of the workers, the script and --env
      --node-arg <option>      an option of Node for the workers; repeatable
      --compile-cache          keep compiled code for the next workers
      --pid-file <file>        the supervisor's pid, while its workers serve
      --prefix                 put the worker before each line that it prints
      --json                   report each event as a line of JSON on stderr
  -h, --help                   print this help

A time is a number of seconds, or has a unit: 500ms, 10s, 2m, 12h, 1d.

SIGHUP or SIGUSR2 (or reuseport reload) replaces the workers. SIGTTIN starts one
more, SIGTTOU drains one. SIGTERM, SIGINT, SIGQUIT or a closing terminal drains
all workers and ends the supervisor; the programs get that signal (SIGTERM where
the terminal closed). Two of these signals within a second are one; a second one
later, or a third, ends everything at once.

Exit codes: 0 ended by a signal, 1 a worker did not become ready,
2 wrong usage, 3 workers kept dying, 128 + the number of the signal that ended
everything at once (130 SIGINT, 143 SIGTERM).`

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
  if (parsed.pidFile !== undefined) writePidFile(supervisor, path.resolve(parsed.pidFile))
  const screen = screenOf(process.stderr, process.env)
  const streams = printStreams()
  const write = (line: string): void => void streams.stderr.write(`${line}\n`)
  if (parsed.json) narrateAsJson(supervisor, write)
  else narrate(supervisor, write, screen)
  const prefixer = parsed.prefix ? new Prefixer(supervisor, screenOf(process.stdout, process.env), streams) : undefined
  // A reader of stdout or stderr may close the pipe: the workers keep serving.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  for (const doubt of parsed.doubts) supervisor.emit('warning', doubt)
  writeInBackground()
  const code = await serve(supervisor, parsed, cwd, write)
  // What nobody reads would keep this process alive for ever.
  if (prefixer !== undefined && !(await prefixer.end())) process.exit(code)
  return code
}

/** @returns the exit code, when the supervisor has ended. */
async function serve(
  supervisor: Supervisor,
  { json, options }: RunArguments,
  cwd: string,
  write: (line: string) => void,
): Promise<number> {
  const signals = handleSignals(supervisor)
  try {
    await supervisor.start()
    await supervisor.closed
    return signals.exitCode()
  } catch (error) {
    if (signals.exitCode() !== 0) return signals.exitCode()
    // A signal, or `reuseport stop`, ended the supervisor during its start.
    if (signals.count > 0 || isStopped(error)) return 0
    if (error instanceof SupervisorError && error.code === 'ERR_REUSEPORT_GAVE_UP') return GAVE_UP
    const { code, message, option } = error as NodeJS.ErrnoException & { readonly option?: string }
    if ((code === 'ENOENT' || code === 'ENOTDIR') && option !== undefined)
      throw missing(option, code, { ...options, cwd })
    if (!json) write(`reuseport: ${printableLines(message)}`)
    return CANNOT
  } finally {
    signals.end()
  }
}

function isStopped(error: unknown): boolean {
  return error instanceof SupervisorError && error.code === 'ERR_REUSEPORT_SUPERVISOR_STATE'
}

function create(options: ConstructorParameters<typeof Supervisor>[0]): Supervisor {
  try {
    return new Supervisor(options)
  } catch (error) {
    if (error instanceof SupervisorOptionError) throw new UsageError(error.message)
    throw error
  }
}

/** A file or folder of the command line that is not there, or is a file where a folder should be. */
function missing(
  option: string,
  code: string,
  options: SupervisorOptions & { readonly cwd: string },
): MissingFileError {
  const { args = [], cwd, envFile } = options
  const [here, script] = [currentFolder(process.env['PWD']), String(options.script)]
  if (option === 'envFile')
    return new MissingFileError(`There is no file ${envFile}: --env takes a file of variables (NAME=value lines)`)
  if (option === 'cwd') {
    const what = code === 'ENOTDIR' ? `${cwd} is no folder` : `There is no folder ${cwd}`
    return new MissingFileError(`${what} (--cwd): workers run there, and the script is looked for there`)
  }
  return new MissingFileError(noScriptText({ script, args, folder: cwd, here }))
}
