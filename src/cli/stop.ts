import process from 'node:process'
import { stopSupervisor } from '../supervisor.js'
import { parseFlags, UsageError } from './arguments.js'
import { carryOut, toWhich, WHICH_HELP, warn } from './naming.js'

export const STOP_HELP: string = `Usage: reuseport stop [pid|script|port] [options]

Asks a supervisor (reuseport run) to drain its workers and to end, and waits
until it has ended. It need not be named where this user has only one.

      --timeout <seconds>  wait no longer than that (default 60)
      --json               print the result as JSON
  -h, --help               print this help

${WHICH_HELP}
Root can name the supervisors of other users, by their pids.

Exit codes: 0 it has ended, 1 it has not within that time (it goes on to drain)
or was not found, 2 wrong usage, or several supervisors could be meant.`

const TIMEOUT = 60

export async function stop(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseFlags(args, { timeout: 'seconds', json: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${STOP_HELP}\n`)
    return 0
  }
  const which = toWhich('stop', rest)
  const seconds = flags.get('--timeout') ?? TIMEOUT
  if (seconds === true) throw new UsageError('--timeout takes a number of seconds')
  return carryOut('stop', flags.has('--json'), async () => {
    const told = await stopSupervisor(which, seconds * 1000, warn)
    const { hasEnded, pid } = told
    return { text: hasEnded ? `Supervisor ${pid} has ended` : `Its workers have ended; process ${pid} goes on`, told }
  })
}
