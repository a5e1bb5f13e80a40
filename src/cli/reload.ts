import process from 'node:process'
import { ControlError, reloadSupervisor } from '../supervisor.js'
import { parseFlags, UsageError } from './arguments.js'
import { printable } from './terminal.js'

export const RELOAD_HELP = `Usage: reuseport reload [pid]

Asks a supervisor (reuseport run) to replace its workers one after the other,
and waits for the result. The pid is that of the supervisor. It may be left out
where this user has only one supervisor.

  -h, --help   print this help

Exit codes: 0 the new workers serve, 1 the reload failed (it says which workers
serve now) or the supervisor was not found, 2 wrong usage.`

export async function reload(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseFlags(args, { help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${RELOAD_HELP}\n`)
    return 0
  }
  const pid = toPid(rest)
  const started = performance.now()
  try {
    await reloadSupervisor(pid, warn)
  } catch (error) {
    if (error instanceof ControlError && error.code === 'ERR_REUSEPORT_AMBIGUOUS') throw new UsageError(error.message)
    throw new Error(`reload failed: ${(error as Error).message}`)
  }
  process.stdout.write(`The new workers serve, after ${((performance.now() - started) / 1000).toFixed(1)} s.\n`)
  return 0
}

function toPid(rest: readonly string[]): number | undefined {
  const [text, ...more] = rest
  if (more.length > 0) throw new UsageError(`reload takes one pid, and got ${rest.length}`)
  if (text !== undefined && !/^\d{1,10}$/.test(text)) throw new UsageError(`'${text}' is not a pid: a pid is a number`)
  return text === undefined ? undefined : Number(text)
}

/** On stderr: a supervisor that does not answer as it should. */
export function warn(message: string): void {
  process.stderr.write(`reuseport: ${printable(message)}\n`)
}
