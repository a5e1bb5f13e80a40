// How the addon is found, and what is said where it is not: in copies of the package whose binaries are bad in one way each.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Capabilities } from '../../src/index.js'
import { NODE_MAJOR, NODE_SHARES } from '../support/run.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const good = readFileSync(path.join(root, 'build/Release/reuseport.node'))
const isLinux = process.platform === 'linux'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-loading-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

let copies = 0

/** A copy of the package with these binaries, by their names in prebuilds/<this system>/. */
function copyWith(binaries: Readonly<Record<string, Uint8Array>>, dependencies = true): string {
  const copy = path.join(folder, `copy-${copies++}`)
  const prebuilds = path.join(copy, 'prebuilds', `${process.platform}-${process.arch}`)
  mkdirSync(prebuilds, { recursive: true })
  cpSync(path.join(root, 'dist'), path.join(copy, 'dist'), { recursive: true })
  cpSync(path.join(root, 'package.json'), path.join(copy, 'package.json'))
  for (const [name, bytes] of Object.entries(binaries)) writeFileSync(path.join(prebuilds, name), bytes)
  if (dependencies) {
    cpSync(path.join(root, 'node_modules/node-gyp-build'), path.join(copy, 'node_modules/node-gyp-build'), {
      recursive: true,
    })
  }
  return copy
}

const REPORT = `
  const { capabilities, listenReusePort } = await import(process.argv[1])
  const server = (await import('node:net')).createServer()
  const listened = new Promise((resolve) => {
    server.once('listening', () => resolve('listening'))
    server.once('error', (error) => resolve(error.code))
  })
  listenReusePort(server, { port: 0, host: '127.0.0.1' })
  const outcome = await listened
  server.close()
  console.log(JSON.stringify({ outcome, ...capabilities() }))`

function report(copy: string, flags: readonly string[] = []): Capabilities & { readonly outcome: string } {
  const args = ['--no-warnings', ...flags, '--input-type=module', '-e', REPORT, path.join(copy, 'dist/index.js')]
  // What others preload may not be read here.
  const env = { ...process.env, NODE_OPTIONS: '' }
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env }))
}

/** The same bytes with one text for another of the same length. */
function replaced(text: string, by: string): Buffer {
  expect(by).toHaveLength(text.length)
  expect(good.includes(text)).toBe(true)
  return Buffer.from(good.toString('latin1').replaceAll(text, by), 'latin1')
}

function withMachine(machine: number): Buffer {
  const bytes = Buffer.from(good)
  bytes.writeUInt16LE(machine, 18)
  return bytes
}

const NAME = 'reuseport.node'
const BUILD = "'npx reuseport build'"

test('a binary of prebuilds loads', () => {
  const copy = copyWith({ [NAME]: good })
  const binary = path.join(copy, 'prebuilds', `${process.platform}-${process.arch}`, NAME)
  expect(report(copy)).toMatchObject({ addon: true, binary, outcome: 'listening', reasons: {} })
})

test('one of build/Release comes first', () => {
  const copy = copyWith({ [NAME]: Buffer.from('bad') })
  const built = path.join(copy, 'build/Release')
  mkdirSync(built, { recursive: true })
  writeFileSync(path.join(built, 'reuseport.node'), good)
  expect(report(copy)).toMatchObject({ addon: true, binary: path.join(built, 'reuseport.node') })
})

const BAD: readonly (readonly [string, () => Readonly<Record<string, Uint8Array>>, RegExp])[] = [
  ['none', () => ({}), /^there is no binary for [a-z]+-[a-z0-9]+; run 'npx reuseport build'/],
  ['an empty one', () => ({ [NAME]: new Uint8Array() }), /^the addon's binary is damaged; reinstall the package \(/],
  ['half of one', () => ({ [NAME]: good.subarray(0, good.length / 2) }), /^the addon's binary is damaged; reinstall/],
  [
    'a text',
    () => ({ [NAME]: Buffer.from('<html>403</html>'.repeat(100)) }),
    /^the addon's binary is damaged; reinstall/,
  ],
]

const BAD_ON_LINUX: typeof BAD = [
  [
    'one for another processor',
    () => ({ [NAME]: withMachine(243) }),
    /^the addon's binary is for another system; reinstall/,
  ],
  [
    'one for another libc',
    () => ({ [NAME]: replaced('libc.so.6', 'libq.so.6') }),
    /^the addon's binary is for another system; reinstall the package on this system, or run 'npx reuseport build'.*libq\.so\.6/,
  ],
  [
    'one for a newer libc',
    () => ({ [NAME]: replaced('GLIBC_2.3.4', 'GLIBC_9.3.4') }),
    /^the addon's binary needs a newer system library than this system has; run 'npx reuseport build'.*GLIBC_9/,
  ],
]

describe.each([...BAD, ...(isLinux ? BAD_ON_LINUX : [])])('%s', (_name, binaries, reason) => {
  test("is told by its cause, and Node's own reusePort serves", () => {
    const told = report(copyWith(binaries()))
    expect(told).toMatchObject({ addon: false, binary: null, reasons: { addon: expect.stringMatching(reason) } })
    expect(told.reasons.addon).not.toContain('\n')
    expect(told).toMatchObject(
      NODE_SHARES
        ? { supported: true, outcome: 'listening' }
        : { supported: false, outcome: 'ERR_REUSEPORT_UNSUPPORTED' },
    )
  })
})

describe('under the permission model', () => {
  const PERMISSION = NODE_MAJOR < 22 ? '--experimental-permission' : '--permission'
  const ALLOWED = [PERMISSION, '--allow-addons', ...(NODE_MAJOR >= 25 ? ['--allow-net'] : [])]

  test("the right to read the package's folder is enough", () => {
    const copy = copyWith({ [NAME]: good })
    expect(report(copy, [...ALLOWED, `--allow-fs-read=${copy}/`])).toMatchObject({ addon: true, outcome: 'listening' })
  })

  test('what may not be read is named', () => {
    const copy = copyWith({ [NAME]: good })
    const some = ['dist', 'package.json', 'node_modules'].map((name) => `--allow-fs-read=${path.join(copy, name)}`)
    const { reasons } = report(copy, [...ALLOWED, ...some])
    expect(reasons.addon).toMatch(/^the permission model forbids reading \S+\.node; add --allow-fs-read for/)
  })
})

test('without its dependency the package still loads', () => {
  const { reasons } = report(copyWith({ [NAME]: good }, false))
  expect(reasons.addon).toMatch(
    /^the installed package or its dependency node-gyp-build cannot be found; .*mark 'reuseport' as external$/,
  )
})

test('doctor tells the cause, the mend and what serves meanwhile', () => {
  const main = path.join(copyWith({}), 'dist/cli/main.js')
  const { stdout, status } = spawnSync(process.execPath, [main, 'doctor'], { encoding: 'utf8' })
  expect(stdout).toContain(BUILD)
  const serves = NODE_SHARES ? "Until then Node's own reusePort serves" : 'Until then no port is shared'
  expect(stdout).toContain(serves)
  expect(status).toBe(NODE_SHARES ? 0 : 1)
})
