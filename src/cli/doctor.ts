import { parseFlags, toPorts, UsageError } from './arguments.js'
import { type Check, findOut, type Status } from './checks.js'
import { fix } from './fix.js'
import type { Output } from './ls.js'
import { type Colour, cut, paint, type Screen } from './terminal.js'

export const DOCTOR_HELP = `Usage: reuseport doctor [options]
       reuseport doctor --fix [port ...]

Shows what this system can do for port sharing, each "no" with its reason and
what to do about it. Tries it with two sockets on the loopback address.

  --fix       put the groups of this user right, or those on the ports named,
              where a process died in the middle of a drain and some member
              gets no connections: the policy that somebody keeps is put in
              force anew, otherwise the kernel chooses by hash
  --json      JSON
  -h, --help  print this

Exit codes: 0 ports are shared and balanced here (--fix: all groups are right),
1 they are not, 2 usage.`

export async function doctor(args: readonly string[], { stream, screen }: Output): Promise<number> {
  const { flags, rest } = parseFlags(args, { fix: 'boolean', json: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    stream.write(`${DOCTOR_HELP}\n`)
    return 0
  }
  if (flags.has('--fix')) return fix(toPorts(rest), flags.has('--json'), { stream, screen })
  if (rest[0] !== undefined) throw new UsageError(`doctor takes no '${rest[0]}'`)
  const checks = await findOut()
  const balanced = checks.some(({ name, status }) => name === 'balanced' && status === 'yes')
  stream.write(
    flags.has('--json') ? `${JSON.stringify({ balanced, checks }, undefined, 2)}\n` : report(checks, screen()),
  )
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
      const line = `${paint(screen, colour, mark)} ${name.padEnd(nameWidth)}  ${cut(value, width - nameWidth - 4)}`
      return advice === undefined ? [line] : [line, ...wrap(advice, width - 4).map((text) => `    ${text}`)]
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
