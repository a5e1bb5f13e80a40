// How the kernel chooses, when it is told.
import { execFile } from 'node:child_process'
import { errorMonitor } from 'node:events'
import { statSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { chiSquare } from '../../demo/chi-square.js'
import { drain, inspectGroup, listenReusePort, repairGroup, type SteeringPolicy, steer } from '../../src/index.js'
import { serverDescriptor } from '../../src/node/adopt.js'
import { hear, hearMany, named, share } from '../support/group-of-servers.js'
import { closed, once, portOf } from '../support/listeners.js'
import { start } from '../support/processes.js'
import { openSockets } from '../support/sockets.js'

const opened: net.Server[] = []

/** Servers named '0', '1' ... in the order of their slots. */
async function members(count: number, host = '127.0.0.1'): Promise<{ servers: readonly net.Server[]; port: number }> {
  const servers = Array.from({ length: count }, (_, slot) => named(String(slot)))
  opened.push(...servers)
  return { servers, port: await share(servers, host) }
}

async function join(name: string, port: number): Promise<net.Server> {
  const server = named(name)
  opened.push(server)
  await share([server], '127.0.0.1', port)
  return server
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

/** What came of so many connections, a few at a time. */
async function counts(port: number, times: number): Promise<Record<string, number>> {
  const sum: Record<string, number> = {}
  const parts = await Promise.all(Array.from({ length: 8 }, () => hearMany(port, times / 8)))
  for (const [name, count] of parts.flatMap((part) => Object.entries(part))) sum[name] = (sum[name] ?? 0) + count
  return sum
}

/**
 * Waits until these are the members that connections reach: who keeps a policy looks at the group once a second, and
 * on a busy machine later.
 */
async function settled(port: number, names: readonly string[]): Promise<void> {
  await expect.poll(async () => Object.keys(await counts(port, 80)).toSorted()).toEqual(names)
}

/** Pearson's test against these weights; fails by chance once in a million. */
function expectShares(seen: Record<string, number>, weights: Record<string, number>): void {
  const names = Object.keys(weights)
  expect(Object.keys(seen).toSorted()).toEqual(names.filter((name) => weights[name] !== 0).toSorted())
  const total = names.reduce((sum, name) => sum + (weights[name] ?? 0), 0)
  const all = Object.values(seen).reduce((sum, count) => sum + count, 0)
  // To equal shares, which is what the test knows: each count by what is expected of it.
  const expected = names.filter((name) => weights[name] !== 0).map((name) => ((weights[name] ?? 0) / total) * all)
  const statistic = names
    .filter((name) => weights[name] !== 0)
    .reduce((sum, name, at) => sum + ((seen[name] ?? 0) - (expected[at] ?? 0)) ** 2 / (expected[at] ?? 1), 0)
  const { degrees } = chiSquare(expected)
  const { probability } = scaled(statistic, degrees)
  expect(probability, JSON.stringify(seen)).toBeGreaterThan(1e-6)
}

/** The probability of a statistic, by counts that have it. */
function scaled(statistic: number, degrees: number): { probability: number } {
  const half = 1e6
  const step = Math.sqrt((statistic * half) / 2)
  return chiSquare([half + step, half - step, ...Array(Math.max(0, degrees - 1)).fill(half)])
}

test('random: each as often as the others', async () => {
  const { servers, port } = await members(4)
  expect(await steer(servers[0] as net.Server, 'random')).toEqual({
    policy: 'random',
    method: 'program',
    members: 4,
    keeper: process.pid,
    reason: undefined,
  })
  expectShares(await counts(port, 4000), { 0: 1, 1: 1, 2: 1, 3: 1 })
})

test('weights by slot, by inode and by pid; a member that is not named has weight 1', async () => {
  const { servers, port } = await members(4)
  const [first, second] = servers as [net.Server, net.Server]
  const inodeOf = async (server: net.Server): Promise<number> => {
    const { members: all } = await inspectGroup(server)
    expect(all.every(({ self }) => self)).toBe(true)
    return all[0]?.inode as number
  }
  await inodeOf(first)
  const fd = (second as unknown as { _handle: { fd: number } })._handle.fd
  const inode = statSync(`/proc/self/fd/${fd}`).ino
  await steer(first, {
    weights: [
      { slot: 0, weight: 5 },
      { inode, weight: 2 },
      { slot: 3, weight: 0 },
    ],
  })
  expectShares(await counts(port, 4000), { 0: 5, 1: 2, 2: 1, 3: 0 })
  await steer(first, { weights: [{ pid: process.pid, weight: 3 }] })
  expectShares(await counts(port, 4000), { 0: 1, 1: 1, 2: 1, 3: 1 })
})

/** How many packets each member has dropped, in the order of these servers. */
async function dropsOf(servers: readonly net.Server[]): Promise<readonly (number | undefined)[]> {
  const { members: all } = await inspectGroup(servers[0] as net.Server)
  const inodes = servers.map((server) => statSync(`/proc/self/fd/${serverDescriptor(server)}`).ino)
  return inodes.map((one) => all.find(({ inode }) => inode === one)?.drops)
}

test.each(['127.0.0.1', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1'])(
  'at %s: no member counts a drop but those that the policy names, and no server hears of it',
  async (host) => {
    let heard = 0
    const { servers, port } = await members(4, host)
    for (const server of servers) server.on('connection', () => heard++)
    const [, second] = servers as [net.Server, net.Server]
    const { ino } = statSync(`/proc/self/fd/${serverDescriptor(second)}`)
    await steer(servers[0] as net.Server, { exclude: [{ inode: ino }] })
    for (let times = 0; times < 3; times++) {
      const newcomer = named('newcomer')
      opened.push(newcomer)
      await share([newcomer], host, port)
      await steer(newcomer, { exclude: [{ inode: ino }] })
    }
    expect(await drain(servers[3] as net.Server)).toMatchObject({ lossless: true, method: 'steer' })
    const [named1, excluded = 0, third] = await dropsOf(servers.slice(0, 3))
    expect([named1, third]).toEqual([0, 0])
    expect(excluded).toBeGreaterThan(0)
    expect(heard).toBe(0)
  },
)

test.each([0, 1, 3])('exclude slot %i', async (slot) => {
  const { servers, port } = await members(4)
  await steer(servers[2] as net.Server, { exclude: [{ slot }] })
  const shares: Record<string, number> = { 0: 1, 1: 1, 2: 1, 3: 1, [slot]: 0 }
  expectShares(await counts(port, 3000), shares)
})

test('exclude all: by hash, and the reason', async () => {
  const { servers, port } = await members(2)
  expect(await steer(servers[0] as net.Server, { exclude: [{ pid: process.pid }] })).toMatchObject({
    policy: 'hash',
    method: 'hash',
    reason: 'the policy leaves out every member',
  })
  expect(Object.keys(await counts(port, 80)).toSorted()).toEqual(['0', '1'])
})

test('a program of one', async () => {
  const { servers, port } = await members(3)
  await steer(servers[0] as net.Server, { program: [{ code: 6, k: 2 }] })
  expect(await counts(port, 80)).toEqual({ 2: 80 })
  // Source ports by turns: (port at the transport header) modulo 2.
  await steer(servers[0] as net.Server, {
    program: [{ code: 0x28, k: -0x100000 + 20 }, { code: 0x94, k: 2 }, { code: 0x16 }],
  })
  for (let turn = 0; turn < 40; turn++) {
    const [said, source] = await hearFrom(port)
    expect(said).toBe(String(source % 2))
  }
})

async function hearFrom(port: number): Promise<[string, number]> {
  return new Promise((resolve, reject) => {
    let said = ''
    let source = 0
    const socket = net.connect(port, '127.0.0.1', () => {
      source = socket.localPort ?? 0
    })
    socket.on('data', (data) => {
      said += String(data)
    })
    socket.on('end', () => resolve([said, source])).on('error', reject)
  })
}

test('hash ends it', async () => {
  const { servers, port } = await members(3)
  await steer(servers[0] as net.Server, { program: [{ code: 6, k: 2 }] })
  expect(await steer(servers[1] as net.Server, 'hash')).toEqual({
    policy: 'hash',
    method: 'hash',
    members: 3,
    keeper: undefined,
    reason: undefined,
  })
  expect(Object.keys(await counts(port, 400)).toSorted()).toEqual(['0', '1', '2'])
})

describe('cpu', () => {
  const cpus = os.availableParallelism()

  test('a program, where this process may run on several', async (context) => {
    if (cpus < 2) context.skip('there is one CPU')
    const { servers, port } = await members(2)
    expect(await steer(servers[0] as net.Server, { cpu: true })).toMatchObject({ method: 'program' })
    const policy = { cpu: true }
    expect(await steer(servers[0] as net.Server, 'cpu')).toMatchObject({ method: 'program', policy })
    for (const cpu of [0, 1]) expect(await pinned(port, cpu)).toEqual({ [cpu]: 60 })
  })

  test('SO_INCOMING_CPU, where each process is pinned to one', async (context) => {
    const [major = 0, minor = 0] = os.release().split('.').map(Number)
    if (major < 6 || (major === 6 && minor < 2)) context.skip('honoured in a group by Linux 6.2 and later')
    if (cpus < 2) context.skip('there is one CPU')
    await using one = start('steer.mjs', ['{}'], { execPath: 'taskset', execArgv: ['-c', '1', process.execPath] })
    const { port, name: oneName } = await one.message<{ port: number; name: string }>()
    await using zero = start('steer.mjs', [JSON.stringify({ port })], {
      execPath: 'taskset',
      execArgv: ['-c', '0', process.execPath],
    })
    const { name: zeroName } = await zero.message<{ name: string }>()
    for (const program of [one, zero]) {
      program.send({ policy: { cpu: true } })
      expect(await program.message()).toMatchObject({ steering: { method: 'incoming-cpu', members: 2 } })
    }
    expect(await pinned(port, 0)).toEqual({ [zeroName]: 60 })
    expect(await pinned(port, 1)).toEqual({ [oneName]: 60 })
    one.send({ policy: 'hash' })
    await one.message()
    expect(Object.keys(await pinned(port, 1))).toContain(zeroName)
  })

  async function pinned(port: number, cpu: number): Promise<object> {
    const script = fileURLToPath(new URL('../fixtures/client.py', import.meta.url))
    const setting = JSON.stringify({ transport: 'tcp', host: '127.0.0.1', port, times: 60, cpu })
    const { stdout } = await promisify(execFile)('python3', [script, setting])
    const seen: Record<string, number> = {}
    for (const name of JSON.parse(stdout) as string[]) seen[name] = (seen[name] ?? 0) + 1
    return seen
  }
})

describe('members come and go', () => {
  test('a newcomer gets its share, as soon as it says so or within a second; a leaver leaves no hole', async () => {
    const { servers, port } = await members(2)
    await steer(servers[0] as net.Server, 'random')
    const third = await join('2', port)
    await steer(third, 'random')
    expectShares(await counts(port, 3000), { 0: 1, 1: 1, 2: 1 })
    await join('stranger', port)
    await settled(port, ['0', '1', '2', 'stranger'])
    expectShares(await counts(port, 4000), { 0: 1, 1: 1, 2: 1, stranger: 1 })
    await closed(servers[1] as net.Server)
    const seen = await counts(port, 400)
    expect(Object.keys(seen).filter((name) => !['0', '2', 'stranger'].includes(name))).toEqual([])
  })

  test('an excluded member stays excluded when others leave', async () => {
    const { servers, port } = await members(4)
    const [first, , , last] = servers as [net.Server, net.Server, net.Server, net.Server]
    const fd = (last as unknown as { _handle: { fd: number } })._handle.fd
    await steer(first, { exclude: [{ inode: statSync(`/proc/self/fd/${fd}`).ino }] })
    await closed(servers[1] as net.Server)
    await settled(port, ['0', '2'])
    expectShares(await counts(port, 2000), { 0: 1, 2: 1, 3: 0 })
  })

  test('after a drain the policy is in force again, and while it lasts nobody reaches the leaver', async () => {
    const { servers, port } = await members(4)
    await steer(servers[0] as net.Server, { weights: [{ slot: 0, weight: 8 }] })
    expect(await drain(servers[3] as net.Server)).toMatchObject({ lossless: true, method: 'steer' })
    // 160 of 200 by the policy, 67 by equal shares.
    await expect.poll(async () => (await counts(port, 200))['0']).toBeGreaterThan(120)
    expectShares(await counts(port, 3000), { 0: 8, 1: 1, 2: 1 })
  })

  test('when the keeper drains, or dies, another keeps the policy', async () => {
    await using first = start('steer.mjs', ['{}'])
    const { port } = await first.message<{ port: number }>()
    const joining = JSON.stringify({ port })
    await using second = start('steer.mjs', [joining])
    await using third = start('steer.mjs', [joining])
    await using fourth = start('steer.mjs', [joining])
    for (const program of [second, third, fourth]) await program.message()
    const policy: SteeringPolicy = { weights: [{ pid: third.child.pid as number, weight: 30 }] }
    first.send({ policy })
    const said = await first.message<{ steering?: { keeper: number }; refused?: string }>()
    // Where debuggers may not attach, no slot but one's own can be learnt.
    if (said.refused !== undefined) {
      expect(said.refused).toMatch(/pidfd_getfd|CAP_SYS_PTRACE/)
      return
    }
    expect(said.steering?.keeper).toBe(first.child.pid)
    second.send({ policy })
    expect(await second.message()).toMatchObject({ steering: { keeper: first.child.pid } })
    first.child.kill('SIGKILL')
    await first.exited
    // The kernel keeps its program: what counts is what the one who takes the place puts in force.
    await pause(1300)
    const names = [second, third, fourth].map(({ child }) => String(child.pid))
    expectShares(await counts(port, 2000), Object.fromEntries(names.map((name, at) => [name, at === 1 ? 30 : 1])))
  })

  test('nothing changes while nobody comes or goes', async () => {
    const { servers } = await members(3)
    const [first] = servers as [net.Server]
    await steer(first, 'random')
    const fd = (first as unknown as { _handle: { fd: number } })._handle.fd
    const { loadAddon } = await import('../../src/native/addon.js')
    const state = loadAddon()
    if (!state.loaded) throw new Error(state.reason)
    // A program of a stranger's: it would be gone if ours was put in force anew.
    state.addon.attachProgram(fd, Uint32Array.of(6, 0, 0, 1))
    await pause(2500)
    expect(await counts(portOf(first), 80)).toEqual({ 1: 80 })
  })
})

test('what was asked for last is the policy of all, whoever keeps it', async () => {
  const { servers, port } = await members(3)
  const [first, second, third] = servers as [net.Server, net.Server, net.Server]
  await steer(first, 'random')
  await steer(second, { program: [{ code: 6, k: 1 }] })
  expect(await counts(port, 40)).toEqual({ 1: 40 })
  await steer(third, { program: [{ code: 6, k: 0 }] })
  expect(await counts(port, 40)).toEqual({ 0: 40 })
  // The keeper goes; its successor knows the latest.
  await closed(first)
  await pause(1300)
  expect(await counts(port, 40)).toEqual({ 2: 40 })
})

test('the keeper asks for another one: whoever takes its place knows', async () => {
  const { servers, port } = await members(3)
  const [first, second] = servers as [net.Server, net.Server]
  await steer(first, 'random')
  await steer(second, 'random')
  await steer(first, { program: [{ code: 6, k: 1 }] })
  await pause(50)
  await closed(first)
  await pause(1300)
  // The last member has taken the place of the first.
  expect(await counts(port, 40)).toEqual({ 1: 40 })
})

test('who asked for it last may go, and the keeper too: the others know', async () => {
  const { servers, port } = await members(4)
  const [first, second, third] = servers as [net.Server, net.Server, net.Server]
  await steer(first, 'random')
  await steer(second, 'random')
  await steer(third, { program: [{ code: 6, k: 1 }] })
  await closed(third)
  await pause(50)
  await closed(first)
  await pause(1300)
  expect(await counts(port, 40)).toEqual({ 1: 40 })
})

describe('a server whose policy nobody has ended', () => {
  test('closes: whoever listens on its port next is steered at once', async () => {
    const [first] = (await members(1)).servers as [net.Server]
    await steer(first, 'random')
    const port = portOf(first)
    first.close()
    const next = await join('next', port)
    expect(await steer(next, 'random')).toMatchObject({ method: 'program', keeper: process.pid })
    expect(await counts(port, 40)).toEqual({ next: 40 })
  })

  test.each([
    ['its keeper', 0],
    ['a follower', 1],
  ])('listens elsewhere: it steers nobody there (%s)', async (_what, which) => {
    const { servers } = await members(2)
    for (const server of servers) await steer(server, { program: [{ code: 6, k: 1 }] })
    const leaving = servers[which] as net.Server
    await closed(leaving)
    const there = await join('there', 0)
    await share([leaving], '127.0.0.1', portOf(there))
    // Where it followed, the keeper goes as well.
    await closed(servers[1 - which] as net.Server)
    await pause(1300)
    expect(Object.keys(await counts(portOf(there), 80)).toSorted()).toEqual([String(which), 'there'])
  })
})

test('servers that come and go leave no connection to the keeper, and are not kept in memory', async () => {
  const { servers, port } = await members(1)
  await steer(servers[0] as net.Server, 'random')
  const before = openSockets()
  for (let times = 0; times < 10; times++) {
    const server = await join('follower', port)
    await steer(server, 'random')
    expect(openSockets().length).toBeGreaterThan(before.length + 1)
    await closed(server)
    await expect.poll(() => openSockets()).toEqual(before)
    expect(server.listenerCount('close')).toBe(0)
  }
})

test('a change that is refused leaves the policy that there was', async () => {
  const { servers, port } = await members(3)
  const [first, second, leaving] = servers as [net.Server, net.Server, net.Server]
  await steer(first, 'random')
  await steer(second, 'random')
  const draining = drain(leaving, { grace: 300 })
  for (const server of [first, second]) {
    await expect(steer(server, { cpu: true }, { lockTimeout: 20 })).rejects.toThrow()
  }
  await draining
  const kept = async () => {
    const { keeper, policy } = await repairGroup({ port, host: '127.0.0.1' })
    return { keeper, policy }
  }
  expect(await kept()).toEqual({ keeper: process.pid, policy: 'random' })
  await closed(first)
  await expect.poll(kept).toEqual({ keeper: process.pid, policy: 'random' })
})

test('what cannot be had changes nothing, now or later', async () => {
  const { servers, port } = await members(3)
  const [first, second] = servers as [net.Server, net.Server]
  await steer(first, { exclude: [{ slot: 0 }] })
  await expect(steer(second, { program: [{ code: 0xff }, { code: 6 }] })).rejects.toMatchObject({
    code: 'ERR_REUSEPORT_STEERING_UNAVAILABLE',
  })
  await pause(100)
  expectShares(await counts(port, 2000), { 0: 0, 1: 1, 2: 1 })
  await join('3', port)
  await settled(port, ['1', '2', '3'])
  expectShares(await counts(port, 2000), { 0: 0, 1: 1, 2: 1, 3: 1 })
})

test('a group by its port, from outside', async () => {
  await using program = start('steer.mjs', ['{}'])
  const { port } = await program.message<{ port: number }>()
  await join('here', port)
  const outcome = await steer({ port, host: '127.0.0.1' }, { exclude: [{ slot: 0 }] })
  expect(outcome).toMatchObject({ method: 'program', members: 2, keeper: undefined })
  expect(await counts(port, 40)).toEqual({ here: 40 })
  await expect(steer(1, 'hash')).rejects.toThrow('no TCP server listens on [::]:1')
  await expect(steer({ port: 1, host: '127.0.0.1' }, 'hash')).rejects.toMatchObject({
    code: 'ERR_REUSEPORT_STEERING_UNAVAILABLE',
    reason: 'no TCP server listens on 127.0.0.1:1',
  })
})

describe('as an option of listenReusePort', () => {
  test('in force soon after it listens', async () => {
    const { port } = await members(2)
    const server = named('2')
    opened.push(server)
    listenReusePort(server, { port, host: '127.0.0.1', steering: { program: [{ code: 6, k: 2 }] } })
    await once(server, 'listening')
    await expect.poll(() => counts(port, 40)).toEqual({ 2: 40 })
  })

  test('closed before it listens, or superseded by another listen: no policy, and no listener stays', async () => {
    const server = named('0')
    opened.push(server)
    const before = server.eventNames().map((name) => [name, server.listenerCount(name)])
    const left = (): unknown => server.eventNames().map((name) => [name, server.listenerCount(name)])
    const policy = { program: [{ code: 6, k: 0 }] }
    for (const host of ['localhost', undefined]) {
      for (let times = 0; times < 3; times++) {
        listenReusePort(server, { port: 0, host, steering: policy })
        await new Promise((resolve) => server.close(resolve))
      }
      expect(left(), `host ${host}`).toEqual(before)
    }
    const abort = new AbortController()
    listenReusePort(server, { port: 0, host: 'localhost', steering: policy, signal: abort.signal })
    const ended = new Promise<void>((resolve) => server.once('close', resolve))
    abort.abort()
    await ended
    expect(left(), 'aborted').toEqual(before)
    listenReusePort(server, { port: 0, host: '127.0.0.1', steering: policy })
    listenReusePort(server, { port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    // A listener that is closed at once, and listens elsewhere before it has said that it listens.
    const other = named('1')
    opened.push(other)
    listenReusePort(other, { port: 0, steering: policy })
    other.close()
    listenReusePort(other, { port: portOf(server), host: '127.0.0.1' })
    await once(other, 'listening')
    await pause(100)
    // By the policy all would be the first one's.
    expect(Object.keys(await counts(portOf(server), 400)).toSorted()).toEqual(['0', '1'])
    for (const name of ['listening', 'close', errorMonitor]) expect(server.listenerCount(name), String(name)).toBe(0)
  })

  const locked = { level: 1, name: 44, value: 1, stage: 'after-listen' } as const

  test('refused: an error, unless it is optional', async () => {
    const refused = named('refused')
    opened.push(refused)
    listenReusePort(refused, { port: 0, host: '127.0.0.1', rawSocketOptions: [locked], steering: 'random' })
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve))
    expect(error.code).toBe('ERR_REUSEPORT_STEERING_UNAVAILABLE')
    expect(refused.listening).toBe(true)

    const optional = named('optional')
    opened.push(optional)
    const errors: unknown[] = []
    optional.on('error', (reason) => errors.push(reason))
    listenReusePort(optional, {
      port: 0,
      host: '127.0.0.1',
      rawSocketOptions: [locked],
      steering: { policy: 'random', optional: true },
    })
    await once(optional, 'listening')
    await pause(100)
    expect(errors).toEqual([])
    expect(await steer(optional, 'random', { optional: true })).toMatchObject({
      policy: 'hash',
      reason: expect.stringContaining('setsockopt EPERM'),
    })
  })

  test.each([
    [
      { port: 0, steering: 'fair' },
      'ERR_INVALID_ARG_VALUE',
      "'options.steering' must be 'hash', 'random', 'cpu' or an object",
    ],
    [{ port: 0, steering: { policy: 'random', optinal: true } }, 'ERR_REUSEPORT_UNKNOWN_OPTION', "'optional'"],
    [{ port: 0, steering: { policy: 'random', optional: 1 } }, 'ERR_INVALID_ARG_TYPE', 'options.steering.optional'],
  ])('%j is refused at once', (options, code, text) => {
    try {
      listenReusePort(net.createServer(), options as object)
      expect.unreachable()
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe(code)
      expect((error as Error).message).toContain(text)
    }
  })
})

test.each([
  ['a name of none', 'CPU', 'ERR_INVALID_ARG_VALUE', "'policy' must be 'hash', 'random', 'cpu' or an object"],
  ['nothing', {}, 'ERR_INVALID_ARG_VALUE', 'must have exactly one of: cpu, weights, exclude, program'],
  ['two', { cpu: true, exclude: [] }, 'ERR_INVALID_ARG_VALUE', 'must have exactly one of'],
  ['null', null, 'ERR_INVALID_ARG_TYPE', '"policy"'],
  ['an unknown one', { wieghts: [] }, 'ERR_REUSEPORT_UNKNOWN_OPTION', "'weights'"],
  ['cpu: 3', { cpu: 3 }, 'ERR_INVALID_ARG_VALUE', 'policy.cpu'],
  ['an empty list', { weights: [] }, 'ERR_INVALID_ARG_VALUE', 'must not be empty'],
  ['no list', { weights: { 0: 1 } }, 'ERR_INVALID_ARG_TYPE', 'an array'],
  ['a name of nothing', { exclude: [{}] }, 'ERR_INVALID_ARG_VALUE', 'must have one of: pid, inode, slot'],
  ['a slot below 0', { exclude: [{ slot: -1 }] }, 'ERR_OUT_OF_RANGE', 'policy.exclude[0].slot'],
  ['no member', { exclude: [{ slot: 7 }] }, 'ERR_INVALID_ARG_VALUE', 'must name a member of the group'],
  ['a pid of nobody here', { exclude: [{ pid: 1 }] }, 'ERR_INVALID_ARG_VALUE', 'must name a member of the group'],
  ['no weight', { weights: [{ slot: 0 }] }, 'ERR_INVALID_ARG_TYPE', 'policy.weights[0].weight'],
  ['a weight below 0', { weights: [{ slot: 0, weight: -1 }] }, 'ERR_OUT_OF_RANGE', 'policy.weights[0].weight'],
  [
    'a jump beyond the end',
    { program: [{ code: 5, k: 1 }, { code: 6 }] },
    'ERR_INVALID_ARG_VALUE',
    'policy.program[0]',
  ],
  ['no return', { program: [{ code: 0 }] }, 'ERR_INVALID_ARG_VALUE', 'must return: it is the last instruction'],
  ['no number', { program: [{ code: 'ret' }] }, 'ERR_INVALID_ARG_TYPE', 'policy.program[0].code'],
  ['too long', { program: Array(4097).fill({ code: 6 }) }, 'ERR_OUT_OF_RANGE', 'policy.program.length'],
  [
    'an instruction of its own',
    { program: [{ code: 0xff }, { code: 6 }] },
    'ERR_REUSEPORT_STEERING_UNAVAILABLE',
    'program',
  ],
])('a policy that is none: %s', async (_what, policy, code, text) => {
  const { servers } = await members(1)
  const error: NodeJS.ErrnoException = await steer(servers[0] as net.Server, policy as unknown as SteeringPolicy).then(
    () => expect.unreachable(),
    (reason) => reason,
  )
  expect(error.code).toBe(code)
  expect(error.message).toContain(text)
})

test('a server that does not listen', async () => {
  await expect(steer(net.createServer(), 'random')).rejects.toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' })
  await expect(steer({} as never, 'random')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
})

test('a client that is not accepted yet is not lost by a change', async () => {
  const { servers, port } = await members(3)
  const clients = Array.from({ length: 300 }, () => hear(port))
  for (let turn = 0; turn < 20; turn++) await steer(servers[turn % 3] as net.Server, turn % 2 === 0 ? 'random' : 'hash')
  const answers = await Promise.all(clients)
  expect(answers.filter((answer) => !/^[012]$/.test(answer))).toEqual([])
})

test('a server that closes while its wish is on its way to the keeper leaves no connection', async () => {
  const keeper = net.createServer()
  const port = await share([keeper])
  await steer(keeper, 'random')
  const before = openSockets()
  for (let pausing = 0; pausing < 5; pausing++) {
    const server = net.createServer()
    await share([server], '127.0.0.1', port)
    const steering = steer(server, 'cpu').catch(() => {})
    if (pausing > 0) await pause(pausing)
    await closed(server)
    await steering
  }
  await expect.poll(() => openSockets()).toEqual(before)
  await closed(keeper)
})
