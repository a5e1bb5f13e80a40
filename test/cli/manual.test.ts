// The manual of the package, by the programs that show it and check it.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { optionsOf, parseHelp } from '../../src/cli/help-parser.js'
import { manPage } from '../../src/cli/man-page.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = path.join(root, 'dist/cli/main.js')
const file = path.join(root, 'dist/reuseport.1.gz')

const helpOf = (...args: string[]): string =>
  execFileSync(process.execPath, [main, ...args, '--help'], { encoding: 'utf8' })

test('package.json names it', () => {
  const { man } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { man: string }
  expect(path.join(root, man)).toBe(file)
  expect(existsSync(file)).toBe(true)
})

/** What a reader sees. */
function shown(skip: (reason: string) => never): string {
  const env = { ...process.env, MANWIDTH: '80', MANPAGER: 'cat', LC_ALL: 'C.UTF-8', MANROFFOPT: '-c' }
  const { error, stderr, stdout } = spawnSync('man', ['--warnings', file], { encoding: 'utf8', env })
  if (error !== undefined) skip(`man is not installed: ${error.message}`)
  expect(stderr).toBe('')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: man makes a character bold by itself, a backspace and itself.
  return stdout.replaceAll(/.\x08/g, '')
}

test('man shows it without a warning, with each command and option, in 80 columns', ({ skip }) => {
  const text = shown(skip)
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  const commands = helpOf().match(/(?<=^ {2})[a-z]+(?=.* {2})/gm) ?? []
  expect(commands).toContain('run')
  const options = commands.flatMap((command) => optionsOf(parseHelp(helpOf(command))).map(({ long }) => long))
  for (const name of options) expect(text).toMatch(new RegExp(`^ +(?:-\\w, )?${name}\\b`, 'm'))
  for (const command of commands) expect(text).toContain(`\n   reuseport ${command}\n`)
  expect(text).toContain('--steering <policy>')
  expect(text).toContain('Exit codes: 0 ended by a signal')
})

test('mandoc finds no fault in it', ({ skip }) => {
  const { error, stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning'], {
    encoding: 'utf8',
    input: gunzipSync(readFileSync(file)),
  })
  if (error !== undefined) skip(`mandoc is not installed: ${error.message}`)
  // A version that is not released has no date.
  expect(stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'))).toEqual([])
})

test('help --man shows it by man, and says where it is where there is no man', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-man-'))
  try {
    const run = () => spawnSync(process.execPath, [main, 'help', '--man'], { encoding: 'utf8', env: { PATH: folder } })
    const missing = run()
    expect(missing.status).toBe(1)
    expect(missing.stderr).toContain(`The manual is ${file}`)
    writeFileSync(path.join(folder, 'man'), '#!/bin/sh\necho "$@"\nexit 16\n', { mode: 0o755 })
    expect(run()).toMatchObject({ status: 1, stdout: `${file}\n` })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('help of a command is what its --help prints', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [main, 'help', ...args], { encoding: 'utf8' })
  expect(run('ls')).toMatchObject({ status: 0, stdout: helpOf('ls') })
  expect(run()).toMatchObject({ status: 0, stdout: helpOf() })
  expect(run('lss')).toMatchObject({ status: 2, stdout: '' })
  expect(run('ls', 'run')).toMatchObject({ status: 2, stdout: '' })
})

test('what roff would take for its own is text', () => {
  const text = "Usage: reuseport x [a]\n\n.PP is 'no' request, nor is \\fB.\n\n'.x' begins a line.\n\na  b\n .c  d"
  const page = manPage({ version: '1.0.0', date: '2026-01-02', summary: 'it is so', main: text, helps: { x: text } })
  expect(page).toMatchSnapshot()
})
