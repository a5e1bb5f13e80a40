// Listeners that leave a group at once leave it together, led by one of their processes.
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { drain, steer } from '../../src/index.js'
import { connectAbstract, listenAbstract } from '../../src/native/abstract-socket.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { connectionDescriptor } from '../../src/node/adopt.js'
import { hearMany, named, share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'
import { type Program, start } from '../support/processes.js'
import { openSockets } from '../support/sockets.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const addon = state.addon as { -readonly [name in keyof Addon]: Addon[name] }
const original: Addon = { ...addon }

const opened: net.Server[] = []

async function open(names: readonly string[]): Promise<number> {
  opened.push(...names.map(named))
  return share(opened)
}

afterEach(async () => {
  Object.assign(addon, original)
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

const STEERED = { lossless: true, method: 'steer', reason: undefined }

describe('in one process', () => {
  test('one program for all of them, and the lock is taken twice', async () => {
    const before = openSockets()
    const port = await open(['0', '1', '2', '3', '4', '5'])
    const calls = { locks: 0, probes: [] as number[], programs: 0 }
    addon.acquireLock = (name, timeout) => {
      const fd = original.acquireLock(name, timeout)
      if (name.startsWith('reuseport:lock:') && typeof fd === 'number') calls.locks++
      return fd
    }
    addon.learnSlots = (listeners, ...rest) => {
      calls.probes.push(listeners.length)
      return original.learnSlots(listeners, ...rest)
    }
    addon.attachProgram = (...args) => {
      calls.programs++
      return original.attachProgram(...args)
    }
    const draining = opened.filter((_, index) => index % 3 !== 0).map((server) => drain(server, { grace: 200 }))
    // Before the first of them has left, new connections go to those that stay.
    await expect.poll(() => calls.programs).toBe(1)
    expect(Object.keys(await hearMany(port, 20)).toSorted()).toEqual(['0', '3'])
    expect(await Promise.all(draining)).toEqual(Array(4).fill(expect.objectContaining(STEERED)))
    expect(calls).toEqual({ locks: 2, probes: [4], programs: 2 })
    expect(Object.keys(await hearMany(port, 60)).toSorted()).toEqual(['0', '3'])
    await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
    expect(openSockets()).toEqual(before)
  })

  test('all of them: nobody to steer to, no program, and nobody waits for the others', async () => {
    const port = await open(['0', '1', '2', '3'])
    addon.attachProgram = () => {
      throw new Error('there is nothing to attach')
    }
    const reports = await Promise.all(opened.map((server) => drain(server)))
    const close = { lossless: true, method: 'close', reason: 'the group has no other member to steer to' }
    expect(reports).toEqual(Array(4).fill(expect.objectContaining(close)))
    expect(await hearMany(port, 3)).toEqual({ ECONNREFUSED: 3 })
  })

  test('one that does not want to any more stays, and gets connections again', async () => {
    const port = await open(['0', '1', '2'])
    const abort = new AbortController()
    const [stays, leaves] = [
      drain(opened[1] as net.Server, { signal: abort.signal, grace: 300 }),
      drain(opened[2] as net.Server, { grace: 300 }),
    ]
    await pause(100)
    abort.abort(new Error('it stays'))
    await expect(stays).rejects.toThrow('it stays')
    expect(await leaves).toMatchObject(STEERED)
    expect(Object.keys(await hearMany(port, 60)).toSorted()).toEqual(['0', '1'])
  })

  test('the only one that does not want to any more leaves no program behind', async () => {
    const port = await open(['0', '1'])
    const abort = new AbortController()
    const stays = drain(opened[1] as net.Server, { signal: abort.signal, grace: 10_000 })
    await pause(100)
    abort.abort(new Error('it stays'))
    await expect(stays).rejects.toThrow('it stays')
    expect(Object.keys(await hearMany(port, 60)).toSorted()).toEqual(['0', '1'])
  })

  test('those that stay go meanwhile: no program is left for who comes next', async () => {
    const port = await open(['0', '1', '2'])
    const draining = [drain(opened[1] as net.Server, { grace: 400 }), drain(opened[2] as net.Server, { grace: 400 })]
    await pause(150)
    await closed(opened[0] as net.Server)
    const reports = await Promise.all(draining)
    expect(reports.map(({ method }) => method)).toEqual(['close', 'close'])
    const next = [named('3'), named('4'), named('5')]
    opened.push(...next)
    await share(next, '127.0.0.1', port)
    expect(Object.keys(await hearMany(port, 90)).toSorted()).toEqual(['3', '4', '5'])
  })

  test('what is no listener of the group joins nothing', async () => {
    const port = await open(['0', '1'])
    const draining = drain(opened[1] as net.Server, { grace: 300 })
    await pause(50)
    const others: Promise<unknown>[] = []
    for (const text of ['{"type":"join","patience":1}\n', '{"type":"ready"}', 'nonsense']) {
      const socket = connectAbstract(addon, `reuseport:leader:tcp4:127.0.0.1:${port}`) as net.Socket
      others.push(new Promise((resolve) => socket.on('error', () => {}).once('close', resolve)))
      const fd = connectionDescriptor(socket) as number
      // With a descriptor, that of a terminal or a pipe, and without one.
      if (text.endsWith('\n')) socket.write(text)
      else expect(addon.sendDescriptor(fd, 0, text)).toBeUndefined()
      socket.resume()
    }
    await Promise.all(others)
    expect(await draining).toMatchObject(STEERED)
  })

  test('a leader that says nonsense, or nothing, is left', async () => {
    const port = await open(['0', '1'])
    const name = `reuseport:leader:tcp4:127.0.0.1:${port}`
    for (const said of ['nonsense\n', '{"type":"alone"}\n', '']) {
      const connections = new Set<net.Socket>()
      const leader = net.createServer((socket) => {
        connections.add(socket.on('error', () => {}))
        if (said !== '') socket.write(said)
      })
      expect(listenAbstract(addon, name, leader)).toBeUndefined()
      const report = await drain(opened[1] as net.Server, { lockTimeout: 50 })
      expect(report).toMatchObject({
        lossless: true,
        method: 'defer',
        reason: expect.stringContaining('drains of other'),
      })
      leader.close()
      for (const socket of connections) socket.destroy()
      await closed(leader)
      opened[1] = named('1')
      await share([opened[1]], '127.0.0.1', port)
    }
  })

  test('one that begins later leaves with the next', async () => {
    const port = await open(['0', '1', '2'])
    const first = drain(opened[1] as net.Server, { grace: 400 })
    await pause(200)
    const second = drain(opened[2] as net.Server)
    const ended: string[] = []
    const reports = await Promise.all([
      first.finally(() => ended.push('first')),
      second.finally(() => ended.push('second')),
    ])
    expect(ended).toEqual(['first', 'second'])
    expect(reports).toEqual(Array(2).fill(expect.objectContaining(STEERED)))
    expect(await hearMany(port, 20)).toEqual({ 0: 20 })
  })

  test('a policy is changed when they have left', async () => {
    const port = await open(['0', '1', '2', '3'])
    const draining = [1, 2].map((index) => drain(opened[index] as net.Server, { grace: 2000 }))
    const answering = async (): Promise<readonly string[]> => Object.keys(await hearMany(port, 30)).toSorted()
    await expect.poll(answering).toEqual(['0', '3'])
    // A program that would send connections to those that leave.
    const steering = steer(opened[0] as net.Server, { program: [{ code: 6, k: 1 }] })
    expect(await answering()).toEqual(['0', '3'])
    expect(await Promise.all(draining)).toEqual(Array(2).fill(expect.objectContaining(STEERED)))
    expect(await steering).toMatchObject({ members: 2, method: 'program' })
    expect(await hearMany(port, 20)).toEqual({ 3: 20 })
    await steer(opened[0] as net.Server, 'hash')
  })
})

describe('in several processes', () => {
  async function members(count: number): Promise<{ port: number; all: readonly Program[] }> {
    const port = await open(['staying'])
    const all: Program[] = []
    for (let index = 0; index < count; index++) {
      const one = start('drain.mjs', [JSON.stringify({ host: '127.0.0.1', port })])
      await one.message()
      all.push(one)
    }
    return { port, all }
  }

  async function leave(all: readonly Program[], options: object): Promise<void> {
    for (const one of all) one.send({ act: 'drain', options })
    for (const one of all) expect(await one.message()).toBe('draining')
  }

  async function leaderOf(port: number): Promise<number> {
    const fd = addon.connectToLock(`reuseport:leader:tcp4:127.0.0.1:${port}`) as number
    const peer = addon.peerOf(fd)
    addon.close(fd)
    return 'errno' in peer ? 0 : peer.pid
  }

  /** All new connections go to the one that stays. */
  async function steered(port: number): Promise<void> {
    await expect.poll(async () => Object.keys(await hearMany(port, 30))).toEqual(['staying'])
  }

  test.each([
    ['that leads', 0],
    ['that is led', 1],
  ])('one %s is killed meanwhile: the others leave without a loss', async (_what, killed) => {
    const { all, port } = await members(3)
    await using _first = all[0] as Program
    await using _second = all[1] as Program
    await using _third = all[2] as Program
    await leave(all, { grace: 1500 })
    await steered(port)
    // Whoever has the leader's name leads.
    const leads = await leaderOf(port)
    const victim = all.findIndex(({ child }) => (child.pid === leads) === (killed === 0))
    all[victim]?.child.kill('SIGKILL')
    for (const one of all.filter((_, index) => index !== victim)) {
      expect(await one.message()).toMatchObject({ lossless: true, method: 'steer' })
    }
    expect(await hearMany(port, 20)).toEqual({ staying: 20 })
  })

  test('one that leads and stands still is not waited for beyond the times', async () => {
    const { all, port } = await members(2)
    await using first = all[0] as Program
    await using second = all[1] as Program
    await leave([first, second], { grace: 1500, lockTimeout: 500, handshakeTimeout: 100 })
    await steered(port)
    const leads = await leaderOf(port)
    const [leader, other] = first.child.pid === leads ? [first, second] : [second, first]
    leader.child.kill('SIGSTOP')
    expect(await other.message()).toMatchObject({ lossless: true, method: 'defer' })
    leader.child.kill('SIGCONT')
    expect(await leader.message()).toMatchObject({ lossless: true })
  })
})
