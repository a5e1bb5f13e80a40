// A guard on the number of members, and the lock under which they are counted.
import dgram from 'node:dgram'
import net from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindReusePort, inspectGroup, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import { bind, bound } from '../support/datagrams.js'
import { closed, freePort, once, portOf } from '../support/listeners.js'
import { type Program, start } from '../support/processes.js'
import { listenersOn, openSockets } from '../support/sockets.js'

const host = '127.0.0.1'
const state = loadAddon()
if (!state.loaded) throw state.cause
const { addon } = state

afterEach(() => {
  vi.restoreAllMocks()
})

function member(more: object): Program {
  return start('member.mjs', [JSON.stringify({ host, ...more })])
}

test('the one too many is told who is there, and nothing stays open', async () => {
  await using first = member({ port: 0 })
  const { pid, port } = await first.message<{ pid: number; port: number }>()
  await using second = member({ port, maxMembers: 2 })
  await second.message()

  const before = openSockets()
  const server = net.createServer()
  listenReusePort(server, { port, host, maxMembers: 2 })
  expect(await once(server, 'error')).toMatchObject({
    code: 'ERR_REUSEPORT_GROUP_FULL',
    maxMembers: 2,
    members: expect.arrayContaining([expect.objectContaining({ pid, command: expect.stringContaining('member.mjs') })]),
    message: expect.stringMatching(
      /^127\.0\.0\.1:\d+ has 2 of at most 2 members \(option maxMembers\): \d+ \(.*member\.mjs.*\), \d+ \(/,
    ),
  })
  expect(() => openReusePortSocket({ port, host, maxMembers: 1 })).toThrow(
    expect.objectContaining({ code: 'ERR_REUSEPORT_GROUP_FULL' }),
  )
  expect(openSockets()).toEqual(before)

  // There is room for one more, and who does not ask is let in.
  listenReusePort(server, { port, host, maxMembers: 3 })
  await once(server, 'listening')
  using _unasked = openReusePortSocket({ port, host })
  expect((await inspectGroup(server)).members).toHaveLength(4)
  await closed(server)
})

test('1 means nobody else; another address is another group; port 0 is always free', async () => {
  const server = listenReusePort(net.createServer(), { port: 0, host, maxMembers: 1 })
  await once(server, 'listening')
  const port = portOf(server)
  expect(() => openReusePortSocket({ port, host, maxMembers: 1 })).toThrow()
  openReusePortSocket({ port, host: '127.0.0.2', maxMembers: 1 }).close()
  openReusePortSocket({ port, host: '::1', maxMembers: 1 }).close()
  openReusePortSocket({ port: 0, host, maxMembers: 1 }).close()
  await closed(server)
  openReusePortSocket({ port, host, maxMembers: 1 }).close()
})

test('20 processes that start at once: exactly as many listen as may', async () => {
  const port = await freePort()
  const limit = 3
  const programs = Array.from({ length: 20 }, () => member({ port, maxMembers: limit, wait: true }))
  try {
    for (const program of programs) expect(await program.message()).toBe('ready')
    for (const program of programs) program.send({ go: true })
    const told = await Promise.all(programs.map((program) => program.message<{ error?: { code: string } }>()))
    const refused = told.filter(({ error }) => error !== undefined)
    expect(refused.map(({ error }) => error?.code)).toEqual(Array(20 - limit).fill('ERR_REUSEPORT_GROUP_FULL'))
    expect(listenersOn(port)).toHaveLength(limit)
  } finally {
    await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()))
  }
})

test('dgram: the same, and the lock is gone when listening is emitted', async () => {
  using first = await bind(dgram.createSocket('udp4'), { address: host, maxMembers: 2 })
  const second = dgram.createSocket('udp4')
  const inListener = new Promise<unknown>((resolve) => {
    second.once('listening', () => {
      // Looks nothing up, so that it is bound inside this listener.
      const third = dgram.createSocket({
        type: 'udp4',
        lookup: (_name, family, found) => Reflect.apply(found, undefined, [null, host, family]),
      })
      resolve(
        bound(third, () => bindReusePort(third, { address: host, port: first.port, maxMembers: 2 })).then((error) => {
          third.close()
          return error
        }),
      )
    })
  })
  using _second = await bind(second, { address: host, port: first.port, maxMembers: 2 })
  expect(await inListener).toMatchObject({
    code: 'ERR_REUSEPORT_GROUP_FULL',
    members: [{ self: true }, { self: true }],
  })
})

test.each([
  [0, 'ERR_OUT_OF_RANGE'],
  [1.5, 'ERR_OUT_OF_RANGE'],
  ['2', 'ERR_INVALID_ARG_TYPE'],
])('maxMembers: %j is refused', (maxMembers, code) => {
  expect(() => Reflect.apply(openReusePortSocket, undefined, [{ maxMembers }])).toThrow(
    expect.objectContaining({ code }),
  )
})

describe('the lock', () => {
  const name = `reuseport-test:${process.pid}`
  const ERRNO = { ETIMEDOUT: -110, EACCES: -13, ENAMETOOLONG: -36 }

  function acquire(timeout: number): number {
    const lock = addon.acquireLock(name, timeout)
    if (typeof lock !== 'number') throw new Error(`${lock.syscall} ${lock.errno}`)
    return lock
  }

  test('is one at a time, and released by closing it', () => {
    const before = openSockets()
    const first = acquire(0)
    expect(addon.acquireLock(name, 0)).toEqual({ errno: ERRNO.ETIMEDOUT, syscall: 'bind' })
    expect(addon.acquireLock(name, 30)).toEqual({ errno: ERRNO.ETIMEDOUT, syscall: 'bind' })
    addon.close(first)
    addon.close(acquire(0))
    expect(openSockets()).toEqual(before)
  })

  test('is released by the death of its process, and whoever waits has it then', async () => {
    await using holder = start('lock.mjs', [name])
    expect(await holder.message()).toBe('locked')
    expect(addon.acquireLock(name, 0)).toMatchObject({ errno: ERRNO.ETIMEDOUT })
    // It is killed while this process waits in a call that blocks: by itself, a little later.
    holder.send({ dieIn: 100 })
    addon.close(acquire(10_000))
  })

  test('a name that is too long is a failure', () => {
    expect(addon.acquireLock('x'.repeat(108), 0)).toEqual({ errno: ERRNO.ENAMETOOLONG, syscall: 'bind' })
    for (const args of [[], [1, 1], ['x'], ['x', -1]]) {
      expect(() => Reflect.apply(addon.acquireLock, addon, args)).toThrow(TypeError)
    }
  })

  test("another user's is not waited for", async (context) => {
    if (process.getuid?.() !== 0) context.skip('changing the user takes root')
    await using holder = start('lock.mjs', [name, '65534'])
    expect(await holder.message()).toBe('locked')
    expect(addon.acquireLock(name, 10_000)).toEqual({ errno: ERRNO.EACCES, syscall: 'bind' })
  })

  test('that cannot be had is not waited for long: the members are counted all the same', async () => {
    const port = await freePort()
    const lock = addon.acquireLock(`reuseport:join:tcp4:${host}:${port}`, 0) as number
    const spy = vi.spyOn(addon, 'acquireLock')
    const first = openReusePortSocket({ port, host, maxMembers: 1 })
    const late = { type: 'return', value: { errno: ERRNO.ETIMEDOUT, syscall: 'bind' } }
    expect(spy.mock.results).toEqual([late, late])
    // Longer only for a process of this user.
    expect(spy.mock.calls.map(([, timeout]) => timeout)).toEqual([50, 2000])
    expect(() => openReusePortSocket({ port, host, maxMembers: 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_REUSEPORT_GROUP_FULL' }),
    )
    first.close()
    addon.close(lock)
  })
})
