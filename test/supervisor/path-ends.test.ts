// The end of a shared unix path, and of its supervisor: what waits there, and what is left behind.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { emptyPath } from '../../src/supervised/emptied-path.js'
import { type Ran, reuseport } from '../support/command.js'
import { supervise } from '../support/supervisors.js'

const script = fileURLToPath(new URL('../fixtures/path.cjs', import.meta.url))
let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-ends-'))
  file = path.join(folder, 'app.sock')
})

afterEach(() => rmSync(folder, { recursive: true }))

const run = (setting: object = {}, env: NodeJS.ProcessEnv = {}): Ran =>
  reuseport(['run', '-n', '2', '--json', script, JSON.stringify({ path: file, ...setting })], { env })

/** The pid of the worker that answers. */
async function get(socketPath = file): Promise<number> {
  const [response] = (await once(http.get({ socketPath, agent: false }), 'response')) as [http.IncomingMessage]
  const [text] = (await once(response, 'data')) as [Buffer]
  return Number.parseInt(String(text), 10)
}

test('connections that came while the event loop was blocked are accepted before the queue counts as empty', async () => {
  const server = net.createServer((socket) => socket.destroy()).listen(file)
  await once(server, 'listening')
  let accepted = 0
  server.on('connection', () => accepted++)
  const isEmpty = emptyPath(server, { grace: 1, drainTimeout: 10_000 })
  const client = `const s = Array.from({ length: 5 }, () => require('node:net').connect(${JSON.stringify(file)}))
    Promise.all(s.map((one) => new Promise((done) => one.once('connect', done)))).then(() => process.exit())`
  execFileSync(process.execPath, ['-e', client])
  expect(accepted).toBe(0)
  expect(await isEmpty).toBe(true)
  expect(accepted).toBe(5)
  server.close()
})

test('a queue that never empties is not called empty', async () => {
  const server = net.createServer().listen(file)
  await once(server, 'listening')
  let isOver = false
  const come = (): void => {
    if (isOver) return
    server.emit('drop')
    setImmediate(come)
  }
  come()
  expect(await emptyPath(server, { grace: 1, drainTimeout: 50 })).toBe(false)
  isOver = true
  server.close()
})

test('connections that wait when the last worker leaves are answered', async () => {
  const goOn = path.join(folder, 'go-on')
  const setting = { path: file, blocks: goOn }
  await using one = supervise({}, { script, args: [JSON.stringify(setting)], env: process.env, workers: 1, grace: 1 })
  await one.supervisor.start()
  const pid = await get()
  process.kill(pid, 'SIGUSR2')
  await vi.waitFor(() => expect(one.told.map(([name]) => name)).toContain('worker:message'))
  const clients = Array.from({ length: 20 }, () => net.connect(file))
  await Promise.all(clients.map((client) => once(client, 'connect')))
  const answers = clients.map(async (client) => {
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const [text] = await once(client, 'data')
    return String(text)
  })
  const stopped = one.supervisor.stop()
  await vi.waitFor(() => expect(existsSync(file)).toBe(false))
  writeFileSync(goOn, '')
  for (const text of await Promise.all(answers)) expect(text).toMatch(/^HTTP\/1.1 200 OK/)
  await stopped
  const [, , report] = one.told.find(([name]) => name === 'worker:drained') ?? []
  expect(report).toEqual({ lossless: true, reason: undefined })
})

test('SIGTERM to the command removes the file', async () => {
  await using command = run()
  await command.said(/"event":"running"/)
  expect(command.stderr()).toContain(`"event":"worker:path"`)
  expect(lstatSync(file).isSocket()).toBe(true)
  command.child.kill('SIGTERM')
  expect(await command.exited).toMatchObject({ code: 0 })
  expect(readdirSync(folder)).toEqual([])
})

const pidsOf = (command: Ran): readonly number[] =>
  [...command.stderr().matchAll(/"event":"worker:ready","worker":\{"slot":\d,"pid":(\d+)/g)].map(([, pid]) =>
    Number(pid),
  )

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/exe`)

test('the supervisor that follows a killed one takes the place of its file', async () => {
  await using first = run()
  await first.said(/"event":"running"/)
  const pids = pidsOf(first)
  expect(pids).toHaveLength(2)
  first.child.kill('SIGKILL')
  await first.exited
  // They outlive it, and answer.
  expect(pids).toContain(await get())
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]))
  expect(lstatSync(file).isSocket()).toBe(true)
  await using second = run()
  await second.said(/"event":"running"/)
  expect(pidsOf(second)).toContain(await get())
  second.child.kill('SIGTERM')
  await second.exited
  expect(readdirSync(folder)).toEqual([])
})

test('of two supervisors that find a stale file one gets the path', async () => {
  const code = `require('node:net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`
  for (let round = 0; round < 3; round++) {
    expect(() => execFileSync(process.execPath, ['-e', code])).toThrow()
    expect(lstatSync(file).isSocket()).toBe(true)
    const commands = [run({ exits: true }), run({ exits: true })]
    try {
      const ended = await Promise.race(commands.map(async (command, index) => ({ index, exit: await command.exited })))
      expect(ended.exit.code).toBe(1)
      const other = commands[1 - ended.index] as Ran
      await other.said(/"event":"running"/)
      expect(pidsOf(other)).toContain(await get())
    } finally {
      for (const command of commands) await command[Symbol.asyncDispose]()
    }
    expect(readdirSync(folder)).toEqual([])
  }
})

test('REUSEPORT_PORTS names an abstract path', async () => {
  const name = file.replaceAll('/', '.')
  await using shared = run({ path: `\0${name}` }, { REUSEPORT_PORTS: `@${name}` })
  await shared.said(/"event":"running"/)
  expect(pidsOf(shared)).toContain(await get(`\0${name}`))
  shared.child.kill('SIGTERM')
  await shared.exited
  await using left = run({ path: `\0${name}`, exits: true }, { REUSEPORT_PORTS: `!@${name}` })
  expect(await left.exited).toMatchObject({ code: 1 })
})
