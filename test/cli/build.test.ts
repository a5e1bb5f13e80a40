// `reuseport build` up to the compiler: what it looks for, what it starts, and what it says where something fails.
// That it compiles and loads is tried by `npm run test:package`.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { UsageError } from '../../src/cli/arguments.js'
import { build } from '../../src/cli/build.js'
import type { Capabilities } from '../../src/index.js'

interface Ending {
  readonly status?: number | null
  readonly signal?: string | null
  readonly error?: Error
  readonly stdout?: null
  readonly stderr?: null
}

const fakes = vi.hoisted(() => ({
  binary: null as string | null,
  hasSources: true,
  endings: {} as Record<string, Ending>,
  started: [] as string[][],
  files: [] as string[][],
  deny: undefined as string | undefined,
}))

vi.mock('node:child_process', () => ({
  spawnSync(command: string, args: string[], { cwd }: { cwd: string }) {
    const name = path.basename(args[0]?.endsWith('.js') ? args[0] : command)
    fakes.started.push([name, ...args])
    if (name === 'tar') fakes.files.push(['folder', cwd])
    if (name === 'npm') fakes.files.push(['manifest', readFileSync(path.join(cwd, 'package.json'), 'utf8')])
    return { status: 0, signal: null, stdout: 'printed\n', stderr: 'a mistake\n', ...fakes.endings[name] }
  },
}))

vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>()
  const root = import.meta.dirname.replace(/test\/cli$/, '')
  const isTarget = (name: unknown): boolean => String(name).startsWith(`${root}build`)
  return {
    ...real,
    existsSync: (name: string) => (name.endsWith('addon-sources.tar.br') ? fakes.hasSources : real.existsSync(name)),
    copyFileSync: (...names: string[]) => fakes.files.push(['copy', ...names]),
    renameSync: (...names: string[]) => fakes.files.push(['rename', ...names]),
    mkdirSync(...args: Parameters<typeof real.mkdirSync>) {
      if (!isTarget(args[0])) return real.mkdirSync(...args)
      if (fakes.deny !== undefined) throw Object.assign(new Error('no'), { code: fakes.deny })
      return undefined
    },
    accessSync: (name: string, mode: number) => (isTarget(name) ? undefined : real.accessSync(name, mode)),
  }
})

vi.mock('../../src/index.js', () => ({ capabilities: () => ({ binary: fakes.binary }) as Capabilities }))

let written: Record<'stdout' | 'stderr', string>
let tools: string

beforeEach(() => {
  Object.assign(fakes, { binary: null, hasSources: true, endings: {}, started: [], files: [], deny: undefined })
  written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text)
      return true
    })
  }
  tools = mkdtempSync(path.join(tmpdir(), 'reuseport-tools-'))
  for (const name of ['g++', 'gmake', 'python3', 'tar', 'npm'])
    writeFileSync(path.join(tools, name), '', { mode: 0o755 })
  vi.stubEnv('PATH', `/nonexistent:${tools}`)
  vi.stubEnv('CXX', '')
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(tools, { recursive: true })
})

test('unpacks, installs, compiles, tries, and puts it in place in one step; nothing is left', () => {
  expect(build([])).toBe(0)
  expect(fakes.started.map(([name]) => name)).toEqual(['tar', 'npm', 'node-gyp.js', path.basename(process.execPath)])
  const manifest = JSON.parse(fakes.files.find(([what]) => what === 'manifest')?.[1] ?? '')
  expect(Object.keys(manifest.dependencies)).toEqual(['node-addon-api', 'node-gyp'])
  const [[, , copied], [, from, to]] = fakes.files.slice(-2) as [string[], string[]]
  expect(copied).toBe(from)
  expect(to).toMatch(/build\/Release\/reuseport\.node$/)
  expect(written.stdout).toBe(`The addon is built: ${to}\n`)
  expect(written.stderr.split('\n').filter(Boolean)).toHaveLength(4)
  const folder = fakes.files.find(([what]) => what === 'folder')?.[1] ?? ''
  expect(folder).toContain('reuseport-build-')
  expect(existsSync(folder)).toBe(false)
})

test('by the headers beside Node, where there are some', () => {
  const prefix = path.join(tools, 'prefix')
  vi.spyOn(process, 'execPath', 'get').mockReturnValue(path.join(prefix, 'bin/node'))
  build([])
  expect(fakes.started[2]).not.toContain(`--nodedir=${prefix}`)
  mkdirSync(path.join(prefix, 'include/node'), { recursive: true })
  writeFileSync(path.join(prefix, 'include/node/node_api.h'), '')
  build([])
  expect(fakes.started[6]).toContain(`--nodedir=${prefix}`)
})

test('where the addon loads there is nothing to build, unless it is forced', () => {
  fakes.binary = '/there.node'
  expect(build([])).toBe(0)
  expect(fakes.started).toEqual([])
  expect(build(['--force'])).toBe(0)
  expect(fakes.started).toHaveLength(4)
})

test('help, and what it does not take', () => {
  expect(build(['--help'])).toBe(0)
  expect(written.stdout).toMatch(/^Usage: reuseport build/)
  expect(() => build(['now'])).toThrow(UsageError)
})

test.each([
  ['no-such-compiler', 'no-such-compiler'],
  ['/nonexistent/g++ -m64', '/nonexistent/g++'],
])('the compiler that CXX names: %s', (compiler, missing) => {
  vi.stubEnv('CXX', compiler)
  expect(() => build([])).toThrow(`the addon cannot be built, because tools are missing: ${missing}\n`)
})

test('a compiler by its path', () => {
  vi.stubEnv('CXX', path.join(tools, 'g++'))
  expect(build([])).toBe(0)
})

test('no PATH at all', () => {
  vi.stubEnv('PATH', undefined)
  expect(() => build([])).toThrow('tools are missing: C++ compiler, make, python3, tar, npm\n')
})

test('a folder that may not be written, before anything takes time', () => {
  fakes.deny = 'EROFS'
  expect(() => build([])).toThrow(
    /^cannot write to .*build\/Release \(EROFS\): run this command as the user who installs the package$/,
  )
  expect(fakes.started).toEqual([])
})

test('a package without its sources', () => {
  fakes.hasSources = false
  expect(() => build([])).toThrow(/addon-sources\.tar\.br is missing: reinstall the package$/)
})

test.each([
  ['tar', { status: 2 }, 'tar failed: exit code 2'],
  ['npm', { status: null, signal: 'SIGKILL' }, 'npm failed: SIGKILL'],
  ['node-gyp.js', { status: null, error: new Error('spawn ENOMEM') }, 'node-gyp.js failed: spawn ENOMEM'],
] as const)('%s fails: %j', (name, ending, message) => {
  fakes.endings[name] = ending
  expect(() => build([])).toThrow(`${message}\n\nprinted\na mistake\n`)
  expect(fakes.files.map(([what]) => what)).not.toContain('rename')
})

test('a command that cannot even be started has printed nothing', () => {
  fakes.endings['npm'] = { status: null, error: new Error('spawn npm ENOENT'), stdout: null, stderr: null }
  expect(() => build([])).toThrow(/npm failed: spawn npm ENOENT\s*$/)
})
