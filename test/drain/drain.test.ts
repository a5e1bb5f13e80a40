// A server leaves its group: what it does, what it reports, and what happens when something comes between.
import { execFile } from 'node:child_process'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DrainOptions, drain, listenReusePort } from '../../src/index.js'
import { waitingConnections } from '../../src/native/accept-queue.js'
import { loadAddon } from '../../src/native/addon.js'
import { serverDescriptor } from '../../src/node/adopt.js'
import { hear, hearMany, named, share } from '../support/group-of-servers.js'
import { closed, once, portOf, SERVER_KINDS } from '../support/listeners.js'
import { program, start } from '../support/processes.js'
import { NODE_SHARES } from '../support/run.js'
import { listenersOn, openSockets } from '../support/sockets.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state

/** Its handshake takes a second. */
const lateClient = fileURLToPath(new URL('../fixtures/late-client.py', import.meta.url))

const opened: net.Server[] = []
let before: readonly string[]

function keep<T extends net.Server>(...servers: readonly T[]): readonly T[] {
  opened.push(...servers)
  return servers
}

function three(): readonly [net.Server, net.Server, net.Server] {
  const servers = [named('first'), named('second'), named('third')] as const
  keep(...servers)
  return servers
}

beforeEach(() => {
  before = openSockets()
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
  // Clients of the tests close a moment later.
  while (openSockets().length > before.length) await pause(5)
  expect(openSockets()).toEqual(before)
})

test('it leaves, the others stay, and its group is by hash again', async () => {
  const [leaving, ...others] = keep(named('a'), named('b'), named('c')) as [net.Server, ...net.Server[]]
  const port = await share([leaving, ...others])
  let closes = 0
  leaving.on('close', () => closes++)
  const report = await drain(leaving)
  expect(report).toEqual({
    lossless: true,
    method: 'steer',
    reason: undefined,
    acceptedWhileDraining: 0,
    handshakesAwaited: expect.any(Number),
    connectionsClosed: 0,
    connectionsDestroyed: 0,
    connectionsLeft: 0,
    duration: expect.any(Number),
  })
  expect(report.duration).toBeGreaterThanOrEqual(49)
  expect([leaving.listening, closes, listenersOn(port).length]).toEqual([false, 1, 2])
  // A program that was left behind would know nothing of the newcomer.
  const [newcomer] = keep(named('d'))
  await share([newcomer as net.Server], '127.0.0.1', port)
  const counts = await hearMany(port, 300)
  expect(Object.keys(counts).toSorted()).toEqual(['b', 'c', 'd'])
})

test('not one connection goes to it from the moment that it is steered around; what waited is accepted', async () => {
  const [leaving, other] = keep(named('leaving'), named('other')) as [net.Server, net.Server]
  const port = await share([leaving, other])
  // All of these are in one of the two queues before the drain begins.
  const waiting = Array.from({ length: 100 }, () => hear(port))
  await pause(2)
  const draining = drain(leaving, { grace: 2000 })
  // Before it is steered around it gets its share.
  let meanwhile = 0
  await expect
    .poll(async () => {
      const answers = await hearMany(port, 30)
      meanwhile += answers['leaving'] ?? 0
      return answers
    })
    .toEqual({ other: 30 })
  expect(await hearMany(port, 30)).toEqual({ other: 30 })
  // It could still have accepted.
  expect(leaving.listening).toBe(true)
  const { acceptedWhileDraining, lossless } = await draining
  const answers = await Promise.all(waiting)
  expect(answers.every((answer) => answer === 'leaving' || answer === 'other')).toBe(true)
  expect(lossless).toBe(true)
  const waited = answers.filter((answer) => answer === 'leaving').length
  expect(acceptedWhileDraining).toBeLessThanOrEqual(waited + meanwhile)
})

test.each([0, 1, 2, 3])('whichever its slot: %i', async (slot) => {
  const servers = keep(named('0'), named('1'), named('2'), named('3'))
  const port = await share(servers)
  const draining = drain(servers[slot] as net.Server, { grace: 2000 })
  const others = ['0', '1', '2', '3'].filter((name) => name !== String(slot))
  const reached = async (): Promise<readonly string[]> => Object.keys(await hearMany(port, 60)).toSorted()
  await expect.poll(reached).toEqual(others)
  expect(await reached()).toEqual(others)
  // It could still have accepted.
  expect(servers[slot]?.listening).toBe(true)
  expect(await draining).toMatchObject({ lossless: true, method: 'steer' })
})

test('alone in its group: what waits is accepted, and it says so', async () => {
  const [alone] = keep(named('alone')) as [net.Server]
  const port = await share([alone])
  const waiting = Array.from({ length: 50 }, () => hear(port))
  await pause(5)
  const report = await drain(alone)
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'alone'))
  expect(report).toMatchObject({
    lossless: true,
    method: 'close',
    reason: 'the group has no other member to steer to',
    connectionsDestroyed: 0,
  })
  expect(listenersOn(port)).toEqual([])
})

test.each(Object.keys(SERVER_KINDS))('a server of every kind: %s', async (kind) => {
  const create = SERVER_KINDS[kind] as () => net.Server
  const servers = keep(create(), create())
  const port = await share(servers)
  expect(await drain(servers[0] as net.Server)).toMatchObject({ lossless: true, method: 'steer' })
  expect(listenersOn(port)).toHaveLength(1)
  expect(await drain(servers[1] as net.Server)).toMatchObject({ lossless: true, method: 'close' })
})

test.each(['127.0.0.1', '::1', '0.0.0.0', '::', undefined])('at every kind of address: %s', async (host) => {
  const [leaving, other] = keep(named('leaving'), named('other')) as [net.Server, net.Server]
  const port = await share([leaving, other], host)
  expect(await drain(leaving)).toMatchObject({ lossless: true, method: 'steer' })
  expect(await hearMany(port, 20, host?.includes(':') === true ? '::1' : '127.0.0.1')).toEqual({ other: 20 })
})

test('beside another group of the same port at a specific address', async () => {
  const [leaving, other] = keep(named('leaving'), named('other')) as [net.Server, net.Server]
  const port = await share([leaving, other], '0.0.0.0')
  await share(keep(named('stranger')), '127.0.0.1', port)
  expect(await drain(leaving)).toMatchObject({ lossless: true, method: 'steer' })
})

test('servers that core opened', async (context) => {
  if (!NODE_SHARES) context.skip('this Node has no reusePort')
  const [leaving, other] = keep(named('leaving'), named('other')) as [net.Server, net.Server]
  leaving.listen({ port: 0, host: '127.0.0.1', reusePort: true })
  await once(leaving, 'listening')
  other.listen({ port: portOf(leaving), host: '127.0.0.1', reusePort: true })
  await once(other, 'listening')
  expect(await drain(leaving)).toMatchObject({ lossless: true, method: 'steer' })
})

test('all servers of a process at once, of one group and of several', async () => {
  const groups = [
    keep(...Array.from({ length: 4 }, (_, member) => named(`a${member}`))),
    keep(...Array.from({ length: 4 }, (_, member) => named(`b${member}`))),
  ]
  for (const servers of groups) await share(servers)
  const reports = await Promise.all(groups.flat().map((server) => drain(server)))
  // They leave together, so there is nobody to steer to.
  expect(reports.map(({ method }) => method)).toEqual(Array(8).fill('close'))
  expect(reports.every(({ lossless }) => lossless)).toBe(true)
})

test('a second call gives the same promise; a server that listens again is drained again', async () => {
  const [server, other] = keep(named('a'), named('b')) as [net.Server, net.Server]
  const port = await share([server, other])
  const first = drain(server)
  expect(drain(server)).toBe(first)
  expect(drain(server, { grace: 1 })).toBe(first)
  await first
  await pause(1)
  expect(drain(server)).toBe(first)
  await share([server], '127.0.0.1', port)
  const second = drain(server)
  expect(second).not.toBe(first)
  expect(await second).toMatchObject({ lossless: true })
})

describe('what cannot be drained', () => {
  test('a server that does not listen: as Node says it', async () => {
    await expect(drain(net.createServer())).rejects.toMatchObject({
      code: 'ERR_SERVER_NOT_RUNNING',
      message: 'Server is not running.',
    })
  })

  test.each([
    ['no server', [{}], 'ERR_INVALID_ARG_TYPE', 'server'],
    ['no options', [net.createServer(), 5], 'ERR_INVALID_ARG_TYPE', 'options'],
    ['a name that nobody knows', [net.createServer(), { graze: 1 }], 'ERR_REUSEPORT_UNKNOWN_OPTION', "'grace'"],
    ['a grace below 0', [net.createServer(), { grace: -1 }], 'ERR_OUT_OF_RANGE', 'options.grace'],
    ['a grace without end', [net.createServer(), { grace: Infinity }], 'ERR_OUT_OF_RANGE', 'options.grace'],
    ['no number', [net.createServer(), { handshakeTimeout: '1' }], 'ERR_INVALID_ARG_TYPE', 'options.handshakeTimeout'],
    ['NaN', [net.createServer(), { connectionTimeout: Number.NaN }], 'ERR_OUT_OF_RANGE', 'options.connectionTimeout'],
    [
      'text for a time',
      [net.createServer(), { idleTimeout: '10' }],
      'ERR_INVALID_ARG_TYPE',
      'The "options.idleTimeout" property must be a number of milliseconds from 0 to 2147483647. Received',
    ],
    [
      'a time below 0',
      [net.createServer(), { connectionTimeout: -1 }],
      'ERR_OUT_OF_RANGE',
      'It must be a number of milliseconds from 0 to 2147483647, or Infinity. Received -1',
    ],
    ['no signal', [net.createServer(), { signal: {} }], 'ERR_INVALID_ARG_TYPE', 'options.signal'],
  ])('%s', async (_what, args, code, text) => {
    const error: NodeJS.ErrnoException = await Reflect.apply(drain, undefined, args).then(
      () => undefined,
      (reason: NodeJS.ErrnoException) => reason,
    )
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
  })

  test('a server on a path is closed', async () => {
    const [server] = keep(named('path')) as [net.Server]
    server.listen(`\0reuseport-drain-${process.pid}`)
    await once(server, 'listening')
    expect(await drain(server)).toMatchObject({
      method: 'close',
      reason: expect.stringContaining('not listen on a port'),
    })
    expect(server.listening).toBe(false)
  })

  test('a plain listener, which shares with nobody: what waits is accepted', async () => {
    const [server] = keep(named('plain')) as [net.Server]
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const waiting = Array.from({ length: 20 }, () => hear(portOf(server)))
    await pause(5)
    expect(await drain(server)).toMatchObject({ lossless: true, method: 'close' })
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'plain'))
  })
})

describe('where programs are refused (SO_LOCK_FILTER, as seccomp would)', () => {
  const SO_LOCK_FILTER = 44
  const locked = { level: 1, name: SO_LOCK_FILTER, value: 1, stage: 'after-listen' } as const

  test('nobody new is answered; their clients ask again and reach another', async () => {
    const [leaving, other] = keep(named('leaving'), named('other')) as [net.Server, net.Server]
    listenReusePort(leaving, { port: 0, host: '127.0.0.1', rawSocketOptions: [locked] })
    await once(leaving, 'listening')
    const port = await share([other], '127.0.0.1', portOf(leaving))
    const clients: Promise<string>[] = []
    const connecting = setInterval(() => clients.push(hear(port)), 2)
    const report = await drain(leaving)
    clearInterval(connecting)
    expect(report).toMatchObject({
      lossless: true,
      method: 'defer',
      reason: expect.stringMatching(/^connections cannot be steered: .* denies the call \(setsockopt EPERM\)$/),
    })
    const answers = await Promise.all(clients)
    expect(answers.filter((answer) => answer !== 'leaving' && answer !== 'other')).toEqual([])
    expect(answers).toContain('other')
  })
  test('a client whose handshake is under way when that begins is heard', async () => {
    const leaving = net.createServer((socket) => socket.on('error', () => {}).on('data', (data) => socket.end(data)))
    const [other] = keep(named('other')) as [net.Server]
    keep(leaving)
    listenReusePort(leaving, { port: 0, host: '127.0.0.1', rawSocketOptions: [locked] })
    await once(leaving, 'listening')
    const port = portOf(leaving)
    const client = execFile('python3', [lateClient, String(port), 'are you there?'])
    let said = ''
    client.stdout?.on('data', (text) => {
      said += text
    })
    while (said !== 'begun\n') await pause(5)
    await share([other], '127.0.0.1', port)
    expect(await drain(leaving, { handshakeTimeout: 3000 })).toMatchObject({
      lossless: true,
      method: 'defer',
      handshakesAwaited: 1,
      acceptedWhileDraining: 1,
    })
    while (said === 'begun\n') await pause(5)
    expect(said).toBe('begun\nare you there?')
  })
})

describe('what comes between', () => {
  test('an abort while it steers: it listens as before, and the group is by hash', async () => {
    const [staying, other] = keep(named('staying'), named('other')) as [net.Server, net.Server]
    const port = await share([staying, other])
    const abort = new AbortController()
    const draining = drain(staying, { signal: abort.signal, grace: 10_000 })
    await expect.poll(() => hearMany(port, 20)).toEqual({ other: 20 })
    abort.abort()
    await expect(draining).rejects.toMatchObject({ name: 'AbortError' })
    expect(staying.listening).toBe(true)
    expect(Object.keys(await hearMany(port, 100)).toSorted()).toEqual(['other', 'staying'])
    expect(staying.listenerCount('connection')).toBe(1)
    expect(await drain(staying)).toMatchObject({ lossless: true, method: 'steer' })
  })

  test('a signal that has been aborted before', async () => {
    const [staying, other] = keep(named('staying'), named('other')) as [net.Server, net.Server]
    await share([staying, other])
    await expect(drain(staying, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect(staying.listening).toBe(true)
  })

  test('an abort while connections end: they are left alone', async () => {
    const served: net.Socket[] = []
    const [leaving, other] = keep(
      net.createServer((socket) => served.push(socket)),
      named('other'),
    ) as [net.Server, net.Server]
    const port = await share([leaving])
    const client = net.connect(port, '127.0.0.1').on('error', () => {})
    await once(leaving, 'connection')
    await share([other], '127.0.0.1', port)
    const abort = new AbortController()
    const draining = drain(leaving, { signal: abort.signal, grace: 0 })
    while (leaving.listening) await pause(5)
    abort.abort(new Error('no longer'))
    await expect(draining).rejects.toThrow('no longer')
    expect(served[0]?.destroyed).toBe(false)
    client.destroy()
    await once(leaving, 'close')
  })

  test('close() during the drain: the group is put right all the same', async () => {
    const [leaving, other] = keep(named('leaving'), named('other')) as [net.Server, net.Server]
    const port = await share([leaving, other])
    const draining = drain(leaving)
    await pause(15)
    leaving.close()
    const report = await draining
    expect(report).toMatchObject({ lossless: true, method: 'steer' })
    expect(report.duration).toBeLessThan(5000)
    await share(keep(named('newcomer')), '127.0.0.1', port)
    expect(Object.keys(await hearMany(port, 100)).toSorted()).toEqual(['newcomer', 'other'])
  })

  test.each([0, 1, 2])('a member of slot %i dies during the drain of another', async (dying) => {
    // The leaving one is last, so that it moves into the place of the dead one, where connections come again.
    const members = keep(named('0'), named('1'), named('2'), named('leaving')) as net.Server[]
    const [leaving] = members.slice(3) as [net.Server]
    const port = await share(members)
    const answers: string[] = []
    let connecting = true
    const clients = Array.from({ length: 8 }, async () => {
      while (connecting) answers.push(await hear(port))
    })
    const draining = drain(leaving, { grace: 1000 })
    // The others get all new connections now, while the drain waits.
    await expect.poll(() => hearMany(port, 30)).not.toHaveProperty('leaving')
    await die(members[dying] as net.Server)
    const report = await draining
    connecting = false
    await Promise.all(clients)
    expect(report).toMatchObject({ lossless: true, method: 'steer' })
    expect(answers.filter((answer) => !['0', '1', '2', 'leaving'].includes(answer))).toEqual([])
    // Having come within reach again, it steered once more, and waited once more.
    expect(report.duration).toBeGreaterThan(1999)
  })

  /** Closes a listener that has nothing to lose: for a while nobody new has been answered by it. */
  async function die(server: net.Server): Promise<void> {
    const fd = serverDescriptor(server) as number
    expect(addon.deferNewConnections(fd, 4)).toBe(0)
    await pause(20)
    await expect.poll(() => waitingConnections(addon, fd)).toBe(0)
    await closed(server)
  }
})

/** Kills the drainer at some moment of its drain, and looks what is left of the group. */
test.each([0, 3, 10, 30, 60])('SIGKILL %i ms into a drain: the next drain puts the group right', async (delay) => {
  const [first, second, third] = three()
  await using doomed = start('drain.mjs', [JSON.stringify({ host: '127.0.0.1', port: 0 })])
  const { port } = await doomed.message<{ port: number }>()
  await share([first, second, third], '127.0.0.1', port)
  doomed.send({ act: 'drain', options: { grace: 5000 } satisfies DrainOptions })
  await doomed.message()
  await pause(delay)
  doomed.child.kill('SIGKILL')
  await doomed.exited
  expect(await drain(first)).toMatchObject({ lossless: true, method: 'steer' })
  expect(Object.keys(await hearMany(port, 200)).toSorted()).toEqual(['second', 'third'])
})

test('SIGKILL while it waits for a handshake: the next drain puts the group right', async () => {
  const [first, second, third] = three()
  await using doomed = start('drain.mjs', [JSON.stringify({ host: '127.0.0.1', port: 0 })])
  const { port } = await doomed.message<{ port: number }>()
  // Its handshake is open for a second.
  await using _client = await program('python3', [lateClient, String(port)])
  await share([first, second, third], '127.0.0.1', port)
  doomed.send({ act: 'drain', options: { grace: 0, handshakeTimeout: 5000 } satisfies DrainOptions })
  await doomed.message()
  await pause(200)
  expect(Object.keys(await hearMany(port, 100)).toSorted()).toEqual(['first', 'second', 'third'])
  doomed.child.kill('SIGKILL')
  await doomed.exited
  expect(await drain(first)).toMatchObject({ lossless: true, method: 'steer' })
  expect(Object.keys(await hearMany(port, 200)).toSorted()).toEqual(['second', 'third'])
})

test('connections that do not end are destroyed at connectionTimeout, those that do are counted', async () => {
  const [leaving, other] = keep(
    net.createServer((socket) => socket.on('error', () => {}).resume()),
    named('other'),
  ) as [net.Server, net.Server]
  const port = await share([leaving])
  const clients = Array.from({ length: 5 }, () => net.connect(port, '127.0.0.1').on('error', () => {}))
  for (const _ of clients) await once(leaving, 'connection')
  await share([other], '127.0.0.1', port)
  const draining = drain(leaving, { connectionTimeout: 2000 })
  setTimeout(() => {
    for (const client of clients.slice(0, 3)) client.end()
  }, 500)
  expect(await draining).toMatchObject({
    lossless: false,
    reason: '2 connections were destroyed at connectionTimeout',
    connectionsClosed: 3,
    connectionsDestroyed: 2,
  })
})

test('connectionTimeout: Infinity waits', async () => {
  const [leaving, other] = keep(
    net.createServer((socket) => socket.resume()),
    named('other'),
  ) as [net.Server, net.Server]
  const port = await share([leaving])
  const client = net.connect(port, '127.0.0.1')
  await once(leaving, 'connection')
  await share([other], '127.0.0.1', port)
  const draining = drain(leaving, { connectionTimeout: Number.POSITIVE_INFINITY, grace: 0 })
  setTimeout(() => client.end(), 300)
  expect(await draining).toMatchObject({ lossless: true, connectionsClosed: 1, connectionsDestroyed: 0 })
})
