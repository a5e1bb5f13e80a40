import process from 'node:process'
import { parseFlags, UsageError } from './arguments.js'
import { bashCompletion } from './completion-bash.js'
import { completedCommands } from './completion-words.js'
import { zshCompletion } from './completion-zsh.js'

export const COMPLETION_HELP = `Usage: reuseport completion bash|zsh

Prints a script with which the shell completes commands, options and their
values. The shell must find reuseport by its name, as it does after npm install
--global reuseport.

In ~/.bashrc:                source <(reuseport completion bash)
In ~/.zshrc, after compinit:  source <(reuseport completion zsh)

  -h, --help   print this help

Exit codes: 0 success, 2 wrong usage.`

const SHELLS = { bash: bashCompletion, zsh: zshCompletion } as const

/** @param main The help of the command itself. `helps`: those of its commands, by name. */
export function completion(args: readonly string[], main: string, helps: Readonly<Record<string, string>>): number {
  const { flags, rest } = parseFlags(args, { help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${COMPLETION_HELP}\n`)
    return 0
  }
  const [shell, ...more] = rest
  if (more.length > 0 || (shell !== 'bash' && shell !== 'zsh')) {
    throw new UsageError(`completion takes bash or zsh${shell === undefined ? '' : `, not '${rest.join(' ')}'`}`)
  }
  process.stdout.write(SHELLS[shell](completedCommands(main, helps)))
  return 0
}
