// How the commands that act on a supervisor name it, and what they say where none or several are meant.
import process from 'node:process'
import { ControlError, type SupervisorStatus } from '../supervisor.js'
import { UsageError } from './arguments.js'
import { placesText } from './status-table.js'
import { tableLines } from './table.js'
import { age, printable, printableLines, type Screen, screenOf, toJson } from './terminal.js'

export const WHICH_HELP = `A supervisor is named by its pid, by a port on which its workers listen (with a
colon, :8080, it is never a pid), or by its script: the path, the end of it
(app/server.js), or the name (server.js, server).`

/** @returns undefined where none is named. @throws UsageError */
export function toWhich(command: string, rest: readonly string[]): string | undefined {
  const [which, ...more] = rest
  if (more.length > 0) throw new UsageError(`${command} takes one pid, script or port, and got ${rest.length}`)
  return which
}

/** On stderr: a supervisor that does not answer as it should. */
export function warn(message: string): void {
  process.stderr.write(`reuseport: ${printable(message)}\n`)
}

/** What a command has done: a sentence for people, and what JSON says. */
export interface Done {
  readonly text: string
  readonly told?: object
}

const AMBIGUOUS = 2
const FAILED = 1

/** Runs what a command does, and says what has come of it. @returns the exit code. */
export async function carryOut(
  command: string,
  json: boolean,
  work: () => Promise<Done>,
  screen: Screen = screenOf(process.stderr, process.env),
): Promise<number> {
  const started = performance.now()
  try {
    const { text, told } = await work()
    const duration = Math.round(performance.now() - started)
    const seconds = `${(duration / 1000).toFixed(1)} s`
    process.stdout.write(json ? `${toJson({ command, duration, ...told })}\n` : `${text}, after ${seconds}.\n`)
    return 0
  } catch (error) {
    const { message } = error as Error
    const { code, supervisors = [] } = error instanceof ControlError ? error : { code: undefined }
    if (json) process.stdout.write(`${toJson({ command, error: { message, code }, supervisors })}\n`)
    else {
      const list = supervisors.length === 0 ? [] : listOf(supervisors, screen, Date.now())
      process.stderr.write(`${[printableLines(`reuseport: ${command} failed: ${message}`), ...list].join('\n')}\n`)
    }
    return code === 'ERR_REUSEPORT_AMBIGUOUS' ? AMBIGUOUS : FAILED
  }
}

/** A line for each supervisor. */
export function listOf(supervisors: readonly SupervisorStatus[], screen: Screen, now: number): readonly string[] {
  const columns = [
    { title: 'PID', right: true, cell: ({ pid }: SupervisorStatus) => String(pid) },
    { title: 'AGE', right: true, rank: 1, cell: ({ startedAt }: SupervisorStatus) => age(new Date(startedAt), now) },
    { title: 'PORTS', rank: 2, cell: (one: SupervisorStatus) => placesText(one) || '-' },
    { title: 'SCRIPT', cell: ({ script }: SupervisorStatus) => script },
  ]
  return tableLines(supervisors, columns, screen)
}
