// The compile cache that the workers of one supervisor share.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Supervisor, type SupervisorOptions } from '../../dist/supervisor.js'
import { isObserved, surplus } from '../../src/supervisor/compile-cache-size.js'
import { freePort } from '../support/listeners.js'
import { get } from '../support/supervisors.js'

/** Node 20 has no such cache, and 22.8 does not write it before the exit. */
const HAS_CACHE = 'flushCompileCache' in module
const WITHOUT = 'this version of Node cannot write a compile cache while it runs'

describe('what is too much', () => {
  const file = (name: string, size: number, mtimeMs: number) => ({ name, size, mtimeMs })

  test('the oldest files go, until half is left', () => {
    const files = [file('c', 30, 3), file('a', 40, 1), file('d', 20, 4), file('b', 30, 2)]
    expect(surplus(files, 120)).toEqual([])
    expect(surplus(files, 119)).toEqual(['b', 'a'])
    expect(surplus([file('huge', 500, 9)], 119)).toEqual(['huge'])
  })

  test.each([
    [[], {}, false],
    [['--max-old-space-size=100'], { NODE_OPTIONS: '--no-deprecation' }, false],
    [['--inspect'], {}, true],
    [[], { NODE_OPTIONS: '--no-deprecation --inspect-brk=0' }, true],
    [[], { NODE_V8_COVERAGE: '/tmp/x' }, true],
    [[], { NODE_V8_COVERAGE: '' }, false],
  ] as const)('%j %j is observed: %j', (execArgv, env, expected) => {
    expect(isObserved(execArgv, env)).toBe(expected)
  })
})

/** The folder for temporary files of this test, in which supervisors have theirs. */
let temporary: string
let before: string | undefined
let port: number

beforeEach(async () => {
  temporary = mkdtempSync(path.join(tmpdir(), 'reuseport-cache-'))
  before = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary
  port = await freePort()
  write('dependency.cjs', 'module.exports = () => "dependency"')
})

afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  rmSync(temporary, { recursive: true, force: true })
})

function write(name: string, text: string): string {
  const file = path.join(temporary, name)
  writeFileSync(file, text)
  return file
}

interface Answer {
  readonly slot: string
  readonly generation: string
  readonly folder: string | null
}

const program = (first = ''): string =>
  write(
    'server.cjs',
    `${first}
    require('./dependency.cjs')
    // Without the folder of the version in it.
    const folder = () => require('node:module').getCompileCacheDir?.()?.replace(/.v[\\d.]+-[^/]*$/, '') ?? null
    const { REUSEPORT_SLOT: slot, REUSEPORT_GENERATION: generation } = process.env
    require('node:http').createServer((q, r) =>
      r.setHeader('connection', 'close').end(JSON.stringify({ slot, generation, folder: folder() }))).listen(${port}, '127.0.0.1')`,
  )

type Options = Partial<SupervisorOptions> & { readonly first?: string }

/** `said`: what the workers print, with what Node tells of its cache. */
function start({ first, ...options }: Options = {}): Supervisor & { said(): string } {
  const env = { ...process.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE', ...options.env }
  const script = program(first)
  const asked = { script, workers: 2, execArgv: [], output: 'pipe', compileCache: true } as const
  const supervisor = new Supervisor({ ...asked, ...options, env })
  let text = ''
  supervisor.on('worker:output', (_worker, _stream, more) => {
    text += more
  })
  return Object.assign(supervisor, { said: () => text })
}

/** What each worker of this generation answers, by slot. */
async function folders(workers = 2, generation = '1'): Promise<readonly (string | null)[]> {
  const found = new Map<string, string | null>()
  await expect
    .poll(
      async () => {
        const answer = await get<Answer>(port)
        if (answer.generation === generation) found.set(answer.slot, answer.folder)
        return found.size
      },
      { timeout: 30_000, interval: 1 },
    )
    .toBe(workers)
  return [...found].sort(([one], [other]) => Number(one) - Number(other)).map(([, folder]) => folder)
}

const runtime = (): string => path.join(temporary, `reuseport-${process.geteuid?.()}`)
const caches = (): string[] =>
  existsSync(runtime()) ? readdirSync(runtime()).filter((name) => name.endsWith('.cache')) : []
/** The files that Node has written. */
const files = (): string[] =>
  caches().flatMap((name) =>
    readdirSync(path.join(runtime(), name), { recursive: true, encoding: 'utf8' })
      .map((file) => path.join(runtime(), name, file))
      .filter((file) => statSync(file).isFile()),
  )
const written = (): Promise<void> => expect.poll(files, { timeout: 20_000 }).not.toEqual([])
const accepted = /cache for (?:CommonJS )?\S+dependency\.cjs was accepted/g

test.skipIf(HAS_CACHE)('a version of Node without a compile cache: no folder', async () => {
  await using supervisor = start()
  await supervisor.start()
  expect(await folders()).toEqual([null, null])
  expect(caches()).toEqual([])
})

// See WITHOUT.
describe.skipIf(!HAS_CACHE)(`workers have a cache (not where ${WITHOUT})`, () => {
  test.each([{ threads: false }, { threads: true }])(
    'worker 0 fills it, the next ones compile from it, and it goes with the supervisor: %j',
    { timeout: 60_000 },
    async ({ threads }) => {
      await using supervisor = start({ threads })
      await supervisor.start()
      const [folder, other] = await folders()
      const [name] = caches()
      expect(folder).toBe(path.join(runtime(), name as string))
      expect(other).toBe(null)
      expect(statSync(folder as string).mode & 0o777).toBe(0o700)
      await written()
      expect(supervisor.said()).not.toMatch(accepted)
      await supervisor.reload()
      expect(await folders(2, '2')).toEqual([folder, folder])
      // Of threads Node does not tell.
      if (!threads) await expect.poll(() => supervisor.said().match(accepted)?.length, { timeout: 20_000 }).toBe(2)
      await supervisor.stop()
      expect(existsSync(folder as string)).toBe(false)
      expect(readdirSync(runtime())).toEqual([])
    },
  )

  test('code that has changed is compiled anew, by the first worker of a reload only', async () => {
    await using supervisor = start()
    await supervisor.start()
    await written()
    write('dependency.cjs', 'module.exports = () => "another dependency"')
    await supervisor.reload()
    await folders(2, '2')
    const refused = /cache for (?:CommonJS )?\S+dependency\.cjs was not initialized/g
    // Of generation 1, worker 0; of generation 2 worker 0. Worker 1 finds what that has written.
    await expect.poll(() => supervisor.said().match(accepted)?.length, { timeout: 20_000 }).toBe(1)
    expect(supervisor.said().match(refused)).toHaveLength(2)
  })

  const own = (): string => path.join(temporary, 'own')
  test.each<[string, () => Options, boolean]>([
    ['the default', () => ({ compileCache: undefined }), false],
    ['NODE_V8_COVERAGE', () => ({ env: { NODE_V8_COVERAGE: path.join(temporary, 'coverage') } }), false],
    ['--inspect', () => ({ execArgv: ['--inspect=0'] }), false],
    ['NODE_DISABLE_COMPILE_CACHE', () => ({ env: { NODE_DISABLE_COMPILE_CACHE: '1' } }), false],
    ['NODE_COMPILE_CACHE', () => ({ env: { NODE_COMPILE_CACHE: own() } }), true],
    [
      'a cache that the program enables',
      () => ({ first: `require('node:module').enableCompileCache('${own()}')` }),
      true,
    ],
  ])('not with %s', async (_what, options, isOwn) => {
    await using supervisor = start(options())
    await supervisor.start()
    await supervisor.reload()
    expect(await folders(2, '2')).toEqual(isOwn ? [own(), own()] : [null, null])
    expect(files()).toEqual([])
  })

  test('what a supervisor leaves behind that is killed, the next one removes', async () => {
    const url = new URL('../../dist/supervisor.js', import.meta.url)
    const code = `
      const { Supervisor } = await import('${url}')
      const supervisor = new Supervisor({ script: ${JSON.stringify(program())}, workers: 1, execArgv: [], compileCache: true })
      await supervisor.start()
      console.log(supervisor.workers[0].pid)`
    const killed = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [worker] = (await once(killed.stdout, 'data')) as [Buffer]
    const [left] = caches()
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    process.kill(Number(worker.toString()), 'SIGKILL')
    expect(caches()).toEqual([left])
    await using supervisor = start()
    await using other = start()
    await Promise.all([supervisor.start(), other.start()])
    await expect.poll(caches, { timeout: 20_000 }).not.toContain(left)
    // Those of the living stay.
    expect(caches()).toHaveLength(2)
  })

  test('too much is too much: files of earlier releases go', async () => {
    await using supervisor = start()
    await supervisor.start()
    await written()
    const [first] = files()
    const release = path.join(path.dirname(first as string), '01234567')
    writeFileSync(release, '')
    truncateSync(release, 65 << 20)
    utimesSync(release, 1, 1)
    await supervisor.reload()
    await expect.poll(files, { timeout: 20_000 }).not.toContain(release)
    expect(files()).toContain(first)
  })

  test('none where another user could put a folder in its place', async () => {
    chmodSync(temporary, 0o777)
    await using supervisor = start()
    await supervisor.start()
    expect(await folders()).toEqual([null, null])
    chmodSync(temporary, 0o1777)
    await supervisor.reload()
    expect((await folders(2, '2'))[0]).toContain(runtime())
    // As where a cleaner of temporary files has removed the folder, and a stranger was faster.
    renameSync(runtime(), path.join(temporary, 'moved'))
    mkdirSync(runtime(), { mode: 0o700 })
    await supervisor.reload()
    expect(await folders(2, '3')).toEqual([null, null])
    await supervisor.stop()
    expect(readdirSync(path.join(temporary, 'moved'))).toEqual([])
  })

  const isRoot = process.geteuid?.() === 0
  // Only root can give up its user.
  test.skipIf(!isRoot)('a program that gives up its user serves as ever', async () => {
    const first = `process.setgroups([]); process.setgid(65534); setTimeout(() => process.setuid(65534), 0)`
    await using supervisor = start({ first })
    chmodSync(temporary, 0o1777)
    await supervisor.start()
    await supervisor.reload()
    await folders(2, '2')
    expect(supervisor.workers.map(({ state }) => state)).toEqual(['ready', 'ready'])
  })
})
