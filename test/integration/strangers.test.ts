// Processes of another user cannot steer, nor keep others from draining.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NamePurpose } from '../../src/group/name.js'
import { drain, listenReusePort, steer } from '../../src/index.js'
import { connectAbstract } from '../../src/native/abstract-socket.js'
import { loadAddon } from '../../src/native/addon.js'
import { hearMany, named, share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'
import { program } from '../support/processes.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state

const STRANGER = 65_534
const script = fileURLToPath(new URL('../fixtures/stranger.py', import.meta.url))
const opened: net.Server[] = []
let port: number

const nameOf = (purpose: NamePurpose): string => `reuseport:${purpose}:tcp4:127.0.0.1:${port}`

beforeEach(async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can start a process of another user')
  opened.push(named('0'), named('1'))
  port = await share(opened)
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

/** How a stranger has a name: with a queue, without one, or with a full one. */
const WAYS = ['take', 'bind', 'fill'] as const

function take(purpose: NamePurpose, how: (typeof WAYS)[number]): ReturnType<typeof program> {
  return program('python3', [script, String(STRANGER), how, nameOf(purpose)])
}

/** Of a program whose event loop stands still this is late, or never. */
async function turns(): Promise<number> {
  let count = 0
  const timer = setInterval(() => count++, 1)
  await pause(200)
  clearInterval(timer)
  return count
}

describe.each(WAYS)('a stranger has a name: %s', (how) => {
  test('that of the keeper: steering is refused, with his uid; drains go on', async () => {
    await using _stranger = await take('keeper', how)
    await expect(steer(opened[0] as net.Server, 'random')).rejects.toMatchObject({
      code: 'ERR_REUSEPORT_STEERING_UNAVAILABLE',
      reason: `a process of uid ${STRANGER} has bound the name @${nameOf('keeper')}`,
    })
    expect(await turns()).toBeGreaterThan(20)
    expect(await drain(opened[0] as net.Server)).toMatchObject({ lossless: true, method: 'steer' })
  })

  test('that of the lock: a drain goes on without it, and loses nothing', async () => {
    await using _stranger = await take('lock', how)
    const report = await drain(opened[0] as net.Server)
    expect(report).toMatchObject({
      lossless: true,
      method: 'defer',
      reason: `The lock @${nameOf('lock')} could not be acquired: a process of uid ${STRANGER} has bound its name`,
    })
    expect(report.duration).toBeLessThan(5000)
    await expect(steer(opened[1] as net.Server, 'random')).rejects.toMatchObject({ code: 'ERR_REUSEPORT_LOCKED' })
  })

  test('that of the leader: the same; a policy does not wait for him', async () => {
    await using _stranger = await take('leader', how)
    expect(await steer(opened[1] as net.Server, 'random')).toMatchObject({ method: 'program' })
    const report = await drain(opened[0] as net.Server)
    expect(report).toMatchObject({
      lossless: true,
      method: 'defer',
      reason: expect.stringContaining(`uid ${STRANGER}`),
    })
    expect(report.duration).toBeLessThan(5000)
  })

  test('that of those who join: maxMembers holds all the same', async () => {
    await using _stranger = await take('join', how)
    const third = named('2')
    const failed = once(third, 'error')
    listenReusePort(third, { port, host: '127.0.0.1', maxMembers: 2 })
    expect((await failed)[0]).toMatchObject({ code: 'ERR_REUSEPORT_GROUP_FULL' })
    opened.push(third)
    listenReusePort(third, { port, host: '127.0.0.1', maxMembers: 3 })
    await once(third, 'listening')
  })
})

test('who speaks to the keeper is not heard', async () => {
  await steer(opened[0] as net.Server, { program: [{ code: 6, k: 1 }] })
  const wish = `${JSON.stringify({ policy: { program: [{ code: 6, k: 0 }] }, since: Number.MAX_SAFE_INTEGER })}\n`
  const child = spawn('python3', [script, String(STRANGER), 'speak', nameOf('keeper')])
  child.stdin.end(wish)
  let said = ''
  child.stdout.on('data', (text) => {
    said += text
  })
  await new Promise((resolve) => child.on('close', resolve))
  expect(said).toMatch(/^heard b''|^failed: /)
  await pause(100)
  expect(await hearMany(port, 30)).toEqual({ 1: 30 })
})

test('what is no message ends the connection, and changes nothing', async () => {
  await steer(opened[0] as net.Server, { program: [{ code: 6, k: 1 }] })
  for (const line of [
    '{',
    'null',
    '[]',
    '{"since":1e300}',
    '{"since":1e300,"policy":"fair"}',
    '{"since":"now"}',
    'x'.repeat(2 ** 21),
  ]) {
    const socket = connectAbstract(addon, nameOf('keeper')) as net.Socket
    socket.on('error', () => {})
    let said = ''
    socket.on('data', (data) => {
      said += String(data)
    })
    socket.end(`${line}\n`)
    await new Promise((resolve) => socket.on('close', resolve))
    if (said !== '') expect(said).toMatch(/refused|steering/)
  }
  await pause(100)
  expect(await hearMany(port, 30)).toEqual({ 1: 30 })
})

test('another user has a port of its own: it is no member here', async () => {
  const { status } = spawnSync('python3', [
    '-c',
    `import os,socket; os.setuid(${STRANGER}); s=socket.socket(); s.setsockopt(1,15,1); s.bind(("127.0.0.1",${port}))`,
  ])
  expect(status).not.toBe(0)
})
