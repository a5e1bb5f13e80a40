// Unix paths that the workers of one supervisor share.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SupervisorOptions } from '../../dist/supervisor.js'
import { type Supervised, supervise } from '../support/supervisors.js'

const script = fileURLToPath(new URL('../fixtures/path.cjs', import.meta.url))
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-paths-'))
  file = path.join(folder, 'app.sock')
})

afterEach(() => rmSync(folder, { recursive: true }))

function start(setting: object, options: Partial<SupervisorOptions> = {}): Supervised {
  return supervise({}, { script, args: [JSON.stringify(setting)], env: { ...process.env }, ...options })
}

interface Answer {
  readonly pid: number
  readonly address: string
}

function get(socketPath = file): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => {
        text += data
      })
      response.on('end', () => {
        const [pid, ...address] = text.split(' ')
        resolve({ pid: Number(pid), address: JSON.parse(address.join(' ')) as string })
      })
    })
    request.on('error', reject)
  })
}

/** Resolves when so many processes have answered. */
async function answeredBy(count: number, socketPath = file): Promise<Set<number>> {
  const seen = new Set<number>()
  await vi.waitFor(async () => {
    for (const { pid } of await Promise.all(Array.from({ length: 8 }, () => get(socketPath)))) seen.add(pid)
    expect(seen.size).toBeGreaterThanOrEqual(count)
  }, 20_000)
  return seen
}

const messagesOf = ({ told }: Supervised): unknown[] =>
  told.flatMap((one) => (one[0] === 'worker:message' ? [one[2]] : []))

test.each([
  ['an absolute path', (name: string) => name, false],
  ['a path in the options', (name: string) => name, true],
  ['a relative path', (name: string) => path.basename(name), false],
  ['an abstract path', (name: string) => `\0${name}`, false],
])('all workers accept at %s', async (_what, toPath, isOption) => {
  const given = toPath(file)
  await using one = start({ path: given, first: !isOption }, { cwd: folder })
  await one.supervisor.start()
  const isAbstract = given.startsWith('\0')
  expect((await get(isAbstract ? given : file)).address).toBe(given)
  await answeredBy(2, isAbstract ? given : file)
  expect(one.supervisor.status().workers.map(({ paths }) => paths)).toEqual(
    Array.from({ length: 2 }, () => [isAbstract ? given : file]),
  )
  expect(existsSync(file)).toBe(!isAbstract)
  await one.supervisor.stop()
  expect(readdirSync(folder)).toEqual([])
})

test('a reload under load fails no request, and keeps the file', async () => {
  await using one = start({ path: file })
  await one.supervisor.start()
  const before = lstatSync(file)
  let on = true
  const load = Array.from({ length: 4 }, async () => {
    const pids = new Set<number>()
    while (on) pids.add((await get()).pid)
    return pids
  })
  await one.supervisor.reload()
  on = false
  const seen = new Set((await Promise.all(load)).flatMap((pids) => [...pids]))
  expect(seen.size).toBeGreaterThan(2)
  expect(lstatSync(file).ino).toBe(before.ino)
})

test('a killed worker leaves the path, and its successor accepts there', async () => {
  await using one = start({ path: file }, { workers: 1 })
  await one.supervisor.start()
  const before = lstatSync(file)
  const { pid } = await get()
  process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => expect(one.told.some(([name]) => name === 'worker:exit')).toBe(true))
  // Waits in the queue that the supervisor keeps.
  expect((await get()).pid).not.toBe(pid)
  expect(lstatSync(file).ino).toBe(before.ino)
})

test('threads share a path, too', async () => {
  await using one = start({ path: file }, { threads: true })
  await one.supervisor.start()
  await get()
  await one.supervisor.reload()
  expect((await get()).address).toBe(file)
  await one.supervisor.stop()
  expect(readdirSync(folder)).toEqual([])
})

test('beside balanced connections, and one socket for all ports', async () => {
  for (const options of [{ balance: 'connections' }, { oneSocket: true }] as const) {
    await using one = start({ path: file }, options)
    await one.supervisor.start()
    await answeredBy(2)
    await one.supervisor.reload()
    await answeredBy(2)
    await one.supervisor.stop()
  }
})

test('a program that removes the file before it listens shares it all the same', async () => {
  await using one = start({ path: file, unlinks: true }, { workers: 3 })
  await one.supervisor.start()
  await answeredBy(3)
  const { pid } = await get()
  process.kill(pid, 'SIGTERM')
  // It removes the file at its end.
  await vi.waitFor(() => expect(one.told.some(([name]) => name === 'worker:exit')).toBe(true), 20_000)
  await answeredBy(3)
})

test('the mode of the file is as Node has it', async () => {
  const mask = process.umask(0o077)
  try {
    await using one = start({ path: file, readableAll: true, writableAll: true })
    await one.supervisor.start()
    expect(lstatSync(file).mode & 0o777).toBe(0o766)
  } finally {
    process.umask(mask)
  }
})

test('the file goes when the last server closes', async () => {
  await using one = start({ path: file, closes: true }, { workers: 1 })
  await one.supervisor.start()
  process.kill((await get()).pid, 'SIGUSR2')
  await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]))
})

test('a server that closes listens there anew', async () => {
  await using one = start({ path: file, closes: true, reopens: true }, { workers: 1 })
  await one.supervisor.start()
  const before = lstatSync(file)
  const { pid } = await get()
  process.kill(pid, 'SIGUSR2')
  await vi.waitFor(() => expect(lstatSync(file, { throwIfNoEntry: false })?.ctimeMs).toBeGreaterThan(before.ctimeMs))
  await vi.waitFor(async () => expect((await get()).pid).toBe(pid))
  expect(one.told.filter(([name]) => name === 'worker:path')).toHaveLength(2)
})

test('a file that replaced that of the supervisor stays', async () => {
  await using one = start({ path: file })
  await one.supervisor.start()
  unlinkSync(file)
  writeFileSync(file, 'of somebody else')
  await one.supervisor.stop()
  expect(readdirSync(folder)).toEqual(['app.sock'])
})

/** Leaves a socket file whose process was killed. */
async function staleFile(): Promise<void> {
  const code = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => console.log('listens'))`
  const child = spawn(process.execPath, ['-e', code])
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(lstatSync(file).isSocket()).toBe(true)
}

test('a stale file of this user does not keep workers from starting', async () => {
  await staleFile()
  await using one = start({ path: file })
  await one.supervisor.start()
  await answeredBy(2)
})

const refused = async (name = file): Promise<unknown> => {
  await using one = start({ path: name }, { workers: 1, readyTimeout: 1500 })
  await expect(one.supervisor.start()).rejects.toMatchObject({ code: 'ERR_REUSEPORT_WORKER_FAILED' })
  return messagesOf(one)[0]
}

test.runIf(process.getuid?.() === 0)('a stale file of another user stays', async () => {
  await staleFile()
  chownSync(file, 65_534, 65_534)
  expect(await refused()).toMatchObject({ code: 'EADDRINUSE', hint: expect.stringContaining('uid 65534') })
  expect(existsSync(file)).toBe(true)
})

test('a path that another program listens on is in use', async () => {
  const stranger = net.createServer().listen(file)
  await once(stranger, 'listening')
  try {
    expect(await refused()).toEqual({
      code: 'EADDRINUSE',
      message: `listen EADDRINUSE: address already in use ${file}`,
      hint: expect.stringContaining('another process has bound the path'),
      address: file,
      port: -1,
    })
    expect(lstatSync(file).isSocket()).toBe(true)
    expect(readdirSync(folder)).toEqual(['app.sock'])
  } finally {
    stranger.close()
  }
})

test('a regular file stays', async () => {
  writeFileSync(file, 'mine')
  expect(await refused()).toMatchObject({ code: 'EADDRINUSE', hint: expect.stringContaining('not a socket') })
  expect(readdirSync(folder)).toEqual(['app.sock'])
})

test('a path that is too long, and a folder that is missing, are errors', async () => {
  expect(await refused(path.join(folder, 'x'.repeat(120)))).toMatchObject({
    code: 'EINVAL',
    hint: expect.stringContaining('107'),
  })
  // libuv says so.
  expect(await refused(path.join(folder, 'missing', 'app.sock'))).toMatchObject({ code: 'EACCES' })
  expect(readdirSync(folder)).toEqual([])
})

test('a program opts out', async () => {
  for (const [setting, variables] of [
    [{ exclusive: true }, {}],
    [{}, { REUSEPORT_PORTS: '8080' }],
    [{}, { REUSEPORT_PORTS: `!${file}` }],
  ] as const) {
    await using one = start({ path: file, ...setting }, { readyTimeout: 1500, env: { ...process.env, ...variables } })
    await expect(one.supervisor.start()).rejects.toMatchObject({ code: 'ERR_REUSEPORT_WORKER_FAILED' })
    expect(messagesOf(one)).toContainEqual(expect.objectContaining({ code: 'EADDRINUSE' }))
    await one.supervisor.stop()
    rmSync(file, { force: true })
  }
})
