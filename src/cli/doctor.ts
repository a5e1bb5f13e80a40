import { parseFlags, toPorts, UsageError } from './arguments.js'
import { type Check, findOut, type Status } from './checks.js'
import { fix } from './fix.js'
import type { Output } from './ls.js'
import { type Colour, cut, paint, printable, type Screen, toJson } from './terminal.js'

export const DOCTOR_HELP = `Usage: reuseport doctor [options]
       reuseport doctor --fix [port ...]

Shows what this system supports for port sharing. Each "no" has a reason and
says what to do. The check opens two sockets on the loopback address.

  --fix       repair the groups of this user, or only those on the given ports,
              after a process died in the middle of a drain and some member
              receives no connections. A policy of steer() that a process
              keeps is put in force again. Without such a policy the kernel
              chooses by hash
  --json      print JSON
  -h, --help  print this help

Exit codes: 0 this system shares and balances ports (--fix: every group was
repaired), 1 otherwise, 2 wrong usage.`

export async function doctor(args: readonly string[], { stream, screen }: Output): Promise<number> {
  const { flags, rest } = parseFlags(args, { fix: 'boolean', json: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    stream.write(`${DOCTOR_HELP}\n`)
    return 0
  }
  if (flags.has('--fix')) return fix(toPorts(rest), flags.has('--json'), { stream, screen })
  if (rest[0] !== undefined) throw new UsageError(`doctor takes ports only with --fix, and got '${rest[0]}'`)
  const checks = await findOut()
  const balanced = checks.some(({ name, status }) => name === 'balanced' && status === 'yes')
  stream.write(flags.has('--json') ? `${toJson({ balanced, checks }, 2)}\n` : report(checks, screen()))
  return balanced ? 0 : 1
}

const MARKS: Readonly<Record<Status, readonly [string, Colour]>> = {
  yes: ['✓', 'green'],
  no: ['✗', 'red'],
  note: ['·', 'dim'],
  unknown: ['?', 'yellow'],
}

function report(checks: readonly Check[], screen: Screen): string {
  const width = screen.columns ?? Number.POSITIVE_INFINITY
  const nameWidth = Math.max(...checks.map(({ name }) => name.length))
  return checks
    .flatMap(({ advice, name, status, value }) => {
      const [mark, colour] = MARKS[status]
      const line = `${paint(screen, colour, mark)} ${name.padEnd(nameWidth)}  ${cut(printable(value), width - nameWidth - 4)}`
      return advice === undefined ? [line] : [line, ...wrap(printable(advice), width - 4).map((text) => `    ${text}`)]
    })
    .map((line) => `${line}\n`)
    .join('')
}

function wrap(text: string, width: number): readonly string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}
