// What Node's tests of cluster expect of listening, in workers of a supervisor and in a cluster inside of them.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SupervisorOptions } from '../../dist/supervisor.js'
import { reuseport } from '../support/command.js'
import { start } from '../support/processes.js'
import { type Supervised, supervise } from '../support/supervisors.js'

const script = fileURLToPath(new URL('../fixtures/as-in-cluster.cjs', import.meta.url))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-as-in-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function program(way: string, more = path.join(folder, 'app'), options: Partial<SupervisorOptions> = {}): Supervised {
  return supervise({}, { script, args: [way, more], env: { ...process.env }, readyTimeout: 5000, ...options })
}

/** What so many workers have said. */
async function said(one: Supervised, count = 2): Promise<readonly unknown[]> {
  const all = (): readonly unknown[] => one.told.flatMap((told) => (told[0] === 'worker:message' ? [told[2]] : []))
  await vi.waitFor(() => expect(all()).toHaveLength(count), 20_000)
  return all()
}

/** What cluster itself says, of two workers without a supervisor. */
async function ofCluster(way: string, more: string): Promise<readonly unknown[]> {
  await using one = start('as-in-cluster.cjs', [`cluster: ${way}`, more])
  const all = [await one.message(), await one.message()]
  one.child.kill('SIGKILL')
  return all
}

describe.each([
  ['a worker', '', {}],
  ['one socket for all', '', { oneSocket: true }],
  ['a cluster in a worker', 'cluster: ', { workers: 1 }],
] as const)('%s', (_kind, prefix, options) => {
  const run = (way: string, more?: string): Supervised => program(prefix + way, more, options)

  test('each call with port 0 has a port of its own, which is the same in all workers', async () => {
    await using one = run('port 0, twice')
    await one.supervisor.start()
    const [first, second] = (await said(one)) as readonly { readonly ports: readonly number[] }[]
    expect(first).toEqual(second)
    expect(new Set(first?.ports).size).toBe(3)
    expect(first?.ports).not.toContain(0)
  })

  test('a server that was closed listens on port 0 once more', async () => {
    await using one = run('port 0, closed and once more')
    await one.supervisor.start()
    for (const { ports } of (await said(one)) as readonly { readonly ports: readonly number[] }[]) {
      expect(ports).toHaveLength(2)
      expect(ports).not.toContain(0)
    }
  })

  test('a server that listens refuses to listen once more', async () => {
    await using one = run('listen twice')
    await one.supervisor.start()
    expect((await said(one))[0]).toEqual((await ofCluster('listen twice', path.join(folder, 'core')))[0])
  })

  test('a server is closed, after unref and ref', async () => {
    await using one = run('unref and ref')
    await one.supervisor.start()
    expect(await said(one)).toEqual([{ closed: true }, { closed: true }])
  })

  test('a port of another program is in use', async () => {
    const stranger = net.createServer().listen(0)
    await once(stranger, 'listening')
    try {
      const { port } = stranger.address() as net.AddressInfo
      await using one = program(`${prefix}a port in use`, String(port), options)
      const started = one.supervisor.start()
      started.catch(() => {})
      const [mine] = await said(one)
      // Cluster calls the system call 'bind'; `listen` without it does not.
      expect(mine).toEqual({ code: 'EADDRINUSE', at: port, syscall: 'listen' })
    } finally {
      stranger.close()
    }
  })
})

test('paths of clusters in workers are shared', async () => {
  const file = path.join(folder, 'app')
  await using one = program('cluster: a path', file)
  await one.supervisor.start()
  await said(one, 4)
  expect(one.supervisor.status().workers.map(({ paths }) => paths)).toEqual([[file], [file]])
  expect(one.told.filter(([name]) => name === 'warning')).toEqual([])
  await one.supervisor.stop()
  expect(readdirSync(folder)).toEqual([])
})

test('a relative path of a folder that the program went to, whose absolute path is too long', async () => {
  const [deep, name] = ['d'.repeat(25), 'a'.repeat(75)]
  mkdirSync(path.join(folder, deep))
  symlinkSync(deep, path.join(folder, 'l'))
  await using command = reuseport(['run', '-n', '2', script, 'a relative path from its own folder', deep], {
    cwd: folder,
  })
  await command.said(/2 workers on/)
  const client = net.connect(path.join(folder, 'l', name))
  const [pid] = await once(client, 'data')
  expect(command.stderr()).toContain(String(pid))
  command.child.kill('SIGTERM')
  await command.exited
  expect(readdirSync(path.join(folder, deep))).toEqual([])
})
