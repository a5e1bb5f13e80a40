// Long connections on workers that are real, by the option `balance`.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import process from 'node:process'
import type { Duplex } from 'node:stream'
import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Supervisor, SupervisorOptionError, type SupervisorOptions } from '../../dist/supervisor.js'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js'

const script = fileURLToPath(new URL('../fixtures/balanced.cjs', import.meta.url))

type Kind = 'net' | 'tls' | 'http'

class Clients {
  readonly supervisor: Supervisor
  readonly warnings: string[] = []
  readonly #kind: Kind
  readonly #open = new Map<Duplex, string>()
  #port = 0

  constructor(kind: Kind, options: Partial<SupervisorOptions> = {}) {
    this.#kind = kind
    const setting = { how: kind, key: PRIVATE_KEY, cert: CERTIFICATE }
    this.supervisor = new Supervisor({
      script,
      args: [JSON.stringify(setting)],
      workers: 4,
      execArgv: [],
      balance: 'connections',
      ...options,
    })
    this.supervisor.on('worker:listening', (_worker, { port }) => {
      this.#port = port
    })
    this.supervisor.on('warning', (warning) => this.warnings.push(warning))
    onTestFinished(async () => {
      this.destroy()
      this.supervisor.kill()
      await this.supervisor.stop()
    })
  }

  /** One after the other, as far as each has been told who serves it. @returns the last one. */
  async connect(clients: number): Promise<Duplex> {
    for (let client = 1; client < clients; client++) await this.#connect()
    return this.#connect()
  }

  /** All at once. */
  async connectTogether(clients: number): Promise<void> {
    await Promise.all(Array.from({ length: clients }, () => this.#connect()))
  }

  async #connect(): Promise<Duplex> {
    const client = await this.#reach()
    this.#open.set(client, '')
    client.on('error', () => {}).once('close', () => this.#open.delete(client))
    const [pid] = await once(client, 'data')
    this.#open.set(client, String(pid).trim())
    return client
  }

  async #reach(): Promise<Duplex> {
    const where = { port: this.#port, host: '127.0.0.1' }
    if (this.#kind === 'net') return net.connect(where)
    if (this.#kind === 'tls') return tls.connect({ ...where, rejectUnauthorized: false })
    const [response] = await once(http.get({ ...where, agent: false }), 'response')
    return response as Duplex
  }

  get size(): number {
    return this.#open.size
  }

  /** Open connections of each worker that is ready. */
  counts(): readonly number[] {
    const ready = this.supervisor.workers.filter(({ state }) => state === 'ready')
    const pids = [...this.#open.values()]
    return ready.map(({ pid }) => pids.filter((one) => one === String(pid)).length)
  }

  expectEven(): void {
    const counts = this.counts()
    const fewest = Math.min(...counts)
    expect(Math.max(...counts) - fewest, counts.join()).toBeLessThanOrEqual(Math.max(2, fewest * 0.1))
  }

  passedOn(): number {
    return this.supervisor.status().workers.reduce((sum, { passedOn = 0 }) => sum + passedOn, 0)
  }

  destroy(): void {
    for (const client of this.#open.keys()) client.destroy()
  }
}

/** The sockets of this process that are connections of the port. */
function connectionsHeld(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set(
    readFileSync('/proc/self/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state !== '0A')
      .map((fields) => `socket:[${fields[9]}]`),
  )
  return readdirSync('/proc/self/fd').filter((fd) => inodes.has(target(fd))).length
}

function target(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // Closed since it was listed.
    return ''
  }
}

describe.each(['net', 'tls', 'http'] as const)('%s', (kind) => {
  test('32 long connections are even: at first, after a reload, a death, and with more workers', async () => {
    const clients = new Clients(kind, { drainTimeout: 300 })
    const { supervisor } = clients
    let port = 0
    supervisor.on('worker:listening', (_worker, where) => {
      port = where.port
    })
    await supervisor.start()
    await clients.connect(32)
    clients.expectEven()
    expect(clients.passedOn()).toBeGreaterThan(0)

    await supervisor.reload()
    await vi.waitFor(() => expect(clients.size).toBe(0), 5000)
    await clients.connect(32)
    clients.expectEven()

    const ready = once(supervisor, 'worker:ready')
    process.kill(supervisor.workers[0]?.pid ?? 0, 'SIGKILL')
    await ready
    await vi.waitFor(() => expect(clients.size).toBeLessThan(32))
    await clients.connect(32 - clients.size)
    clients.expectEven()

    await supervisor.scale(8)
    await clients.connect(32)
    expect(clients.size).toBe(64)
    clients.expectEven()

    await vi.waitFor(() => expect(connectionsHeld(port)).toBe(0))
    expect(clients.warnings).toEqual([])
  }, 60_000)
})

test('a connection that was passed on says what its client sent before', async () => {
  const clients = new Clients('net', { workers: 2 })
  await clients.supervisor.start()
  for (let times = 0; times < 20; times++) {
    const client = await clients.connect(1)
    client.write('hello')
    expect(String(await once(client, 'data'))).toBe('hello')
  }
  expect(clients.counts()).toSatisfy(([one = 0, other = 0]: number[]) => Math.abs(one - other) <= 2)
})

test('a worker dies while connections are on their way to it: none is lost', async () => {
  const clients = new Clients('net')
  const { supervisor } = clients
  await supervisor.start()
  await clients.connect(40)
  const [victim] = supervisor.workers
  // The kernel goes on giving it connections, whose queue its successor takes over: only passed ones are looked at.
  process.kill(victim?.pid ?? 0, 'SIGKILL')
  await clients.connectTogether(40)
  const ready = supervisor.workers.filter(({ state }) => state === 'ready').map(({ pid }) => pid)
  process.kill(ready[0] ?? 0, 'SIGSTOP')
  const together = clients.connectTogether(30)
  // It stands still with a connection in its channel.
  await new Promise((resolve) => setTimeout(resolve, 300))
  process.kill(ready[0] ?? 0, 'SIGKILL')
  await together
  expect(clients.warnings).toEqual([])
}, 60_000)

test('the supervisor dies while connections are on their way: each is served once', async () => {
  const file = fileURLToPath(new URL('../fixtures/balanced-supervisor.mjs', import.meta.url))
  const supervisor = fork(file, [script, JSON.stringify({ how: 'net' })], { execArgv: [] })
  const [{ port, pids }] = (await once(supervisor, 'message')) as [{ port: number; pids: number[] }]
  const clients: net.Socket[] = []
  onTestFinished(() => {
    for (const client of clients) client.destroy()
    supervisor.kill('SIGKILL')
    // They outlive it.
    for (const pid of pids) process.kill(pid, 'SIGKILL')
  })
  const answers = Array.from({ length: 60 }, async (_, index) => {
    const client = net.connect(port, '127.0.0.1')
    clients.push(client)
    client.write('hello')
    if (index === 30) supervisor.kill('SIGKILL')
    let said = ''
    for await (const text of client.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += text
      if (said.endsWith('hello')) break
    }
    return said
  })
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^\d+\nhello$/)
}, 30_000)

test('where the numbers are even nothing is passed on', async () => {
  const clients = new Clients('net', { workers: 1 })
  await clients.supervisor.start()
  await clients.connect(20)
  expect(clients.passedOn()).toBe(0)
})

test('without the option there is no number in the status', async () => {
  const clients = new Clients('net', { workers: 2, balance: undefined })
  await clients.supervisor.start()
  await clients.connect(8)
  expect(clients.supervisor.status().workers.map((worker) => 'passedOn' in worker)).toEqual([false, false])
})

test.each([
  [{ threads: true }, "The option 'balance' must be undefined where 'threads' is true, not 'connections'"],
  [{ steering: 'cpu' }, "The option 'balance' must be undefined where 'steering' is 'cpu', not 'connections'"],
] as const)('not with %j', (options, message) => {
  const create = (): unknown => new Supervisor({ script, balance: 'connections', ...options })
  expect(create).toThrow(SupervisorOptionError)
  expect(create).toThrow(message)
})
