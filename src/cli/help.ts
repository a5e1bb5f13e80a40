import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseFlags, UsageError } from './arguments.js'

export const HELP_HELP = `Usage: reuseport help [command]
       reuseport help --man

Prints the help of a command, or the list of commands.

  --man       show the manual by the program man: all helps on one page
  -h, --help  print this help

After npm install --global reuseport, man reuseport shows the same page.

Exit codes: 0 success, 1 the program man failed or is missing, 2 wrong usage.`

/** @param main The help of the command itself. `helps`: those of its commands, by name. */
export function help(args: readonly string[], main: string, helps: Readonly<Record<string, string>>): number {
  const { flags, rest } = parseFlags(args, { man: 'boolean', help: 'boolean' })
  if (flags.has('--man')) return showManual()
  const [command, ...more] = flags.has('--help') ? ['help'] : rest
  if (more.length > 0) throw new UsageError(`help takes one command, and got ${rest.length}`)
  const text = command === undefined ? main : helps[command]
  if (text === undefined) throw new UsageError(`There is no command ${command}`)
  process.stdout.write(`${text}\n`)
  return 0
}

/** man(1) takes a name with a slash for a file. */
function showManual(): number {
  const page = fileURLToPath(new URL('../reuseport.1.gz', import.meta.url))
  const { error, status } = spawnSync('man', [page], { stdio: 'inherit' })
  if (error !== undefined) throw new Error(`the program man does not run (${error.message}). The manual is ${page}`)
  return status === 0 ? 0 : 1
}
