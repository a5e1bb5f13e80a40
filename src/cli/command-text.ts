// Pure: a command line in few characters, of which the name of the script is the last to go.
import { cut } from './terminal.js'

interface Parts {
  /** Without its folder. */
  readonly executable: string
  /** What comes before the script. */
  readonly options: readonly string[]
  readonly script: string | undefined
  readonly args: readonly string[]
}

function partsOf(command: string): Parts {
  const [executable = '', ...rest] = command.split(' ')
  const at = rest.findIndex((word) => !word.startsWith('-'))
  const [script, ...args] = at < 0 ? [] : rest.slice(at)
  return { executable: base(executable), options: at < 0 ? rest : rest.slice(0, at), script, args }
}

/** The command in `width` characters: folders go first, then the options of the executable, then the arguments. */
export function shortCommand(command: string, width: number): string {
  if (command.length <= width) return command
  const { executable, options, script, args } = partsOf(command)
  if (script === undefined) return cut([executable, ...options].join(' '), width)
  const short = shortPath(script, 0)
  const named = [executable, ...(options.length > 0 ? ['…'] : []), short]
  const all = [...named, ...args].join(' ')
  const isNamed = named.join(' ').length < width
  const forms = [
    [executable, ...options, script, ...args].join(' '),
    [executable, ...options, short, ...args].join(' '),
    isNamed ? cut(all, width) : all,
    named.join(' '),
    `${executable} ${base(script)}`,
  ]
  return forms.find((form) => form.length <= width) ?? cut(base(script), width)
}

/** The fewest characters that show the executable and the script. */
export function leastCommand(command: string): number {
  const { executable, script } = partsOf(command)
  return script === undefined ? executable.length : executable.length + 1 + base(script).length
}

/** Without its folder, where the path is longer. */
export function shortPath(path: string, width: number): string {
  return path.length <= width || !path.includes('/') ? path : `…/${base(path)}`
}

/** Equal for commands that run the same program, by whatever path to its executable. */
export function sameProgram(command: string): string {
  const { executable, options, script, args } = partsOf(command)
  return [executable, ...options, script, ...args].join(' ')
}

function base(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path
}
