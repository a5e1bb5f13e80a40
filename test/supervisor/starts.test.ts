// How the program of a worker is started: which file, in which folder, with which options of Node.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Ran, reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { get } from '../support/supervisors.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
let port: number

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-starts-'))
  port = await freePort()
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Answer {
  readonly release: string
  readonly argv: readonly string[]
  readonly execArgv: readonly string[]
  readonly cwd: string
  readonly word: string | null
  readonly inspector: string | null
}

function program(release: string): string {
  return `
    const answer = () => JSON.stringify({
      release: '${release}', argv: process.argv.slice(1), execArgv: process.execArgv, cwd: process.cwd(),
      word: process.env.WORD ?? null, inspector: require('node:inspector').url() ?? null })
    require('node:http').createServer((q, r) => r.end(answer())).listen(${port}, '127.0.0.1')`
}

function file(name: string, text: string): string {
  const whole = path.join(folder, name)
  mkdirSync(path.dirname(whole), { recursive: true })
  writeFileSync(whole, text)
  return whole
}

const ask = (): Promise<Answer> => get<Answer>(port)

/** Has the link lead to another folder, as a deploy does. */
function link(to: string): void {
  symlinkSync(path.join(folder, to), path.join(folder, 'next'))
  renameSync(path.join(folder, 'next'), path.join(folder, 'current'))
}

describe('a link that is moved is followed by the next worker', () => {
  test.each([
    ['--cwd', (): [string[], object] => [['--cwd', path.join(folder, 'current'), '--env', '.env', 'server'], {}]],
    [
      'the folder of the shell',
      (): [string[], object] => {
        const cwd = path.join(folder, 'current')
        return [['--env', '.env', 'server'], { cwd, env: { PWD: cwd } }]
      },
    ],
    [
      'the path of the script',
      (): [string[], object] => {
        const [script, env] = ['server', '.env'].map((name) => path.join(folder, 'current', name))
        return [['--env', env as string, script as string], { cwd: folder }]
      },
    ],
  ])('%s', async (how, given) => {
    for (const release of ['one', 'two']) {
      file(`${release}/server.js`, program(release))
      file(`${release}/.env`, `WORD=${release}`)
    }
    link('one')
    const [args, options] = given()
    await using command = reuseport(['run', '-n', '1', ...args, 'more'], options)
    await command.said(/1 worker on/)
    expect(await ask()).toMatchObject({ release: 'one', word: 'one' })
    link('two')
    rmSync(path.join(folder, 'one'), { recursive: true })
    command.child.kill('SIGHUP')
    await command.said(/generation 2 serves/)
    const isByPath = how === 'the path of the script'
    const cwd = isByPath ? folder : path.join(folder, 'two')
    // As by `node server more` there.
    const argv = [path.join(isByPath ? path.join(folder, 'current') : cwd, 'server'), 'more']
    expect(await ask()).toMatchObject({ release: 'two', word: 'two', cwd, argv })
  })
})

test.each([0, 1, 5, 20])('stopped %i ms after its start began: nothing keeps the process', (ms) => {
  const script = file('server.cjs', program('one'))
  const code = `
    const { Supervisor } = await import('${new URL('../../dist/supervisor.js', import.meta.url)}')
    const supervisor = new Supervisor({ script: '${script}', cwd: '${folder}', workers: 1, watch: true, metrics: 'localhost:0' })
    const started = supervisor.start().catch((error) => console.log(error.code))
    await new Promise((resolve) => setTimeout(resolve, ${ms}))
    await supervisor.stop()
    await started
    console.log(supervisor.state, supervisor.workers.length)`
  const env = { ...process.env, TMPDIR: folder }
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env,
    timeout: 30_000,
  })
  expect(ran).toMatchObject({ stdout: 'ERR_REUSEPORT_SUPERVISOR_STATE\nstopped 0\n', stderr: '', status: 0 })
  const left = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sock'))
  expect(left).toEqual([])
})

test('a script with a name that node takes for something else', async () => {
  file('inspect', program('inspect'))
  await using command = reuseport(['run', '-n', '1', 'inspect'], { cwd: folder })
  await command.said(/1 worker on/)
  expect((await ask()).argv).toEqual([path.join(folder, 'inspect')])
})

test.each([
  [
    ['--env', 'no.env', 'server.js'],
    () => 'There is no file no.env: --env takes a file of variables (NAME=value lines)',
  ],
  [
    ['--cwd', 'nowhere', 'server.js'],
    () => `There is no folder ${folder}/nowhere (--cwd): workers run there, and the script is looked for there`,
  ],
  [['--cwd', '.', 'none.js'], () => `There is no script none.js in ${folder}`],
])('what is missing is told in one line: %j', async (args, line) => {
  file('server.js', program('one'))
  await using command = reuseport(['run', '-n', '1', ...args], { cwd: folder })
  expect(await command.exited).toMatchObject({ code: 2, stderr: `reuseport: ${line()}\n` })
})

describe('options of Node', () => {
  test('what the supervisor has, and those for workers only', async () => {
    const args = ['--node-arg', '--max-http-header-size=9000', '--node-arg=--title=x']
    const script = file('server.js', program('one'))
    await using command = reuseport(['run', '-n', '1', ...args, script], { node: ['--no-deprecation'] })
    await command.said(/1 worker on/)
    const [first, second, third] = (await ask()).execArgv
    expect([first, second, third]).toEqual(['--no-deprecation', '--max-http-header-size=9000', '--title=x'])
  })

  test.each(['foo', 'server.js'])('--node-arg %s is none', async (option) => {
    await using command = reuseport(['run', '--node-arg', option, 'server.js'], { cwd: folder })
    const { code, stderr } = await command.exited
    expect(code).toBe(2)
    expect(stderr).toContain(`--node-arg takes an option of Node such as --max-old-space-size=512, not '${option}'`)
  })

  test.each([
    ['an option', (inspect: string) => ({ node: [inspect] })],
    ['NODE_OPTIONS', (inspect: string) => ({ env: { NODE_OPTIONS: inspect } })],
  ])('each worker has an inspector of its own, by %s', async (_how, by) => {
    // Not a port of the kernel's choice: the next one may be that of a client.
    const inspect = `--inspect=${await freePort()}`
    const script = file('server.js', program('one'))
    await using command = reuseport(['run', '-n', '1', script], by(inspect))
    await command.said(/1 worker on/)
    const { inspector } = await ask()
    await command.said(/Debugger listening on \S+/)
    const [, own] = /Debugger listening on ws:\/\/127.0.0.1:(\d+)/.exec(command.stderr()) ?? []
    expect(inspector).toContain(`ws://127.0.0.1:${Number(own) + 1}/`)
  })

  test('code of the command line is not handed on', () => {
    const script = file('server.cjs', program('one'))
    const code = `
      const { Supervisor } = await import('${new URL('../../dist/supervisor.js', import.meta.url)}')
      const supervisor = new Supervisor({ script: '${script}', workers: 1 })
      await supervisor.start()
      console.log('serves', supervisor.workers.length)
      await supervisor.stop()`
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', timeout: 30_000 })
    expect(ran).toMatchObject({ stdout: 'serves 1\n', stderr: '', status: 0 })
  })

  test('a supervisor whose workers would be supervisors says so and ends', () => {
    const url = new URL('../../dist/supervisor.js', import.meta.url)
    const script = file(
      'self.mjs',
      `import { fileURLToPath } from 'node:url'
      import { Supervisor } from '${url}'
      await new Supervisor({ script: fileURLToPath(import.meta.url), workers: 1 }).start()`,
    )
    const ran = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 30_000 })
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('each worker would be a supervisor again')
    expect(ran.stderr).toContain('worker 0 ended with exit code 1 before it was ready')
  })
})

describe('two copies of the package', () => {
  const runs = [[], ['--threads'], ['--one-socket']]

  test.each(runs)('the program imports the preload of its own: %j', async (...how) => {
    copy(path.join(folder, 'copy'))
    const script = file('server.mjs', `import './copy/dist/register.js'\n${modular(program('one'))}`)
    await serves(how, script, {})
  })

  test.each(runs)('NODE_OPTIONS has the preload of another: %j', async (...how) => {
    copy(path.join(folder, 'copy'))
    const env = { NODE_OPTIONS: `--import ${path.join(folder, 'copy/dist/register.js')}` }
    await serves(how, file('server.cjs', program('one')), env)
  })

  async function serves(how: readonly string[], script: string, env: NodeJS.ProcessEnv): Promise<void> {
    await using command = reuseport(['run', '-n', '2', ...how, script], { env })
    await command.said(/2 workers on/)
    expect(await ask()).toMatchObject({ release: 'one' })
    command.child.kill('SIGHUP')
    await command.said(/generation 2 serves/)
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.exited
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/lost|died|refused/)
  }
})

describe('the release that the supervisor was started from is deleted', () => {
  const release = (name: string, version?: string): void => {
    const to = path.join(folder, name, 'node_modules/reuseport')
    copy(to)
    file(`${name}/server.js`, program(name))
    if (version === undefined) return
    const manifest = JSON.parse(readFileSync(path.join(to, 'package.json'), 'utf8')) as object
    writeFileSync(path.join(to, 'package.json'), JSON.stringify({ ...manifest, version }))
  }
  const start = (...how: readonly string[]): Ran => {
    const cwd = folder
    const main = path.join(folder, 'one/node_modules/reuseport/dist/cli/main.js')
    return reuseport(['run', '-n', '1', ...how, 'current/server.js'], { cwd, env: { PWD: cwd }, main })
  }

  test.each([[], ['--threads']])('the next one has the same version: %j', async (...how) => {
    release('one')
    release('two')
    link('one')
    await using command = start(...how)
    await command.said(/1 worker on/)
    link('two')
    rmSync(path.join(folder, 'one'), { recursive: true })
    for (const generation of [2, 3]) {
      command.child.kill('SIGHUP')
      await command.said(new RegExp(`generation ${generation} serves`))
      expect(await ask()).toMatchObject({ release: 'two' })
    }
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.exited
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/lost|died|refused|Cannot find/)
  })

  test('the next one has another version: the reload says so, and the old worker goes on', async () => {
    release('one')
    release('two', '0.0.1')
    link('one')
    await using command = start()
    await command.said(/1 worker on/)
    link('two')
    rmSync(path.join(folder, 'one'), { recursive: true })
    command.child.kill('SIGHUP')
    await command.said(/reload failed.*the package that this supervisor was started from is gone.*--replace/)
    expect(await ask()).toMatchObject({ release: 'one' })
    command.child.kill('SIGTERM')
    expect(await command.exited).toMatchObject({ code: 0 })
  })
})

describe('the package in a folder with # % and ?', () => {
  test.each([[], ['--threads']])('%j', async (...how) => {
    const odd = path.join(folder, 'a#b %41 ?c')
    copy(odd)
    const script = file('a#b %41 ?c/server #1.cjs', program('one'))
    const main = path.join(odd, 'dist/cli/main.js')
    const node = ['--max-old-space-size=300', '--title', 'x']
    await using command = reuseport(['run', '-n', '1', ...how, script], { node, main })
    await command.said(/1 worker on/)
    expect((await ask()).argv).toEqual([script])
  })
})

test.each(['foreground', 'background'])(
  'stty tostop, in the %s: neither the supervisor nor a worker is stopped',
  async (how) => {
    const script = file('server.cjs', `console.log('worker ' + 'prints'); ${program('one')}`)
    const pattern = '(?s)worker prints.*2 workers on|2 workers on.*worker prints'
    const before = ['python3', path.join(root, 'test/fixtures/tostop.py'), how, pattern]
    await using command = reuseport(['run', '-n', '2', script], { before })
    const { code, stdout } = await command.exited
    expect(stdout).toMatch(/worker prints/)
    expect(stdout).toMatch(/2 workers on/)
    expect(code).toBe(0)
  },
)

function copy(to: string): void {
  for (const name of ['dist', 'build/Release/reuseport.node', 'package.json', 'node_modules/node-gyp-build']) {
    mkdirSync(path.dirname(path.join(to, name)), { recursive: true })
    cpSync(path.join(root, name), path.join(to, name), { recursive: true, dereference: true })
  }
}

function modular(text: string): string {
  return `import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\n${text}`
}
