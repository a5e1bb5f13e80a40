import dgram from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { inspectGroup } from '../../dist/index.js'
import { event, type Supervised, supervise } from '../support/supervisors.js'

const script = fileURLToPath(new URL('../fixtures/supervised-datagram.cjs', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-datagrams-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Said {
  readonly bound: { readonly port: number; readonly address: string }
  readonly client: number
  readonly me: string
  readonly twice?: string
}

function messages<T>({ told }: Supervised, key: string): readonly T[] {
  return told.flatMap((one) =>
    one[0] === 'worker:message' && typeof one[2] === 'object' && one[2] !== null && key in one[2] ? [one[2] as T] : [],
  )
}

async function said(supervised: Supervised, count: number): Promise<readonly Said[]> {
  return await vi.waitUntil(() => {
    const all = messages<Said>(supervised, 'bound')
    return all.length >= count && all
  }, 20_000)
}

/** The port that these workers are bound to. */
async function portOf(supervised: Supervised, count: number): Promise<number> {
  const [first] = await said(supervised, count)
  if (first === undefined) throw new Error('no worker is bound')
  return first.bound.port
}

/** A client that sends to the port and collects the answers. */
async function open(port: number, type: dgram.SocketType = 'udp4') {
  const socket = dgram.createSocket(type)
  const answers: { me: string; text: string }[] = []
  socket.on('message', (message) => answers.push(JSON.parse(message.toString())))
  socket.bind(0, type === 'udp6' ? '::1' : '127.0.0.1')
  await once(socket, 'listening')
  return {
    answers,
    send: (text: string) => socket.send(text, port, type === 'udp6' ? '::1' : '127.0.0.1'),
    [Symbol.dispose]: () => socket.close(),
  }
}

type Client = Awaited<ReturnType<typeof open>>

async function clients(count: number, port: number, type?: dgram.SocketType): Promise<readonly Client[]> {
  return Promise.all(Array.from({ length: count }, () => open(port, type)))
}

function warnings({ told }: Supervised): readonly unknown[] {
  return told.filter(([name]) => name === 'warning')
}

for (const threads of [false, true]) {
  test(`Port 0 is one port, and reloads keep the sockets (threads: ${threads})`, { timeout: 60_000 }, async () => {
    await using supervised = supervise({}, { script, workers: 3, threads })
    const { supervisor } = supervised
    await supervisor.start()
    const first = await said(supervised, 3)
    const ports = new Set(first.map(({ bound }) => bound.port))
    expect(ports.size).toBe(1)
    // A client that only sends has a port of its own.
    for (const { client } of first) expect(ports.has(client)).toBe(false)
    const port = first[0]?.bound.port ?? 0
    const inodes = async (): Promise<readonly number[]> => {
      const { members } = await inspectGroup({ port, protocol: 'udp', host: '0.0.0.0' })
      return members.map(({ inode }) => inode).sort()
    }
    const before = await inodes()
    expect(before).toHaveLength(3)
    await supervisor.reload()
    expect(await inodes()).toEqual(before)
    const all = await clients(60, port)
    for (const client of all) client.send('hello')
    await vi.waitUntil(() => all.every(({ answers }) => answers.length === 1), 10_000)
    const names = new Set(all.flatMap(({ answers }) => answers.map(({ me }) => me)))
    expect(names.size).toBe(3)
    for (const { me } of first) expect(names.has(me)).toBe(false)
    for (const client of all) client[Symbol.dispose]()
    expect(warnings(supervised)).toEqual([])
  })
}

test('Reloads lose no datagram and read none twice, under a flood', { timeout: 120_000 }, async () => {
  const log = path.join(folder, 'flood')
  await using supervised = supervise({ log, delay: 20 }, { script })
  const { supervisor } = supervised
  await supervisor.start()
  const port = await portOf(supervised, 2)
  const all = await clients(20, port)
  const answers = (): readonly string[] => all.flatMap((client) => client.answers.map(({ text }) => text))
  let sent = 0
  // So many that no buffer is full, whose datagrams the kernel would drop.
  const flood = setInterval(() => {
    const limit = sent + Math.min(20, 150 + answers().length - sent)
    while (sent < limit) all[sent % all.length]?.send(String(sent++))
  }, 2)
  for (let reload = 0; reload < 5; reload++) await supervisor.reload()
  clearInterval(flood)
  await vi.waitUntil(() => answers().length >= sent, 10_000).catch(() => {})
  const { members } = await inspectGroup({ port, protocol: 'udp', host: '0.0.0.0' })
  expect(members.map(({ drops }) => drops)).toEqual([0, 0])
  const read = readFileSync(log, 'utf8').trim().split('\n')
  expect(read).toHaveLength(sent)
  expect(new Set(read).size).toBe(sent)
  // Also what the old workers had read when they were told to leave.
  expect(new Set(answers()).size).toBe(sent)
  for (const client of all) client[Symbol.dispose]()
  expect(warnings(supervised)).toEqual([])
})

test('What waits for a worker that is killed is read by its successor', { timeout: 60_000 }, async () => {
  await using supervised = supervise({}, { script, workers: 2 })
  const { supervisor } = supervised
  await supervisor.start()
  const port = await portOf(supervised, 2)
  using client = await open(port)
  client.send('who')
  await vi.waitUntil(() => client.answers.length === 1, 10_000)
  const me = client.answers[0]?.me
  client.send('block')
  await vi.waitUntil(() => messages(supervised, 'blocked').length === 1, 10_000)
  for (let count = 0; count < 50; count++) client.send(`waits ${count}`)
  await vi.waitUntil(async () => {
    const { members } = await inspectGroup({ port, protocol: 'udp', host: '0.0.0.0' })
    return members.some(({ queued }) => (queued ?? 0) > 50 * 8)
  }, 10_000)
  const restarted = event(supervisor, 'worker:restart')
  process.kill(Number.parseInt(me ?? '', 10), 'SIGKILL')
  await restarted
  await vi.waitUntil(() => client.answers.length === 51, 20_000)
  const others = new Set(client.answers.slice(1).map((answer) => answer.me))
  expect(others.size).toBe(1)
  expect(others.has(me ?? '')).toBe(false)
})

test('A successor joins the groups of its predecessor, which drops them', { timeout: 60_000 }, async () => {
  const group = '239.255.77.7'
  await using supervised = supervise({ group, ttl: 3 }, { script, workers: 1 })
  const { supervisor } = supervised
  await supervisor.start()
  await supervisor.reload()
  await supervisor.reload()
  const all = await said(supervised, 3)
  expect(all.map(({ twice }) => twice)).toEqual(['EADDRINUSE', 'EADDRINUSE', 'EADDRINUSE'])
  const sender = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(sender, 'listening')
  sender.setMulticastInterface('127.0.0.1')
  sender.send('to all', all[0]?.bound.port ?? 0, group)
  const [answer] = await once(sender, 'message')
  expect(JSON.parse(String(answer))).toEqual({ me: all.at(-1)?.me, text: 'to all' })
  sender.close()
})

test('A udp6 socket that was kept sets its own options', { timeout: 60_000 }, async () => {
  await using supervised = supervise({ type: 'udp6', address: '::1', ttl: 7 }, { script, workers: 1 })
  const { supervisor } = supervised
  await supervisor.start()
  const port = await portOf(supervised, 1)
  await supervisor.reload()
  await said(supervised, 2)
  using client = await open(port, 'udp6')
  client.send('hello')
  await vi.waitUntil(() => client.answers.length === 1, 10_000)
})

test('A worker less leaves its group, and its program closes its socket once', { timeout: 60_000 }, async () => {
  await using supervised = supervise({ address: '127.0.0.1' }, { script, workers: 2 })
  const { supervisor, told } = supervised
  await supervisor.start()
  const port = await portOf(supervised, 2)
  await supervisor.scale(1)
  const all = await clients(20, port)
  for (const client of all) client.send('hello')
  await vi.waitUntil(() => all.every(({ answers }) => answers.length === 1), 10_000)
  for (const client of all) client[Symbol.dispose]()
  await supervisor.stop()
  const of = (name: string): readonly unknown[] => told.filter((one) => one[0] === name).map((one) => one[2])
  expect(of('worker:drained')).toEqual(Array(2).fill({ lossless: true, reason: undefined }))
  expect(of('worker:exit')).toMatchObject(Array(2).fill({ code: 0, signal: null }))
  const { members } = await inspectGroup({ port, protocol: 'udp', host: '127.0.0.1' })
  expect(members).toEqual([])
})

test('`exclusive` stays as it is: the second worker gets EADDRINUSE', { timeout: 60_000 }, async () => {
  using free = dgramPort()
  const port = await free.port()
  await using supervised = supervise({ port, exclusive: true }, { script, workers: 2, readyTimeout: 3000 })
  await expect(supervised.supervisor.start()).rejects.toMatchObject({ code: 'ERR_REUSEPORT_WORKER_FAILED' })
  expect(messages(supervised, 'error')).toContainEqual({ error: 'EADDRINUSE' })
})

test('A second program on the port is told EADDRINUSE, and the workers go on', { timeout: 60_000 }, async () => {
  await using supervised = supervise({ address: '127.0.0.1' }, { script, workers: 2 })
  await supervised.supervisor.start()
  const port = await portOf(supervised, 2)
  for (const reuseAddr of [false, true]) {
    const stranger = dgram.createSocket({ type: 'udp4', reuseAddr })
    stranger.bind(port, '127.0.0.1')
    // With SO_REUSEADDR on the workers' sockets the second would get in.
    const outcome = await new Promise((resolve) => stranger.once('error', resolve).once('listening', resolve))
    expect(outcome).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind', port })
    stranger.close()
  }
  using client = await open(port)
  client.send('hello')
  await vi.waitUntil(() => client.answers.length === 1, 10_000)
})

function dgramPort() {
  const socket = dgram.createSocket('udp4')
  return {
    async port() {
      socket.bind(0)
      await once(socket, 'listening')
      const { port } = socket.address()
      socket.close()
      return port
    },
    [Symbol.dispose]() {},
  }
}
