// The commands that act on supervisors, with processes.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort } from '../support/listeners.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

let folder: string
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-commands-'))
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    child.kill('SIGCONT')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
})

const env = () => ({ ...process.env, TMPDIR: folder, NO_COLOR: '1' })

interface Run {
  readonly child: ChildProcess
  readonly pid: number
  readonly file: string
  stderr: string
}

/** `reuseport run` of a server in a folder of its own. Ready where `isReady`. */
async function start(name: string, program: string, options: readonly string[] = [], isReady = true): Promise<Run> {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, program)
  const child = spawn(process.execPath, [main, 'run', '-n', '2', ...options, file], { env: env() })
  children.push(child)
  const run = { child, pid: child.pid ?? 0, file, stderr: '' }
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    run.stderr += String(text)
  })
  child.stdout?.resume()
  if (isReady) await vi.waitUntil(() => / 2 workers on /.test(run.stderr), { timeout: 30_000 })
  return run
}

const serverOn = (port: number): string =>
  `require('node:http').createServer((_request, response) => response.end('ok')).listen(${port}, '127.0.0.1')`

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function reuseport(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: env() }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

test('status, scale, reload and stop, by name, port and pid', { timeout: 60_000 }, async () => {
  const port = await freePort()
  const pidFile = path.join(folder, 'a.pid')
  const run = await start('shop/server.js', serverOn(port), ['--pid-file', pidFile])
  expect(readFileSync(pidFile, 'utf8')).toBe(`${run.pid}\n`)

  expect(await reuseport('scale', '+1', 'server')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^3 workers serve, after \d+\.\d s\.\n$/),
  })
  const scaled = await reuseport('scale', '-1', String(port), '--json')
  expect(JSON.parse(scaled.stdout)).toEqual({ command: 'scale', duration: expect.any(Number), workers: 2 })
  const reloaded = await reuseport('reload', 'shop/server.js')
  expect(reloaded).toMatchObject({ code: 0, stdout: /^The new workers serve, after \d+\.\d s\.\n$/, stderr: '' })

  const { supervisors } = JSON.parse((await reuseport('status', `:${port}`, '--json')).stdout)
  expect(supervisors).toMatchObject([{ pid: run.pid, generation: 2, places: [{ protocol: 'tcp', port }] }])
  for (const worker of supervisors[0].workers) {
    expect(worker).toMatchObject({ state: 'ready', open: 0, delay: expect.any(Number), cpuPercent: expect.any(Number) })
  }
  const shown = await reuseport('status')
  expect(shown).toMatchObject({ code: 0, stderr: '' })
  expect(shown.stdout.startsWith(`${run.file}  127.0.0.1:${port}\n  supervisor ${run.pid}  running, up `)).toBe(true)

  const stopped = await reuseport('stop', String(run.pid), '--json')
  expect(stopped).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(stopped.stdout)).toMatchObject({ command: 'stop', pid: run.pid, hasEnded: true })
  // The process has ended when the command has.
  await vi.waitUntil(() => run.child.exitCode !== null)
  expect(run.child.exitCode).toBe(0)
  expect(existsSync(pidFile)).toBe(false)
  expect(await reuseport('status', String(run.pid))).toMatchObject({ code: 1 })
  expect(await reuseport('stop')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/this user has no such supervisor/),
  })
})

test('of several supervisors one has to be named', { timeout: 60_000 }, async () => {
  const port = await freePort()
  const [one, two] = await Promise.all([
    start('one/server.js', serverOn(port)),
    start('two/server.js', serverOn(await freePort())),
  ])
  for (const words of [['stop'], ['reload', 'server.js'], ['scale', '3', 'server']]) {
    const { code, stdout, stderr } = await reuseport(...words)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    expect(lines.some((line) => line.includes(` ${one.pid} `) && line.endsWith(`127.0.0.1:${port}  ${one.file}`))).toBe(
      true,
    )
    expect(lines.some((line) => line.includes(` ${two.pid} `))).toBe(true)
  }
  expect(await reuseport('stop', 'two/server')).toMatchObject({ code: 0 })
  expect(await reuseport('reload', 'server')).toMatchObject({ code: 0 })
  expect(await reuseport('reload', 'other.js')).toMatchObject({ code: 1 })
})

test('stop while workers start is no failure; one that takes too long is', { timeout: 60_000 }, async () => {
  const starting = await start('a.js', 'setInterval(() => {}, 1000)', [], false)
  const isThere = async (): Promise<boolean> => (await reuseport('status', 'a.js')).code === 0
  await vi.waitUntil(isThere, { timeout: 30_000 })
  expect(await reuseport('stop', 'a.js')).toMatchObject({ code: 0 })
  await vi.waitUntil(() => starting.child.exitCode !== null)
  expect(starting).toMatchObject({ child: { exitCode: 0 } })
  expect(starting.stderr).not.toContain('was stopped while')

  const port = await freePort()
  const slow = await start('slow.js', serverOn(port))
  const client = net.connect(port, '127.0.0.1').on('error', () => {})
  await once(client, 'connect')
  client.write('GET / HTTP/1.1\r\n')
  const late = await reuseport('stop', 'slow.js', '--timeout', '0.5')
  expect(late).toMatchObject({
    code: 1,
    stderr: `reuseport: stop failed: process ${slow.pid} has not ended after 0.5 s\n`,
  })
  client.destroy()
  await vi.waitUntil(() => slow.child.exitCode !== null, { timeout: 30_000 })
})

test('ls --check', { timeout: 60_000 }, async () => {
  const [port, other] = [await freePort(), await freePort()]
  const run = await start('server.js', serverOn(port))
  expect(await reuseport('ls', '--check', String(port))).toEqual({ code: 0, stdout: '', stderr: '' })
  const nobody = `nobody listens on port ${other}\n`
  expect(await reuseport('ls', '--check', String(port), String(other))).toEqual({ code: 1, stdout: nobody, stderr: '' })
  const { supervisors } = JSON.parse((await reuseport('status', '--json')).stdout)
  const [{ pid, slot }] = supervisors[0].workers
  process.kill(pid, 'SIGSTOP')
  try {
    const { code, stdout } = await reuseport('ls', '--check', '--json', String(port))
    const text = `worker ${slot} (${pid}) of supervisor ${run.pid} has not answered for 3 s`
    expect({ code, told: JSON.parse(stdout) }).toEqual({
      code: 1,
      told: { ok: false, problems: [{ problem: 'worker-hangs', text, pid }] },
    })
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  expect(await reuseport('ls', '--check', '--watch')).toMatchObject({ code: 2 })
})
