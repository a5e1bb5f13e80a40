import process from 'node:process'
import { scaleSupervisor } from '../supervisor.js'
import { parseFlags, UsageError } from './arguments.js'
import { carryOut, toWhich, WHICH_HELP, warn } from './naming.js'

export const SCALE_HELP: string = `Usage: reuseport scale <workers> [pid|script|port] [--json]

Asks a supervisor (reuseport run) to start workers, or to drain the last ones,
and waits for the result. The workers are a number, auto, or how many more or
fewer than now: +1, -2. The supervisor need not be named where this user has
only one.

  --json       print the result as JSON
  -h, --help   print this help

${WHICH_HELP}
Root can name the supervisors of other users, by their pids.

Exit codes: 0 so many workers serve, 1 a worker did not become ready, or the
supervisor was not found, 2 wrong usage, or several supervisors could be meant.`

const WORKERS = /^(?:auto|[+-]?\d{1,4})$/

export async function scale(args: readonly string[]): Promise<number> {
  // -2 looks like an option.
  const at = args.findIndex((argument) => !argument.startsWith('--') && argument !== '-h')
  const options = args.filter((_, index) => index !== at)
  const { flags, rest } = parseFlags(options, { json: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${SCALE_HELP}\n`)
    return 0
  }
  const workers = args[at]
  if (workers === undefined) throw new UsageError('The number of workers is missing')
  if (!WORKERS.test(workers))
    throw new UsageError(`'${workers}' is not a number of workers: a number, auto, or a difference such as +1`)
  const which = toWhich('scale', rest)
  return carryOut('scale', flags.has('--json'), async () => {
    const ready = await scaleSupervisor(workers, which, warn)
    return { text: `${ready} ${ready === 1 ? 'worker serves' : 'workers serve'}`, told: { workers: ready } }
  })
}
