// A worker is told to accept from the sockets of others: what it takes, what it refuses, and when it lets go.

import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs'
import net from 'node:net'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { waitingConnections } from '../../src/native/accept-queue.js'
import { Guests } from '../../src/supervised/guests.js'
import type { Link } from '../../src/supervised/link.js'
import { Servers } from '../../src/supervised/servers.js'
import type { FromWorker, ToWorker } from '../../src/supervisor/protocol.js'
import { answering } from '../support/answering-addon.js'
import { type ForeignSocket, foreignSocket, handleFor, isOpen } from '../support/foreign-socket.js'
import { closed, portOf } from '../support/listeners.js'

const limits = vi.hoisted(() => ({ text: undefined as string | undefined }))
vi.mock('node:fs', async (load) => {
  const real = await load<typeof import('node:fs')>()
  const readFileSync = (...args: Parameters<typeof real.readFileSync>): unknown =>
    (args[0] === '/proc/self/limits' && limits.text) || real.readFileSync(...args)
  return { ...real, readFileSync }
})

type Join = Extract<ToWorker, { readonly type: 'join' }>

const addon = answering({})
const WISH = { address: null, port: 80, ipv6Only: false, options: '' }

let server: net.Server
let servers: Servers
let socket: ForeignSocket
let sent: FromWorker[]
let guests: Guests
let isLinked: boolean
const clients: net.Socket[] = []

beforeEach(async () => {
  server = net.createServer((connection) => connection.on('error', () => {}).end('hello'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  servers = new Servers()
  servers.add({ server: server as never, id: 'own', wish: WISH })
  socket = foreignSocket(addon, portOf(server))
  sent = []
  isLinked = true
  guests = guestsOf(false)
})

afterEach(async () => {
  guests.leave()
  for (const client of clients.splice(0)) client.destroy()
  if (server.listening) await closed(server)
  socket.handle.close()
  socket.end()
})

function guestsOf(isThread: boolean): Guests {
  const link: Pick<Link, 'isOpen' | 'isThread' | 'send'> = {
    isThread,
    isOpen: () => isLinked,
    send: (message) => void sent.push(message),
  }
  return new Guests(link, servers)
}

function joining(id: string, more: Partial<Join> = {}): Join {
  return { type: 'join', id, wish: { ...WISH }, ...more }
}

const joined = (id: string, isTaken: boolean): FromWorker => ({ type: 'joined', id, isTaken })
const parted = (id: string): FromWorker => ({ type: 'parted', id })
/** What is said of visits: their sum. */
const accepted = (): number =>
  sent.reduce(
    (sum, said) => sum + (said.type === 'visits' ? said.ended.reduce((of, { accepted }) => of + accepted, 0) : 0),
    0,
  )
const others = (): readonly FromWorker[] => sent.filter(({ type }) => type !== 'visits')

/** What a client of the socket hears. */
async function visit(): Promise<string> {
  const client = net.connect(portOf(server), '127.0.0.2')
  clients.push(client)
  return (await client.toArray()).join('')
}

describe('a worker', () => {
  test('joins and parts, and tells what it has accepted as a guest', async () => {
    guests.join(joining('a'), socket.handle)
    expect(sent).toEqual([joined('a', true)])
    expect([await visit(), await visit()]).toEqual(['hello', 'hello'])
    const { fd } = socket.handle
    guests.part('a')
    expect([others(), accepted()]).toEqual([[joined('a', true), parted('a')], 2])
    expect(isOpen(fd)).toBe(false)
    // Told once more, and of an id that nobody knows.
    guests.part('a')
    guests.part('b')
    expect(others()).toHaveLength(2)
    guests.join(joining('a'), handleFor(addon, socket.owner))
    expect(await visit()).toBe('hello')
    guests.part('a')
    expect([others().slice(2), accepted()]).toEqual([[joined('a', true), parted('a')], 3])
  })

  test('accepts only from a queue that stands, and for no longer', async () => {
    guests.join(joining('a'), socket.handle)
    expect(await visit()).toBe('hello')
    // The visit has ended: nothing but the watch has the socket.
    await expect.poll(() => sent.filter(({ type }) => type === 'visits')).toHaveLength(2)
    expect(sent.slice(1)).toEqual([
      { type: 'visits', begun: ['a'], ended: [] },
      { type: 'visits', begun: [], ended: [{ id: 'a', accepted: 1 }] },
    ])
    expect(await visit()).toBe('hello')
  })

  test('accepts one connection in a turn where its requests are slow, and all in the end', async () => {
    const turns: number[] = []
    let turn = 0
    let isOver = false
    // Timers come first in a turn, and none is shorter than 1 ms.
    const next = (): void => {
      turn++
      if (!isOver) setTimeout(next)
    }
    setTimeout(next)
    server.removeAllListeners('connection')
    server.on('connection', (connection) => {
      turns.push(turn)
      // 8 ms of processor time, which a busy machine does not change.
      for (const begun = process.cpuUsage(); process.cpuUsage(begun).user < 8000; );
      connection.on('error', () => {}).end('slow')
    })
    guests.join(joining('a'), socket.handle)
    expect(await visit()).toBe('slow')
    await expect.poll(() => sent.some((said) => said.type === 'visits' && said.ended.length > 0)).toBe(true)
    turns.length = 0
    const clients = Array.from({ length: 6 }, (_, at) =>
      net.connect(portOf(server), at % 2 === 0 ? '127.0.0.2' : '127.0.0.1'),
    )
    const heard = await Promise.all(clients.map(async (client) => (await client.toArray()).join('')))
    isOver = true
    expect(heard).toEqual(Array(6).fill('slow'))
    expect(new Set(turns).size).toBe(6)
    const count = (of: 'begun' | 'ended'): number =>
      sent.reduce((sum, said) => sum + (said.type === 'visits' ? said[of].length : 0), 0)
    // What a visit has done is told at most 100 ms late.
    let begun = -1
    const isQuiet = (): boolean => {
      const before = begun
      begun = count('begun')
      return before === begun && begun === count('ended')
    }
    await expect.poll(isQuiet, { interval: 150, timeout: 10_000 }).toBe(true)
    // The supervisor has died when the queue stands again: the guest closes its socket, and takes nothing from it.
    isLinked = false
    clients.push(net.connect(portOf(server), '127.0.0.2').on('error', () => {}))
    await expect.poll(() => others().slice(1)).toEqual([parted('a')])
    expect(accepted()).toBe(4)
  })

  test('joins with the server that listens at the port of the socket, of those with one wish', async () => {
    const other = net.createServer((connection) => connection.end('other'))
    await once(other.listen(0, '127.0.0.1'), 'listening')
    servers = new Servers()
    for (const each of [other, server]) servers.add({ server: each as never, id: String(portOf(each)), wish: WISH })
    guests = guestsOf(false)
    guests.join(joining('a'), socket.handle)
    expect(await visit()).toBe('hello')
    await closed(other)
  })

  test.each<[string, () => [Join, unknown]]>([
    ['a place where it does not listen', () => [joining('a', { wish: { ...WISH, ipv6Only: true } }), socket.handle]],
    ['the socket of a server of its own', () => [joining('own'), socket.handle]],
    ['no handle', () => [joining('a'), undefined]],
    ['what is no handle', () => [joining('a'), { fd: socket.owner, close() {} }]],
    ['a descriptor, which only a thread shares', () => [joining('a', { local: localOf(socket.owner) }), undefined]],
  ])('refuses %s', (_, message) => {
    const [join, handle] = message()
    guests.join(join, handle)
    expect(sent).toEqual([joined(join.id, false)])
    if (handle === socket.handle) expect(socket.handle.fd).toBeLessThan(0)
    guests.part(join.id)
    expect(sent).toHaveLength(1)
  })

  test('refuses a socket that has left its group: to listen would bring it back', () => {
    addon.leaveGroup(socket.owner, 4, false)
    guests.join(joining('a'), socket.handle)
    expect(sent).toEqual([joined('a', false)])
    expect(socket.handle.fd).toBeLessThan(0)
    expect(waitingConnections(addon, socket.owner)).toMatchObject({ syscall: 'getsockopt' })
  })

  test('refuses where too few descriptors are left', () => {
    const text = (soft: number): string =>
      `Max processes   9   9   processes\nMax open files            ${soft}                 1048576              files\n`
    // The lowest number of a borrowed one.
    limits.text = text(512 + 32)
    guests.join(joining('a'), handleFor(addon, socket.owner))
    limits.text = text(512 + 33)
    guests.join(joining('b'), socket.handle)
    limits.text = undefined
    expect(sent).toEqual([joined('a', false), joined('b', true)])
  })

  test('refuses a second socket of one id, and keeps the first', async () => {
    guests.join(joining('a'), socket.handle)
    const second = handleFor(addon, socket.owner)
    guests.join(joining('a'), second)
    expect(sent).toEqual([joined('a', true), joined('a', false)])
    expect([second.fd < 0, await visit()]).toEqual([true, 'hello'])
    // What came with the messages is closed: the guest has a descriptor that tells it from the owner.
    expect(socket.handle.fd).toBeLessThan(0)
    const own = readdirSync('/proc/self/fd').filter((fd) => inodeAt(fd) === inodeAt(socket.owner))
    expect(own.map(Number).filter((fd) => fd >= 512)).toHaveLength(own.length - 1)
  })

  test('is a guest of 64 sockets at most', () => {
    const handles = Array.from({ length: 65 }, () => handleFor(addon, socket.owner))
    for (const [index, handle] of handles.entries()) guests.join(joining(`${index}`), handle)
    expect(sent.filter((message) => message.type === 'joined' && message.isTaken)).toHaveLength(64)
    expect(handles.map(({ fd }) => fd >= 0)).toEqual(Array(65).fill(false))
  })

  test('parts when the program closes its server, and stays with another', () => {
    guests.join(joining('a'), socket.handle)
    guests.closing(net.createServer() as never)
    expect(sent).toHaveLength(1)
    guests.closing(server as never)
    guests.closing(server as never)
    expect(others().slice(1)).toEqual([parted('a')])
    expect(socket.handle.fd).toBeLessThan(0)
  })

  test('that leaves parts from all, and joins nobody any more', () => {
    const handles = ['a', 'b', 'c'].map((id) => ({ id, handle: handleFor(addon, socket.owner) }))
    for (const { id, handle } of handles.slice(0, 2)) guests.join(joining(id), handle)
    guests.leave()
    guests.join(joining('c'), handles[2]?.handle)
    guests.leave()
    expect(sent.slice(2)).toEqual([parted('a'), parted('b'), joined('c', false)])
    expect(handles.map(({ handle }) => handle.fd < 0)).toEqual([true, true, true])
  })

  test('parts by itself from a socket whose owner takes it out of its group while it is visited: its loop would spin', async () => {
    guests.join(joining('a'), socket.handle)
    const client = net.connect(portOf(server), '127.0.0.2').on('error', () => {})
    clients.push(client)
    await once(client, 'connect')
    // In the meantime the watch reports it, or the visit has begun.
    const end = performance.now() + 200
    while (performance.now() < end);
    addon.leaveGroup(socket.owner, 4, false)
    await expect.poll(() => others().slice(1)).toEqual([parted('a')])
    expect(socket.handle.fd).toBeLessThan(0)
  })

  test('parts by itself where nobody can tell it to any more', async () => {
    guests.join(joining('a'), socket.handle)
    isLinked = false
    clients.push(net.connect(portOf(server), '127.0.0.2').on('error', () => {}))
    await expect.poll(() => socket.handle.fd).toBeLessThan(0)
  })

  test('hears a client whose handshake ends while the owner defers new connections', async () => {
    // With it the kernel makes the connection of the first bytes that come, which have the minimum TTL of the moment.
    addon.setOption(socket.owner, 4, 'deferAccept', 5)
    let heard = ''
    server.on('connection', (connection) => connection.on('data', (text) => (heard += text)))
    const client = net.connect(portOf(server), '127.0.0.2').on('error', () => {})
    clients.push(client)
    await once(client, 'connect')
    addon.deferNewConnections(socket.owner, 4)
    guests.join(joining('a'), socket.handle)
    client.write('first ')
    await expect.poll(() => heard).toBe('first ')
    client.write('second')
    await expect.poll(() => heard).toBe('first second')
  })
})

describe('a thread', () => {
  test('joins with a duplicate of the descriptor', async () => {
    guests = guestsOf(true)
    guests.join(joining('a', { local: localOf(socket.owner) }), undefined)
    expect(sent).toEqual([joined('a', true)])
    expect(await visit()).toBe('hello')
    guests.part('a')
    expect([others()[1], accepted(), isOpen(socket.owner)]).toEqual([parted('a'), 1, true])
  })

  test('refuses a descriptor that is another file’s by now, or none, and leaves nothing open', () => {
    guests = guestsOf(true)
    const file = openSync('/dev/null', 'r')
    const none = openSync('/dev/null', 'r')
    closeSync(none)
    const { inode } = localOf(socket.owner)
    for (const local of [
      { fd: socket.owner, inode: inode + 1 },
      { fd: file, inode },
      localOf(file),
      { fd: none, inode },
    ]) {
      guests.join(joining('a', { local }), undefined)
    }
    guests.join(joining('a'), undefined)
    expect(sent).toEqual(Array(5).fill(joined('a', false)))
    // The lowest free descriptor is the same.
    expect(openSync('/dev/null', 'r')).toBe(none)
    closeSync(none)
    closeSync(file)
  })
})

function localOf(fd: number): { readonly fd: number; readonly inode: number } {
  return { fd, inode: fstatSync(fd).ino }
}

function inodeAt(fd: number | string): number | undefined {
  try {
    return fstatSync(Number(fd)).ino
  } catch {
    return undefined
  }
}
