// Real primaries with fork and with cluster: who accepts from whose queue, and what becomes of the sockets.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import type { DrainReport } from '../../src/index.js'
import type { QueueKeeperStatus } from '../../src/queues.js'
import { ask } from '../support/clients.js'
import { freePort } from '../support/listeners.js'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const CLIENTS = 24

interface Primary extends AsyncDisposable {
  readonly port: number
  order<T>(order: 'start' | 'status' | 'close' | 'sockets' | 'tell', ...args: unknown[]): Promise<T>
  status(): Promise<QueueKeeperStatus>
  /** Starts a worker. @returns its pid when it listens. */
  start(): Promise<number>
  tell(pid: number, message: object): Promise<unknown>
  /** Resolves with the next message of this process that fits. */
  heard(fits: (message: object) => boolean): Promise<unknown>
  readonly warnings: string[]
}

async function primary(how: 'fork' | 'cluster', isKept = true): Promise<Primary> {
  const port = await freePort()
  const child: ChildProcess = fork(fixture('kept-primary.mjs'), [how, `${port}`, isKept ? 'kept' : 'not kept'], {
    execArgv: [],
  })
  await once(child, 'message')
  const warnings: string[] = []
  const messages: object[] = []
  child.on('message', (message: object) => {
    messages.push(message)
    if ('warning' in message) warnings.push(String(message.warning))
  })
  let answers = 0
  const heard = async (fits: (message: never) => boolean): Promise<never> => {
    for (;;) {
      const found = messages.findIndex((message) => fits(message as never))
      if (found >= 0) return messages.splice(found, 1)[0] as never
      await once(child, 'message')
    }
  }
  const order = async (name: string, ...args: unknown[]): Promise<never> => {
    const answer = answers++
    child.send({ order: name, args, answer })
    const { value } = (await heard((message: { answer?: number }) => message.answer === answer)) as { value: never }
    return value
  }
  const from = (pid: number, has: string) => (message: { from?: number; message?: object }) =>
    message.from === pid && typeof message.message === 'object' && has in message.message
  return {
    port,
    warnings,
    heard: heard as never,
    order,
    status: () => order('status'),
    async start() {
      const pid = await order('start')
      await heard(from(pid, 'listens'))
      return pid
    },
    async tell(pid, message) {
      await order('tell', pid, message)
      const has =
        'busyUntil' in message ? 'isBusy' : 'does' in message && message.does === 'drain' ? 'method' : undefined
      if (has === undefined) return undefined
      return ((await heard(from(pid, has))) as { message: unknown }).message
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

const clients = (port: number): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: CLIENTS }, () => ask(port)))
const all = (pid: number): readonly string[] => Array.from({ length: CLIENTS }, () => `${pid}`)
const socketsOf = (status: QueueKeeperStatus, pid: number): readonly number[] =>
  status.workers.find((worker) => worker.pid === pid)?.sockets ?? []

describe.each(['fork', 'cluster'] as const)('%s', (how) => {
  test('the clients of a worker whose loop is blocked are answered by the other', async () => {
    await using app = await primary(how)
    const [busy, idle] = [await app.start(), await app.start()]
    const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-kept-'))
    try {
      const busyUntil = path.join(folder, 'end')
      await app.tell(busy, { busyUntil })
      expect(await clients(app.port)).toEqual(all(idle))
      writeFileSync(busyUntil, '')
      await vi.waitFor(async () => {
        const now = await app.status()
        expect(now.workers.find(({ pid }) => pid === idle)?.acceptedAsGuest).toBeGreaterThan(0)
      })
    } finally {
      writeFileSync(path.join(folder, 'end'), '')
      rmSync(folder, { recursive: true })
    }
    expect(app.warnings).toEqual([])
  })

  test('what waits for a worker that is killed is answered by the other, and the successor gets its socket', async () => {
    await using app = await primary(how)
    const [dead, other] = [await app.start(), await app.start()]
    await vi.waitFor(async () => expect((await app.status()).workers.length).toBe(2))
    const [inode] = socketsOf(await app.status(), dead)
    for (const pid of [dead, other]) process.kill(pid, 'SIGSTOP')
    const answers = clients(app.port)
    process.kill(dead, 'SIGKILL')
    process.kill(other, 'SIGCONT')
    expect(await answers).toEqual(all(other))
    await app.heard((message) => 'exited' in message)
    expect((await app.status()).waiting).toEqual([{ address: '127.0.0.1', family: 'IPv4', port: app.port, inode }])
    const successor = await app.start()
    expect(await app.status()).toMatchObject({ waiting: [] })
    expect(socketsOf(await app.status(), successor)).toEqual([inode])
    process.kill(other, 'SIGSTOP')
    expect(await clients(app.port)).toEqual(all(successor))
    process.kill(other, 'SIGCONT')
    expect(app.warnings).toEqual([])
  })

  test('a drain leaves the group, and the primary has no socket of it; so it has none after close', async () => {
    await using app = await primary(how)
    const [one, other] = [await app.start(), await app.start()]
    await vi.waitFor(async () => expect((await app.status()).workers.length).toBe(2))
    const [[first = 0], [second = 0]] = [socketsOf(await app.status(), one), socketsOf(await app.status(), other)]
    expect(await app.order('sockets')).toEqual(expect.arrayContaining([first, second]))
    // Guests keep the socket in its group.
    process.kill(one, 'SIGSTOP')
    expect(await clients(app.port)).toEqual(all(other))
    process.kill(one, 'SIGCONT')
    const { method, lossless } = (await app.tell(one, { does: 'drain' })) as DrainReport
    expect({ method, lossless }).toEqual({ method: 'steer', lossless: true })
    expect(await app.order('sockets')).not.toContain(first)
    expect((await app.status()).workers.map(({ pid }) => pid)).toEqual([other])
    await app.order('close')
    expect(await app.order('sockets')).not.toContain(second)
    expect(await app.status()).toEqual({ workers: [], waiting: [] })
    expect(await clients(app.port)).toEqual(all(other))
    expect(app.warnings).toEqual([])
  })

  test('a drain that hands over leaves the socket to the next worker; one that is closed is closed everywhere', async () => {
    await using app = await primary(how)
    const [one, other] = [await app.start(), await app.start()]
    await vi.waitFor(async () => expect((await app.status()).workers.length).toBe(2))
    const [inode = 0] = socketsOf(await app.status(), one)
    expect(await app.tell(one, { does: 'drain', options: { handOver: true } })).toMatchObject({ method: 'hand-over' })
    await vi.waitFor(async () => expect((await app.status()).waiting.length).toBe(1))
    expect(await clients(app.port)).toEqual(all(other))
    const successor = await app.start()
    expect(socketsOf(await app.status(), successor)).toEqual([inode])
    await app.tell(successor, { does: 'close' })
    await vi.waitFor(async () => expect(await app.order('sockets')).not.toContain(inode))
    expect(await clients(app.port)).toEqual(all(other))
    expect(app.warnings).toEqual([])
  })

  test('a server that is closed while it asks leaves the socket to others', async () => {
    await using app = await primary(how)
    const [dead, other] = [await app.start(), await app.start()]
    await vi.waitFor(async () => expect((await app.status()).workers.length).toBe(2))
    const [inode = 0] = socketsOf(await app.status(), dead)
    process.kill(dead, 'SIGKILL')
    await app.heard((message) => 'exited' in message)
    await app.tell(other, { does: 'close while it asks' })
    await app.heard((message) => 'message' in message && message.message === 'closed')
    await vi.waitFor(async () => expect(await app.status()).toMatchObject({ workers: [], waiting: [{ inode }] }))
    const successor = await app.start()
    expect(socketsOf(await app.status(), successor)).toEqual([inode])
    expect(app.warnings).toEqual([])
  })

  test('without a keeper a worker listens on its own, and sends its primary no socket', async () => {
    await using app = await primary(how, false)
    const before = await app.order<readonly number[]>('sockets')
    const worker = await app.start()
    expect(await clients(app.port)).toEqual(all(worker))
    // The channels to the worker are sockets too.
    expect((await app.order<readonly number[]>('sockets')).length).toBeLessThanOrEqual(before.length + 1)
    expect(await app.status()).toEqual({ workers: [], waiting: [] })
  })
})
