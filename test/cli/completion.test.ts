// Completion, as the shells do it.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../src/cli/arguments.js'
import { optionsOf, parseHelp } from '../../src/cli/help-parser.js'
import { RUN_HELP } from '../../src/cli/run.js'
import { parseRunArguments } from '../../src/cli/run-arguments.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const types = fileURLToPath(new URL('../fixtures/types.py', import.meta.url))

const scripts = new Map<string, string>()

function script(shell: string): string {
  const known = scripts.get(shell) ?? execFileSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' })
  scripts.set(shell, known)
  return known
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-completion-'))
  mkdirSync(path.join(folder, 'a folder'))
  writeFileSync(path.join(folder, 'a server.js'), '')
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const longOptions = optionsOf(parseHelp(RUN_HELP)).map(({ long }) => long)
const commands =
  execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' }).match(/(?<=^ {2})[a-z]+/gm) ?? []

/** What bash offers for the last word. It breaks words at `=`. */
function offered(...words: string[]): readonly string[] {
  const program = `eval "$(cat)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_reuseport reuseport
((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`
  const args = ['--norc', '-uc', program, 'bash', 'reuseport', ...words]
  const { status, stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8', input: script('bash') })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter(Boolean)
}

describe('bash offers', () => {
  test('the commands', () => {
    expect(offered('')).toEqual([...commands, '-h', '--help', '-V', '--version'])
    expect(offered('re')).toEqual(commands.filter((name) => name.startsWith('re')))
    expect(offered('nothing', '')).toEqual([])
  })

  test('the options of each, and all of them', () => {
    expect(offered('run', '--').toSorted()).toEqual(longOptions.toSorted())
    expect(offered('run', '-n', '2', '--pin', '--dr')).toEqual(['--drain-timeout'])
    expect(offered('doctor', '--fix', '--')).toEqual(['--fix', '--json', '--help'])
    for (const command of commands) expect(offered(command, '--hel')).toEqual(['--help'])
  })

  test('the values of an option, also after =', () => {
    expect(offered('run', '--steering', '')).toEqual(['hash', 'random', 'cpu', 'client'])
    expect(offered('run', '--steering', '=')).toEqual(['hash', 'random', 'cpu', 'client'])
    expect(offered('run', '--fallback', '=', 'ex')).toEqual(['exclusive'])
    expect(offered('run', '-n', '')).toEqual(['auto'])
    expect(offered('run', '--balance', '')).toEqual(['connections'])
    expect(offered('run', '--grace', '')).toEqual([])
    expect(offered('run', '--grace', '=', '5s', '--pin')).toEqual(['--pin'])
  })

  test('words of other commands', () => {
    expect(offered('completion', '')).toEqual(['bash', 'zsh'])
    expect(offered('completion', 'bash', '')).toEqual([])
    expect(offered('help', 'do')).toEqual(['doctor'])
  })

  test('nothing of its own after the script', () => {
    expect(offered('run', 'server.js', '--')).toEqual([])
    expect(offered('run', '--', '--')).toEqual([])
    expect(offered('run', '--watch', 'server.js', '--st')).toEqual([])
  })
})

/** The words that completion offers for a policy are those that the command takes: it names them where it refuses another. */
test.each(['steering', 'fallback', 'balance'])('the words of --%s are what run takes', (name) => {
  const words = offered('run', `--${name}`, '')
  for (const word of words) parseRunArguments([`--${name}`, word, 'server.js'])
  expect(() => parseRunArguments([`--${name}`, 'other', 'server.js'])).toThrow(UsageError)
  expect(() => parseRunArguments([`--${name}`, 'other', 'server.js'])).toThrow(`takes one of ${words.join(', ')}, not`)
})

const SHELLS = [
  { shell: 'bash', args: ['--norc', '--noprofile', '-i'], before: '', list: '\t\t' },
  { shell: 'zsh', args: ['-f', '-i'], before: 'autoload -U compinit; compinit -u -D; ', list: '\t' },
] as const

describe.for(SHELLS)('$shell, with Tab on a terminal', ({ args, before, list, shell }) => {
  const typed = (steps: readonly (readonly [string, string])[]): readonly string[] => {
    const env = { ...process.env, PS1: '> ', TERM: 'dumb', HOME: folder }
    writeFileSync(path.join(folder, `complete.${shell}`), script(shell))
    const begin = [`${before}source ./complete.${shell}; cd .; echo rea""dy\r`, 'ready'] as const
    const words = [types, JSON.stringify([begin, ...steps]), shell, ...args]
    const printed = execFileSync('python3', words, { encoding: 'utf8', env, cwd: folder })
    return (JSON.parse(printed) as (string | null)[]).map((text) => stripVTControlCharacters(text ?? 'NOTHING'))
  }

  test.for([
    ['a command', 'reuseport rel\t', 'reload'],
    ['an option', 'reuseport run --drain\t', '--drain-timeout'],
    ['the values of an option', `reuseport run --steering ${list}`, 'random'],
    ['a file with a blank, for the script', 'reuseport run --pin a\\ s\t', 'a\\ server.js'],
    ['a folder', 'reuseport run --cwd a\t', 'a\\ folder'],
    ['what belongs to the script', 'reuseport run server.js --env a\\ s\t', 'a\\ server.js'],
  ] as const)('%s', ([, text, expected], { skip }) => {
    if (spawnSync(shell, ['-c', 'exit']).error !== undefined) skip(`${shell} is not installed`)
    const [ready, completed] = typed([[text, expected]])
    expect({ ready, completed }).toEqual({
      ready: expect.stringContaining('ready'),
      completed: expect.stringContaining(expected),
    })
  })
})
