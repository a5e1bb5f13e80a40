// The snippets that are not programs: types, shell lines, JSON, YAML, Dockerfiles, units of systemd.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { cachedPackage } from '../../scripts/cached-package.mjs'
import { checkDockerfile } from '../support/dockerfile.js'
import { checkCommand, commandsOf, foreignProgram, ownCommandsIn, wordsOf } from '../support/shell-lines.js'
import { FOREIGN_COMMANDS } from '../support/snippet-lists.js'
import { fileOf, root, snippetsIn } from '../support/snippets.js'

const require = createRequire(import.meta.url)

test('the types of TypeScript snippets are right', () => {
  const folder = path.join(root, '.cache/snippets/types')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = snippetsIn('ts').map(({ name, code }) => {
    const file = path.join(folder, `${name.replaceAll(/\W/g, '-')}.ts`)
    writeFileSync(file, code)
    return file
  })
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  const strict = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--types',
    'node',
  ]
  const { stdout } = spawnSync(process.execPath, [tsc, ...strict, ...files], { encoding: 'utf8' })
  expect(stdout).toBe('')
})

const shell = snippetsIn('sh')

test.each(shell)('the shell reads it, and our own parsers its commands: $name', ({ code }) => {
  execFileSync('sh', ['-n', '-c', code])
  for (const command of commandsOf(code)) checkCommand(command)
})

test('programs of others in shell snippets are listed, and no more', () => {
  const used = shell.flatMap(({ code }) => commandsOf(code).map((command) => foreignProgram(command) ?? ''))
  expect([...new Set(used)].filter(Boolean).sort()).toEqual(Object.keys(FOREIGN_COMMANDS).sort())
})

test('a misspelt option in a shell snippet is found', () => {
  const check = (line: string) => () => commandsOf(line).map(checkCommand)
  expect(check('npx reuseport run --worker 4 server.js')).toThrow('Did you mean --workers?')
  expect(check('node --no-warnings node_modules/.bin/reuseport run --grace soon server.js')).toThrow('--grace takes')
  expect(check('true && npx reuseport ls --watchh')).toThrow()
  expect(check('npm run nothing')).toThrow("no script 'nothing'")
})

test.each(snippetsIn('json'))('it is JSON, and our parser reads its commands: $name', ({ code }) => {
  const strings: string[] = []
  JSON.parse(code, (_key, value) => {
    if (typeof value === 'string') strings.push(value)
    return value as unknown
  })
  for (const command of strings.flatMap(ownCommandsIn)) checkCommand(command)
})

function installed(skip: (reason: string) => never): string {
  try {
    return cachedPackage('yaml', '2.8.1')
  } catch (error) {
    return skip(`npm could not install a parser of YAML: ${(error as Error).message}`)
  }
}

interface Yaml {
  readonly parseAllDocuments: (text: string) => readonly { errors: readonly Error[]; toJS: () => unknown }[]
}

test.for(snippetsIn('yaml'))('it is YAML, and our parser reads its commands: $name', async ({ code }, { skip }) => {
  const modules = installed(skip)
  const yaml = (await import(pathToFileURL(path.join(modules, 'yaml/dist/index.js')).href)) as Yaml
  for (const document of yaml.parseAllDocuments(code)) {
    expect(document.errors).toEqual([])
    for (const words of listsIn(document.toJS())) for (const own of ownCommandsIn(words.join(' '))) checkCommand(own)
  }
})

/** Every list of strings in it, as `command` of a container is one. */
function listsIn(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return [value]
  return Object.values(value).flatMap(listsIn)
}

test.each(snippetsIn('dockerfile'))('its instructions are known, its commands have no shell: $name', ({ code }) => {
  for (const words of checkDockerfile(code)) checkCommand(wordsOf(words.join(' ')))
})

test.for(snippetsIn('ini'))('systemd takes the unit: $name', (snippet, { skip }) => {
  for (const [, words = ''] of snippet.code.matchAll(/^Exec(?:Start|Reload)=(.*)$/gm)) {
    for (const own of ownCommandsIn(words)) checkCommand(own)
  }
  const { error } = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
  if (error !== undefined) skip('systemd-analyze is not installed')
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-unit-'))
  try {
    // Programs and users of the reader are not here.
    const text = snippet.code
      .replaceAll(/^(Exec\w+)=\S+/gm, `$1=${process.execPath}`)
      .replaceAll(/^(?:User|Group)=.*\n/gm, '')
    // A socket unit is verified with its service.
    writeFileSync(path.join(folder, 'server.service'), '[Service]\nExecStart=/bin/true\n')
    const unit = path.join(folder, fileOf(snippet) ?? 'snippet.service')
    writeFileSync(unit, text)
    const { stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
    const own = stderr.split('\n').filter((line) => line.includes(folder))
    expect({ own, status }).toEqual({ own: [], status: 0 })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
