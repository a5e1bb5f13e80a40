import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** From top to bottom: the folders of src/, and its entry points. A file imports from its own room and from rooms below. */
const ROOMS: readonly string[] = [
  'cli',
  'register.ts',
  'queues.ts',
  'supervised',
  'supervisor.ts',
  'supervisor',
  'index.ts',
  'datagram',
  'drain',
  'listen',
  'steering',
  'group',
  'options',
  'system',
  'native',
  'node',
  'common',
]

/**
 * The rooms over the façade stand on what users import. What else each may import, as rooms and as files: what both
 * sides of a supervisor know, and the addon for what no port has to do with (CPUs, systemd, peers).
 */
const ABOVE_THE_FACADE: Readonly<Record<string, readonly string[]>> = {
  cli: ['index.ts', 'supervisor.ts', 'common/ending-signals', 'options/option-names', 'system/kernel-versions'],
  'register.ts': ['index.ts', 'supervised', 'options/shared-places', 'options/variables', 'supervisor/protocol'],
  'queues.ts': ['supervised', 'supervisor'],
  supervised: [
    'index.ts',
    'native',
    'common/ending-signals',
    'common/errors',
    'drain/drain-datagram',
    'node/adopt',
    'node/cluster-port',
    'node/datagram-internals',
    'node/datagram-socket',
    'node/emit-hook',
    'node/guest-listener',
    'node/incoming',
    'node/kept-datagram',
    'node/path-listen',
    'node/second-listener',
    'node/server-connections',
    'node/server-kind',
    'node/withheld-close',
    'listen/supervision',
    'options/option-names',
    'common/close-handle',
    'supervisor/ahead',
    'supervisor/protocol',
    'supervisor/messages',
    'supervisor/patience',
    'supervisor/preload-options',
  ],
  'supervisor.ts': ['supervisor', 'common/ending-signals'],
  supervisor: [
    'index.ts',
    'common/channels',
    'native',
    'listen/supervision',
    'options/option-names',
    'options/variables',
    'common/close-handle',
    'common/ending-signals',
    'common/lines',
    'common/waiting',
    'node/connected-pair',
    'node/path-listen',
    'drain/times',
    'steering/by-policy',
    'steering/datagram-group',
    'steering/steering-types',
  ],
}

interface Import {
  /** Path in src/ without its extension, or the name of a package. */
  readonly from: string
  /** Gone at run time. */
  readonly isType: boolean
}

interface Source {
  readonly text: string
  readonly own: readonly Import[]
  readonly others: readonly Import[]
}

/** Of each form: `import … from`, `export … from`, `import '…'`, `import('…')` and `typeof import('…')`. */
function importsIn(text: string): readonly Import[] {
  const statements = [...text.matchAll(/^(?:import|export)\b((?:(?!^(?:import|export)\b)[^'"`;])*?)\bfrom '([^']+)'/gm)]
  const alone = [...text.matchAll(/^import '([^']+)'/gm)]
  const called = [...text.matchAll(/(typeof )?\bimport\('([^']+)'\)/g)]
  return [
    ...statements.map(([, what = '', from = '']) => ({ from, isType: isTypeOnly(what) })),
    ...alone.map(([, from = '']) => ({ from, isType: false })),
    ...called.map(([, type, from = '']) => ({ from, isType: type !== undefined })),
  ]
}

function isTypeOnly(what: string): boolean {
  const names = /\{([^}]*)\}/
    .exec(what)?.[1]
    ?.split(',')
    .filter((name) => name.trim() !== '')
  return /^\s*type\b/.test(what) || (names?.every((name) => /^\s*type\b/.test(name)) ?? false)
}

function read(name: string): Source {
  const text = readFileSync(path.join(source, `${name}.ts`), 'utf8')
  const own: Import[] = []
  const others: Import[] = []
  for (const { from, isType } of importsIn(text)) {
    if (from.startsWith('.')) own.push({ from: path.join(path.dirname(name), from.replace(/\.js$/, '')), isType })
    else others.push({ from, isType })
  }
  return { text, own, others }
}

function roomOf(name: string): string {
  return name.includes('/') ? path.dirname(name) : `${name}.ts`
}

const names = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
const sources = new Map(names.map((name) => [name, read(name)]))
const get = (name: string): Source => sources.get(name) as Source

const SAYS_PURE = /^\/\/ Pure: /m

/** Builtins whose functions, as pure files call them, do no input or output. */
const PURE_BUILTINS = ['node:util', 'node:net']

test('the reader of imports sees each form', () => {
  const text = `import type { A } from './a.js'
import { type B,
  type C } from './b.js'
import { type D, e } from './d.js'
export * from './f.js'
import './g.js'
type H = typeof import('./h.js').default
const i = await import('./i.js')
`
  expect(importsIn(text)).toEqual([
    { from: './a.js', isType: true },
    { from: './b.js', isType: true },
    { from: './d.js', isType: false },
    { from: './f.js', isType: false },
    { from: './g.js', isType: false },
    { from: './h.js', isType: true },
    { from: './i.js', isType: false },
  ])
  expect(get('index').own.map(({ from }) => from)).toEqual(expect.arrayContaining(['listen/listen', 'common/errors']))
  const all = names.flatMap((name) => get(name).own.map(({ from }) => from))
  expect(all.length).toBeGreaterThan(300)
  for (const from of all) expect(names).toContain(from)
})

test('every file is in a room', () => {
  expect([...new Set(names.map(roomOf))].toSorted()).toEqual(ROOMS.toSorted())
})

/** Why a file may not import another one. */
function refusal(name: string, from: string): string | undefined {
  const [room, other] = [roomOf(name), roomOf(from)]
  if (ROOMS.indexOf(other) < ROOMS.indexOf(room)) return `${name} imports ${from}, which is above it`
  const allowed = ABOVE_THE_FACADE[room]
  if (allowed === undefined || other === room || allowed.includes(other) || allowed.includes(from)) return undefined
  return `${name} imports ${from}, which users cannot`
}

test.each(names)('%s imports from its own room or from one below', (name) => {
  expect(get(name).own.flatMap(({ from }) => refusal(name, from) ?? [])).toEqual([])
})

test('an import against the order is refused', () => {
  expect(refusal('common/errors', 'group/rows')).toMatch(/above/)
  expect(refusal('supervisor/pool', 'supervised/worker')).toMatch(/above/)
  expect(refusal('cli/ls', 'group/reader')).toMatch(/users cannot/)
  expect(refusal('drain/departure', 'steering/keeper-channel')).toBeUndefined()
})

/** The files of a circle of imports, the first one again at the end. */
function circle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (name: string, above: readonly string[]): readonly string[] | undefined => {
    if (above.includes(name)) return [...above.slice(above.indexOf(name)), name]
    if (done.has(name)) return undefined
    for (const from of imports.get(name) ?? []) {
      const found = visit(from, [...above, name])
      if (found !== undefined) return found
    }
    done.add(name)
    return undefined
  }
  for (const name of imports.keys()) {
    const found = visit(name, [])
    if (found !== undefined) return found
  }
  return undefined
}

test('no file imports itself by way of others, not even types', () => {
  const graph = (from: Readonly<Record<string, string[]>>): Map<string, string[]> => new Map(Object.entries(from))
  expect(circle(graph({ a: ['b'], b: ['c'], c: [] }))).toBeUndefined()
  expect(circle(graph({ a: ['b'], b: ['c'], c: ['b'] }))).toEqual(['b', 'c', 'b'])
  expect(circle(new Map(names.map((name) => [name, get(name).own.map(({ from }) => from)])))).toBeUndefined()
})

test('the façades only re-export', () => {
  for (const name of ['index', 'queues', 'supervisor']) {
    expect(get(name).text.replace(/export (type )?\{[^}]*\} from '[^']+'\n/g, '')).toBe('')
  }
})

const pure = names.filter((name) => SAYS_PURE.test(get(name).text))

test('there are files that say that they are pure', () => {
  expect(pure).toEqual(expect.arrayContaining(['group/conflict', 'group/rows', 'listen/listen-arguments']))
})

test.each(pure)('%s does no input or output and knows no addon', (name) => {
  const { own, others, text } = get(name)
  for (const { from, isType } of own) if (!isType) expect(pure).toContain(from)
  for (const { from } of others) expect(PURE_BUILTINS).toContain(from)
  expect(text).not.toMatch(/getBuiltinModule|import\(|require\(|setTimeout\(|performance\.now|Date\.now|new Date\(\)/)
})

const filesWith = (pattern: RegExp): readonly string[] => names.filter((name) => pattern.test(get(name).text))

test('one file loads native code', () => {
  expect(filesWith(/require\('node-gyp-build'\)|require\(\w*binary\)|dlopen\(/)).toEqual(['native/addon'])
})

test("one room knows Node's internals: what servers, sockets and the cluster keep to themselves", () => {
  const internal = filesWith(/(\.|readonly )_(?!handle\b)[a-z]\w+|state symbol|bindState/)
  expect(internal.toSorted()).toEqual([
    'node/adopt',
    'node/cluster',
    'node/datagram-internals',
    'node/event-streams',
    'node/guest-listener',
    'node/http-connections',
    'node/incoming',
    'node/path-listen',
    'node/server-connections',
    'node/server-handle',
  ])
})

test('no file outgrows the head: TypeScript 250 lines, C++ 250', () => {
  const native = fileURLToPath(new URL('../../src-native', import.meta.url))
  const cpp = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(cc|h)$/.test(file))
  const all = [...names.map((name) => path.join(source, `${name}.ts`)), ...cpp.map((file) => path.join(native, file))]
  expect(all.length).toBeGreaterThan(100)
  for (const file of all) expect(readFileSync(file, 'utf8').trimEnd().split('\n').length, file).toBeLessThanOrEqual(250)
})

test('a room of more than three files says what it is for', () => {
  for (const room of ROOMS.filter((one) => !one.endsWith('.ts'))) {
    const files = names.filter((name) => roomOf(name) === room)
    if (files.length <= 3) continue
    expect(
      files.some((name) => /^(#!.*\n)?\/\/ Room: /.test(get(name).text)),
      `${room} has no file that begins with "// Room: "`,
    ).toBe(true)
  }
})
