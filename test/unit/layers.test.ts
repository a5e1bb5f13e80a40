import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** From top to bottom. A file imports from its own layer or from one below. See CONTRIBUTING.md. */
const LAYERS: readonly (readonly string[])[] = [
  ['register', 'supervisor'],
  ['index'],
  ['listen', 'bind', 'open-socket', 'effective-options', 'group', 'drain', 'steer', 'repair'],
  [
    'socket',
    'inherit',
    'supervision',
    'shared-socket',
    'unbound-socket',
    'configure',
    'read-option',
    'adopt',
    'adopt-datagram',
    'datagram-internals',
    'owned-descriptor',
    'address-in-use',
    'socket-table',
    'group-reader',
    'member-limit',
    'processes',
    'departure',
    'drain-datagram',
    'apply-policy',
    'abstract-socket',
    'keeper',
    'keeper-channel',
    'policy-in-force',
    'keeper-server',
    'leaving-listener',
    'group-lock',
    'group-member',
    'steering',
    'migration',
    'server-connections',
    'waiting',
    'cluster',
    'fallback',
    'channels',
    'listen-channels',
    'drain-channel',
    'capabilities',
    'core-reuse-port',
    'lookup',
    'permission',
  ],
  ['addon', 'addon-file', 'require-addon'],
  [
    'listen-arguments',
    'bind-arguments',
    'given-configuration',
    'datagram-socket',
    'drain-options',
    'drain-types',
    'steering-policy',
    'steering-types',
    'kernel-versions',
    'conflict',
    'transport',
    'group-rows',
    'group-types',
    'socket-options',
    'raw-socket-options',
    'common-option-types',
    'socket-option-types',
    'datagram-option-types',
    'option-names',
    'server',
    'errors',
    'group-errors',
    'abort-signal',
    'validation',
    'configuration-types',
    'listen-types',
    'bind-types',
    'addon-contract',
    'option-errors',
    'addon-failure',
    'address',
    'systems',
  ],
]
const PURE = LAYERS[5] as readonly string[]

/** The builtins that do no input or output by being called as the pure layer calls them. */
const PURE_BUILTINS = ['node:util', 'node:net']

interface Imports {
  readonly own: readonly string[]
  readonly others: readonly string[]
  readonly text: string
}

function read(name: string): Imports {
  const text = readFileSync(path.join(source, `${name}.ts`), 'utf8')
  const imported = [...text.matchAll(/^(?:import|export) (type )?[^'\n]*(?:\n[^'\n]*)*? from '([^']+)'/gm)]
  // Types are gone at run time, but a layer must not know of one above it either.
  const names = imported.map(([, , from]) => from ?? '')
  return {
    own: names.filter((from) => from.startsWith('.')).map((from) => from.replace(/^\.\/(.+)\.js$/, '$1')),
    others: names.filter((from) => !from.startsWith('.')),
    text,
  }
}

const files = readdirSync(source)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => path.basename(file, '.ts'))
const commands = readdirSync(path.join(source, 'cli')).map((file) => `cli/${path.basename(file, '.ts')}`)
const processes = ['supervisor', 'supervised'].flatMap((folder) =>
  readdirSync(path.join(source, folder)).map((file) => `${folder}/${path.basename(file, '.ts')}`),
)
const imports = new Map([...files, ...commands, ...processes].map((name) => [name, read(name)]))

function layerOf(name: string): number {
  return LAYERS.findIndex((layer) => layer.includes(name))
}

test('every file has its layer, and every layer its files', () => {
  expect(files.toSorted()).toEqual(LAYERS.flat().toSorted())
})

test('the reader of imports sees them', () => {
  expect(imports.get('index')?.own).toEqual(expect.arrayContaining(['listen', 'open-socket', 'errors']))
  expect(imports.get('socket')?.own).toEqual(
    expect.arrayContaining(['addon-contract', 'address', 'adopt', 'errors', 'server']),
  )
})

test.each(files)('%s imports from its own layer or below', (name) => {
  for (const from of imports.get(name)?.own.filter((one) => !one.includes('/')) ?? []) {
    expect(layerOf(from), `${name} imports ${from}`).toBeGreaterThanOrEqual(layerOf(name))
  }
})

test('no file imports itself by way of others', () => {
  const visit = (name: string, above: readonly string[]): void => {
    expect(above, [...above, name].join(' imports ')).not.toContain(name)
    for (const from of imports.get(name)?.own.filter((one) => !one.includes('/')) ?? []) visit(from, [...above, name])
  }
  for (const name of files) visit(name, [])
})

test.each(commands)('%s stands on what users import, and on pure helpers', (name) => {
  for (const from of imports.get(name)?.own ?? [])
    expect(from).toMatch(/^[a-z-]+$|^\.\.\/(index|supervisor|option-names|kernel-versions)\.js$/)
})

test('the preload and the supervisor stand on what users import', () => {
  expect(imports.get('register')?.own).toEqual([
    'index',
    'supervised/one-socket',
    'supervised/supervise',
    'supervisor/protocol',
  ])
  for (const from of imports.get('supervisor')?.own ?? []) expect(from).toMatch(/^supervisor\/[a-z-]+$/)
})

// The addon: for what has nothing to do with who shares a port, as descriptors, CPUs and systemd.
test.each(processes)('%s stands on what users import, on the addon, and on what both sides know', (name) => {
  const other = name.startsWith('supervised/') ? '|supervisor/protocol' : ''
  const allowed = new RegExp(`^[a-z-]+$|^\\.\\./(index|addon|addon-contract|supervision|option-names${other})\\.js$`)
  for (const from of imports.get(name)?.own ?? []) expect(from).toMatch(allowed)
})

test('the façade only re-exports', () => {
  const { text } = imports.get('index') as Imports
  expect(text.replace(/export (type )?\{[^}]*\} from '[^']+'\n/g, '')).toBe('')
})

test.each(PURE)('%s does no input or output and knows no addon', (name) => {
  const { own, others, text } = imports.get(name) as Imports
  for (const from of own) expect(PURE).toContain(from)
  for (const from of others) expect(PURE_BUILTINS).toContain(from)
  expect(text).not.toMatch(/getBuiltinModule|import\(|require\(/)
})

test('one file loads native code', () => {
  const loading = files.filter((name) =>
    /['"]node-gyp-build['"]|\.node['"]|dlopen\(/.test(imports.get(name)?.text ?? ''),
  )
  expect(loading).toEqual(['addon'])
})

test('one file knows the state that dgram keeps to itself', () => {
  const knowing = files.filter((name) => /state symbol|bindState/.test(imports.get(name)?.text ?? ''))
  expect(knowing).toEqual(['datagram-internals'])
})

test("three files know Node's internals: the server's, its connections' and the cluster's", () => {
  const internal = /\b_(?!handle\b)[a-z]\w+/
  const knowing = files.filter((name) => internal.test(imports.get(name)?.text ?? ''))
  expect(knowing.toSorted()).toEqual(['adopt', 'cluster', 'server-connections'])
})

test('no file outgrows the head: TypeScript 250 lines, C++ 250', () => {
  const native = fileURLToPath(new URL('../../src-native', import.meta.url))
  const cpp = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(cc|h)$/.test(file))
  const all = [
    ...[...files, ...commands, ...processes].map((name) => path.join(source, `${name}.ts`)),
    ...cpp.map((file) => path.join(native, file)),
  ]
  expect(all.length).toBeGreaterThan(30)
  for (const file of all) expect(readFileSync(file, 'utf8').split('\n').length, file).toBeLessThan(250)
})
