// What a worker knows of itself: its slot and its generation, by environment variables.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Supervisor, type SupervisorOptions } from '../../dist/supervisor.js'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { snippetsIn } from '../support/snippets.js'
import { get } from '../support/supervisors.js'

let folder: string
let port: number

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-variables-'))
  port = await freePort()
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Known {
  readonly slot: string
  readonly generation: string
  readonly instance: string | null
  readonly other: string | null
  readonly child: string
  readonly pid: number
}

/** Each server tells its own variables, and those of a program that it has started. */
function program(): string {
  const file = path.join(folder, 'server.cjs')
  writeFileSync(
    file,
    `const { execFileSync } = require('node:child_process')
    const { REUSEPORT_SLOT: slot, REUSEPORT_GENERATION: generation, NODE_APP_INSTANCE: instance = null, OTHER: other = null } = process.env
    const child = execFileSync(process.execPath, ['-p', 'process.env.REUSEPORT_SLOT'], { encoding: 'utf8' }).trim()
    const known = JSON.stringify({ slot, generation, instance, other, child, pid: process.pid })
    require('node:http').createServer((q, r) => r.setHeader('connection', 'close').end(known)).listen(${port}, '127.0.0.1')`,
  )
  return file
}

/** What each worker tells, by slot. */
async function tell(workers: number): Promise<readonly Known[]> {
  const found = new Map<string, Known>()
  await expect
    .poll(
      async () => {
        const known = await get<Known>(port)
        return found.set(known.slot, known).size
      },
      { timeout: 20_000, interval: 1 },
    )
    .toBe(workers)
  return [...found.values()].sort((one, other) => Number(one.slot) - Number(other.slot))
}

function start(options: Partial<SupervisorOptions>): Supervisor & AsyncDisposable {
  return new Supervisor({ script: program(), workers: 2, execArgv: [], ...options })
}

describe.each([{ threads: false }, { threads: true }])('%j', (how) => {
  test('slots stay, generations grow; a file and the environment of the supervisor change nothing', async () => {
    writeFileSync(path.join(folder, '.env'), 'REUSEPORT_SLOT=7\nREUSEPORT_GENERATION=7\nNODE_APP_INSTANCE=7\nOTHER=x\n')
    const env = { ...process.env, REUSEPORT_SLOT: '8', NODE_APP_INSTANCE: '8' }
    await using supervisor = start({ ...how, env, envFile: path.join(folder, '.env') })
    await supervisor.start()
    const slots = ['0', '1']
    const rows = (generation: string): object[] =>
      slots.map((slot) => ({ slot, generation, instance: slot, child: slot, other: 'x' }))
    expect(await tell(2)).toMatchObject(rows('1'))
    await supervisor.reload()
    expect(await tell(2)).toMatchObject(rows('2'))
    // A slot that comes back has its number again, with the code of now.
    await supervisor.scale(1)
    await supervisor.scale(2)
    expect(await tell(2)).toMatchObject(rows('2'))
  })
})

test('one that follows a dead worker has its slot and the generation', async () => {
  await using supervisor = start({})
  await supervisor.start()
  await supervisor.reload()
  const second = (await tell(2))[1] as Known
  const ready = new Promise((resolve) => supervisor.once('worker:ready', resolve))
  process.kill(second.pid, 'SIGKILL')
  await ready
  const [, successor] = await tell(2)
  expect(successor).toMatchObject({ slot: '1', generation: '2' })
  expect(successor?.pid).not.toBe(second.pid)
})

test('--instance-var names the variable of pm2 differently, and the other one is left alone', async () => {
  const args = ['run', '-n', '1', '--instance-var', 'OTHER', program()]
  await using command = reuseport(args, { env: { NODE_APP_INSTANCE: 'mine' } })
  await command.said(/1 worker on/)
  expect(await get<Known>(port)).toMatchObject({ slot: '0', instance: 'mine', other: '0' })
})

test('the variables of the protocol cannot be taken', async () => {
  await using supervisor = start({ workers: 1, instanceVar: 'REUSEPORT_GENERATION' })
  await supervisor.start()
  expect(await get<Known>(port)).toMatchObject({ slot: '0', generation: '1', instance: null })
})

test.each(['', 'A=B', '1', 'a b'])('%j is no name of a variable', (instanceVar) => {
  expect(() => new Supervisor({ script: 'x.js', instanceVar })).toThrow(
    `The option 'instanceVar' must be the name of an environment variable, not '${instanceVar}'`,
  )
})

test('a supervisor in a worker knows its own workers, and warns of nothing', async () => {
  writeFileSync(
    path.join(folder, 'outer.mjs'),
    `import { Supervisor } from '${new URL('../../dist/supervisor.js', import.meta.url)}'
    const inner = new Supervisor({ script: ${JSON.stringify(program())}, workers: 1 })
    inner.on('warning', (text) => console.log('warned:', text))
    await inner.start()
    process.once('SIGTERM', () => inner.stop().then(() => process.exit()))
    process.send('ready')`,
  )
  await using outer = new Supervisor({ script: path.join(folder, 'outer.mjs'), workers: 1, output: 'pipe' })
  let said = ''
  outer.on('worker:output', (_worker, _stream, text) => {
    said += text
  })
  await outer.start()
  await outer.reload()
  expect((await get<Known>(port)).generation).toBe('1')
  expect(said).toBe('')
})

describe('a job of one worker only, as the guide has it', () => {
  test('each run has one worker, over reloads', async () => {
    const snippet = snippetsIn('js').find(({ code }) => code.includes('function claim('))
    // On a busy machine a timer of 100 ms may be late by more than nine runs.
    const code = (snippet?.code ?? '').replace('8080', `${port}`).replace('3_600_000', '100').replace('9 *', '9999 *')
    expect(code).toContain("console.log('the job runs')")
    writeFileSync(path.join(folder, 'server.mjs'), code.replace("'the job runs'", "'due', due"))
    await using command = reuseport(['run', '-n', '2', 'server.mjs'], { cwd: folder })
    const runs = (): string[] => command.stdout().match(/due \d+(?=\n)/g) ?? []
    await command.said(/2 workers on/)
    for (const generation of [2, 3]) {
      const before = runs().length
      await expect.poll(() => runs().length, { timeout: 20_000 }).toBeGreaterThan(before + 2)
      command.child.kill('SIGHUP')
      await command.said(new RegExp(`generation ${generation} serves`))
    }
    expect(runs().length).toBe(new Set(runs()).size)
  })
})
