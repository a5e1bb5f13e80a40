// Pure: which of its own options of Node a supervisor hands on to its workers, and at which port each is inspected.

/** With these Node runs code of the command line, and takes the script for an argument. `fork` drops them too. */
const CODE: readonly string[] = ['-e', '--eval', '-p', '--print', '-pe']
/** With these Node does something else than run the script, or refuses it. True: a value follows. */
const NO_SCRIPT: ReadonlyMap<string, boolean> = new Map([
  ['--input-type', true],
  ['-i', false],
  ['--interactive', false],
  ['-c', false],
  ['--check', false],
  ['--test', false],
  ['--watch', false],
  ['--watch-path', true],
  ['--watch-preserve-output', false],
  ['--run', true],
])

/** The options without those that keep Node from running a script. */
export function runningScript(options: readonly string[]): readonly string[] {
  const left: string[] = []
  for (let index = 0; index < options.length; index++) {
    const option = options[index] ?? ''
    const [name = '', value] = option.split(/=(.*)/s)
    const isCode = CODE.includes(name)
    const takesValue = isCode || NO_SCRIPT.get(name)
    if (takesValue === undefined) left.push(option)
    // `node -p --eval 1`: the code may follow later.
    else if (takesValue && value === undefined && !options[index + 1]?.startsWith('-')) index++
  }
  return left
}

const INSPECT = /^--(?:inspect(?:-brk|-wait|-port)?|debug-port)(?:=(.*))?$/s
const FIRST_PORT = 1024
const LAST_PORT = 65_535

/** The options in the environment variable NODE_OPTIONS. */
export function optionsIn(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter(Boolean)
}

/**
 * What a worker gets in addition where it is to be inspected: the next port after that of this process, as in `cluster`,
 * or, where a port is named for the workers only, that port and those after it. Port 0 stays.
 *
 * @param options All options of the worker. @param own Those of this process. @param count Counts the workers, from 1.
 */
export function inspectPort(
  options: readonly string[],
  own: readonly string[],
  debugPort: number,
  count: number,
): readonly string[] {
  if (!isInspected(options)) return []
  const named = options
    .filter((option) => !own.includes(option))
    .map((option) => portIn(INSPECT.exec(option)?.[1]))
    .findLast((port) => port !== undefined)
  if (named === 0) return []
  const port = named === undefined ? debugPort + count : named + count - 1
  return [`--inspect-port=${port > LAST_PORT ? port - LAST_PORT + FIRST_PORT - 1 : port}`]
}

export function isInspected(options: readonly string[]): boolean {
  return options.some((option) => INSPECT.test(option))
}

function portIn(value: string | undefined): number | undefined {
  const [, port] = /^(?:.*:)?(\d+)$/s.exec(value ?? '') ?? []
  return port === undefined ? undefined : Number(port)
}

/** The options of a thread: its process is inspected, and its threads with it. */
export function ofThread(options: readonly string[]): readonly string[] {
  return options.filter((option) => !INSPECT.test(option))
}

/**
 * Options without those that are the whole process's, such as V8's, and hold for its threads anyway: `new Worker` refuses
 * them. Undefined where it refuses others, which somebody wants for the threads alone.
 *
 * @param refusal What `new Worker` said. @param own The options of this process.
 */
export function acceptedByThread(
  options: readonly string[],
  refusal: string,
  own: readonly string[],
): readonly string[] | undefined {
  const [, list] = /execArgv flags: (.+)$/s.exec(refusal) ?? []
  const refused = new Set(list?.split(', '))
  const left = options.filter((option, index) => {
    if (refused.has(option)) return !own.includes(option)
    // The value of an option that is refused.
    const before = options[index - 1] ?? ''
    return option.startsWith('-') || !refused.has(before) || before.includes('=')
  })
  const isDone = left.length < options.length && left.every((option) => !refused.has(option))
  return isDone ? left : undefined
}
