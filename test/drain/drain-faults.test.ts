// A drain in which the kernel refuses something: what is reported, and that the server closes all the same.
import { execFile } from 'node:child_process'
import type net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { drain, steer } from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { hear, hearMany, named, share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const addon = state.addon as { -readonly [name in keyof Addon]: Addon[name] }
const original: Addon = { ...addon }

const EPERM = -1
const EMFILE = -24
const ENOBUFS = -105

const opened: net.Server[] = []
let before: readonly string[]

async function pair(): Promise<{ leaving: net.Server; port: number }> {
  const leaving = named('leaving')
  const staying = named('staying')
  opened.push(leaving, staying)
  return { leaving, port: await share([leaving, staying]) }
}

beforeEach(() => {
  before = openSockets()
})

afterEach(async () => {
  Object.assign(addon, original)
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
  expect(openSockets()).toEqual(before)
})

const FAULTS: readonly (readonly [string, Partial<Addon>, object])[] = [
  [
    'no descriptor is left',
    { duplicate: () => ({ errno: EMFILE, syscall: 'fcntl' }) },
    {
      lossless: true,
      method: 'defer',
      reason: 'fcntl EMFILE',
    },
  ],
  [
    'no descriptor is left, and the kernel lists no sockets for want of one',
    {
      duplicate: () => ({ errno: EMFILE, syscall: 'fcntl' }),
      dumpSockets: () => ({ errno: EMFILE, syscall: 'socket' }),
      dumpHandshakes: () => ({ errno: EMFILE, syscall: 'socket' }),
    },
    {
      lossless: false,
      method: 'defer',
      reason: expect.stringMatching(/^handshakes may be lost: .*\(socket EMFILE\); drain needs .*socket EMFILE$/),
    },
  ],
  [
    'no second descriptor is left',
    {
      duplicate: (fd) => {
        addon.duplicate = () => ({ errno: EMFILE, syscall: 'fcntl' })
        return original.duplicate(fd)
      },
    },
    { lossless: true, method: 'defer', reason: 'fcntl EMFILE' },
  ],
  [
    'the slot cannot be learnt',
    { learnSlots: () => [-1] },
    {
      lossless: true,
      method: 'defer',
      reason: expect.stringContaining('the slot of this listener could not be determined'),
    },
  ],
  [
    'the probe fails',
    { learnSlots: () => ({ errno: ENOBUFS, syscall: 'socket' }) },
    { lossless: true, method: 'defer', reason: 'connections cannot be steered: socket ENOBUFS' },
  ],
  [
    'the program is refused',
    { attachProgram: () => ({ errno: EPERM, syscall: 'setsockopt' }) },
    { lossless: true, method: 'defer', reason: expect.stringContaining('(setsockopt EPERM)') },
  ],
  [
    'nothing can be held back either',
    {
      learnSlots: () => ({ errno: EPERM, syscall: 'setsockopt' }),
      deferNewConnections: () => ({ errno: EPERM, syscall: 'setsockopt' }),
    },
    {
      lossless: false,
      method: 'close',
      reason: expect.stringContaining('new connections may be lost: deferring them failed'),
    },
  ],
  [
    'handshakes cannot be looked at',
    { dumpHandshakes: () => ({ errno: EPERM, syscall: 'recvfrom' }) },
    {
      lossless: false,
      method: 'steer',
      reason: 'handshakes may be lost: the kernel did not list them (recvfrom EPERM)',
    },
  ],
  [
    'the queue cannot be looked at',
    { acceptQueue: () => ({ errno: EPERM, syscall: 'getsockopt' }) },
    {
      lossless: false,
      method: 'steer',
      reason: 'connections in the accept queue may be lost: the kernel did not count them (getsockopt EPERM)',
    },
  ],
  [
    'the queue is not emptied',
    { acceptQueue: () => 3 },
    { lossless: false, method: 'steer', reason: '3 connections that were not yet accepted may be lost' },
  ],
  [
    'the lock is a stranger’s',
    { acquireLock: () => ({ errno: -13, syscall: 'bind' }) },
    {
      lossless: true,
      method: 'defer',
      reason: expect.stringMatching(
        /^The lock @reuseport:leader:tcp4:.* could not be acquired: a process of another user has bound its name$/,
      ),
    },
  ],
  [
    'there are no such locks',
    { acquireLock: () => ({ errno: -38, syscall: 'bind' }) },
    { lossless: true, method: 'defer', reason: expect.stringContaining('no abstract unix sockets') },
  ],
  [
    'sockets cannot be listed',
    { dumpSockets: () => ({ errno: EPERM, syscall: 'socket' }) },
    { lossless: true, method: 'defer', reason: expect.stringContaining('sock_diag') },
  ],
  [
    'the group cannot be put right',
    {
      leaveGroup: (...args) => {
        original.leaveGroup(...args)
        return { errno: EPERM, syscall: 'setsockopt' }
      },
    },
    { lossless: false, method: 'steer', reason: 'the listener did not leave its group cleanly (setsockopt EPERM)' },
  ],
]

test.each(FAULTS)('%s', async (_what, fault, report) => {
  const { leaving, port } = await pair()
  Object.assign(addon, fault)
  expect(await drain(leaving)).toMatchObject(report)
  expect(leaving.listening).toBe(false)
  Object.assign(addon, original)
  expect(await hearMany(port, 20)).toEqual({ staying: 20 })
})

test('without a descriptor of its own: what waits is accepted, and what comes later asks again elsewhere', async () => {
  const { leaving, port } = await pair()
  addon.duplicate = () => ({ errno: EMFILE, syscall: 'fcntl' })
  addon.dumpSockets = () => ({ errno: EMFILE, syscall: 'socket' })
  const waiting = Array.from({ length: 50 }, () => hear(port))
  await pause(5)
  const draining = drain(leaving)
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['leaving', 'staying']))
  expect(await draining).toMatchObject({ lossless: true, method: 'defer' })
})

test('aborted without a descriptor of its own, it answers as before', async () => {
  const { leaving, port } = await pair()
  addon.duplicate = () => ({ errno: EMFILE, syscall: 'fcntl' })
  addon.dumpHandshakes = () => ({ errno: EMFILE, syscall: 'socket' })
  await expect(drain(leaving, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' })
  Object.assign(addon, original)
  expect(Object.keys(await hearMany(port, 60)).toSorted()).toEqual(['leaving', 'staying'])
})

test('connections that maxConnections refuses are not lost by the drain', async () => {
  const { leaving, port } = await pair()
  leaving.maxConnections = 0
  const waiting = Array.from({ length: 40 }, () => hear(port))
  await pause(0)
  expect(await drain(leaving)).toMatchObject({ lossless: true, reason: undefined })
  await Promise.all(waiting)
})

describe('the lock is held by somebody who does not let go', () => {
  test('after lockTimeout it goes without', async () => {
    const { leaving, port } = await pair()
    const lock = addon.acquireLock(`reuseport:lock:tcp4:127.0.0.1:${port}`, 0) as number
    expect(await drain(leaving, { lockTimeout: 100 })).toMatchObject({
      lossless: true,
      method: 'defer',
      reason: expect.stringContaining('waited 100 ms for changes of the group of other processes to end'),
    })
    addon.close(lock)
  })

  test('it waits without blocking, and goes on as soon as it is free', async () => {
    const { leaving, port } = await pair()
    const lock = addon.acquireLock(`reuseport:lock:tcp4:127.0.0.1:${port}`, 0) as number
    const draining = drain(leaving)
    expect(Object.keys(await hearMany(port, 60)).toSorted()).toEqual(['leaving', 'staying'])
    addon.close(lock)
    expect(await draining).toMatchObject({ lossless: true, method: 'steer' })
  })
})

test('steer: what is refused leaves the group by hash', async () => {
  const { leaving, port } = await pair()
  for (const fault of [
    { attachProgram: () => ({ errno: EPERM, syscall: 'setsockopt' }) },
    { dumpSockets: () => ({ errno: EPERM, syscall: 'socket' }) },
    { acquireLock: () => ({ errno: -38, syscall: 'bind' }) },
  ] satisfies Partial<Addon>[]) {
    Object.assign(addon, fault)
    await expect(steer(leaving, 'random')).rejects.toMatchObject({ code: expect.stringContaining('UNAVAILABLE') })
    expect(await steer(leaving, 'random', { optional: true })).toMatchObject({ policy: 'hash', method: 'hash' })
    Object.assign(addon, original)
    expect(Object.keys(await hearMany(port, 60)).toSorted()).toEqual(['leaving', 'staying'])
  }
})

describe('in a process without free descriptors', () => {
  // Node closes what waits in the queue then, whoever asks; the drain must not say that nothing was lost.
  test.each([0, 1, 2, 3, 4, 5, 8, 60])('%i are free: it leaves, and says how many were lost', async (free) => {
    const fixture = fileURLToPath(new URL('../fixtures/drain-no-descriptors.mjs', import.meta.url))
    const limited = ['-c', 'ulimit -n 256; exec "$@"', 'sh', process.execPath, fixture, String(free)]
    const { stdout } = await promisify(execFile)('sh', limited)
    const { lossless, method, reason, lost } = JSON.parse(stdout)
    expect(['defer', 'steer']).toContain(method)
    expect(lossless === false || lost === 0).toBe(true)
    if (lost > 0) expect(reason).toContain(`${lost} connection`)
    if (free === 60) expect({ lossless, lost }).toEqual({ lossless: true, lost: 0 })
  })
})
