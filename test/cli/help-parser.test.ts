// What the help texts say, as completion and the manual read it, and that they name the options that there are.
import process from 'node:process'
import type { parseArgs } from 'node:util'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Flags } from '../../src/cli/arguments.js'
import { BUILD_HELP, build } from '../../src/cli/build.js'
import { COMPLETION_HELP, completion } from '../../src/cli/completion.js'
import { DOCTOR_HELP, doctor } from '../../src/cli/doctor.js'
import { HELP_HELP, help } from '../../src/cli/help.js'
import { type HelpBlock, type HelpOption, optionsOf, parseHelp } from '../../src/cli/help-parser.js'
import { LS_HELP, ls } from '../../src/cli/ls.js'
import { RELOAD_HELP, reload } from '../../src/cli/reload.js'
import { RUN_HELP } from '../../src/cli/run.js'
import { OPTIONS } from '../../src/cli/run-arguments.js'

const known: Flags[] = []

vi.mock(import('../../src/cli/arguments.js'), async (original) => {
  const actual = await original()
  const parseFlags: typeof actual.parseFlags = (args, flags) => {
    known.push(flags)
    return actual.parseFlags(args, flags)
  }
  return { ...actual, parseFlags }
})

afterEach(() => {
  vi.restoreAllMocks()
})

const option = (long: string, text: string, name?: string, short?: string): HelpOption => ({
  short,
  long,
  text,
  value: name === undefined ? undefined : { name, isOptional: name.startsWith('[') },
})

test('the parts of a help', () => {
  const { usage, blocks } = parseHelp(`Usage: reuseport do [options]
       reuseport do --all

Does a thing,
and another.

  -n, --number <count|auto>  how many
      --very-long-name <this:that>
                             how, or
                             how not
      --even [seconds]       now and then
      --way straight         the way
  -h, --help                 print this help

  one         the first
  another     the other
              of the two

NAME   who
QUEUE  TCP: how long
       it is
       UDP: how many
All else is plain.

SIGHUP or SIGUSR2 begins a sentence.

an example   of columns
  left as it is`)
  expect(usage).toEqual(['reuseport do [options]', 'reuseport do --all'])
  expect(blocks).toEqual<readonly HelpBlock[]>([
    { kind: 'text', text: 'Does a thing, and another.' },
    {
      kind: 'options',
      options: [
        option('--number', 'how many', '<count|auto>', '-n'),
        option('--very-long-name', 'how, or how not', '<this:that>'),
        option('--even', 'now and then', '[seconds]'),
        option('--way', 'the way', 'straight'),
        option('--help', 'print this help', undefined, '-h'),
      ],
    },
    {
      kind: 'terms',
      terms: [
        { term: 'one', lines: ['the first'] },
        { term: 'another', lines: ['the other of the two'] },
      ],
    },
    {
      kind: 'terms',
      terms: [
        { term: 'NAME', lines: ['who'] },
        { term: 'QUEUE', lines: ['TCP: how long it is', 'UDP: how many'] },
      ],
    },
    { kind: 'text', text: 'All else is plain.' },
    { kind: 'text', text: 'SIGHUP or SIGUSR2 begins a sentence.' },
    { kind: 'lines', lines: ['an example   of columns', '  left as it is'] },
  ])
})

/** Other names of options, which the text of those mentions. */
const ALIASES = ['env-file']

describe('the help of run', () => {
  const options = optionsOf(parseHelp(RUN_HELP))

  test('has each option that run takes, and no other', () => {
    const names = Object.keys(OPTIONS).filter((name) => !ALIASES.includes(name))
    expect(options.map(({ long }) => long).toSorted()).toEqual(names.map((name) => `--${name}`).toSorted())
    for (const name of ALIASES)
      expect(
        options.some(({ text }) => text.includes(`--${name}`)),
        name,
      ).toBe(true)
  })

  test.each(options)(
    '$long has a text, its short name, and a value where it takes one',
    ({ long, short, text, value }) => {
      const config: NonNullable<Parameters<typeof parseArgs>[0]>['options'] = OPTIONS
      const known = config?.[long.slice(2)]
      expect(text).not.toBe('')
      expect(value === undefined ? 'boolean' : 'string').toBe(known?.type)
      expect(short).toBe(known?.short === undefined ? undefined : `-${known.short}`)
      expect(/repeatable|several times/.test(text)).toBe(known?.multiple === true)
    },
  )
})

const out = { stream: process.stdout, screen: () => ({ columns: undefined, rows: undefined, coloured: false }) }

/** By the flags that each gives to its parser. */
const OTHERS = [
  { name: 'reload', text: RELOAD_HELP, call: () => reload(['--help']) },
  { name: 'doctor', text: DOCTOR_HELP, call: () => doctor(['--help'], out) },
  { name: 'ls', text: LS_HELP, call: () => ls(['--help'], out, () => {}) },
  { name: 'build', text: BUILD_HELP, call: () => build(['--help']) },
  { name: 'completion', text: COMPLETION_HELP, call: () => completion(['--help'], '', {}) },
  { name: 'help', text: HELP_HELP, call: () => help(['--help'], '', { help: '' }) },
]

test.each(OTHERS)('the help of $name has each option that it takes, and no other', async ({ call, text }) => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  known.length = 0
  await call()
  written.mockRestore()
  const options = optionsOf(parseHelp(text)).map(({ long, value }) => [long.slice(2), value?.isOptional === true])
  const flags = known.flatMap((one) => Object.entries(one)).map(([name, kind]) => [name, kind === 'seconds'])
  expect(options.toSorted()).toEqual(flags.toSorted())
})
