import process from 'node:process'
import { reloadSupervisor } from '../supervisor.js'
import { parseFlags } from './arguments.js'
import { carryOut, toWhich, WHICH_HELP, warn } from './naming.js'

export const RELOAD_HELP: string = `Usage: reuseport reload [pid|script|port] [--json]

Asks a supervisor (reuseport run) to replace its workers one after the other,
and waits for the result. It need not be named where this user has only one.

  --json       print the result as JSON
  -h, --help   print this help

${WHICH_HELP}
Root can name the supervisors of other users, by their pids.

Exit codes: 0 the new workers serve, 1 the reload failed (it says which workers
serve now) or the supervisor was not found, 2 wrong usage, or several
supervisors could be meant.`

export async function reload(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseFlags(args, { json: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${RELOAD_HELP}\n`)
    return 0
  }
  const which = toWhich('reload', rest)
  return carryOut('reload', flags.has('--json'), async () => {
    await reloadSupervisor(which, warn)
    return { text: 'The new workers serve' }
  })
}
