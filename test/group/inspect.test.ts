// Who is on a port: real processes, compared with ss(8).
import { execFileSync, spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { type Group, inspectGroup, inspectGroups, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { bind } from '../support/datagrams.js'
import { closed, freePort, once as onceEvent, portOf } from '../support/listeners.js'
import { whyNoNamespace } from '../support/namespace.js'
import { type Program, program, start } from '../support/processes.js'

const host = '127.0.0.1'
const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))

interface Joined {
  readonly pid: number
  readonly port: number
}

function member(port: number, more: object = {}): Program {
  return start('member.mjs', [JSON.stringify({ port, host, ...more })])
}

/** The listeners on a port as ss shows them: address, queue, limit, process, number and cookie of the socket. */
function inSs(port: number): readonly object[] {
  const rows = execFileSync('ss', ['-Hlntpe', `sport = :${port}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
  return rows.map((row) => {
    const [, queued, backlog, local = ''] = row.split(/\s+/)
    const of = (pattern: RegExp): string | undefined => pattern.exec(row)?.[1]
    return {
      address: local
        .slice(0, local.lastIndexOf(':'))
        .replace(/^\[|\]$|%.*/g, '')
        .replace('*', '::'),
      queued: Number(queued),
      backlog: Number(backlog),
      pid: Number(of(/pid=(\d+)/)),
      inode: Number(of(/ino:(\d+)/)),
      cookie: of(/sk:([0-9a-f]+)/),
    }
  })
}

function asInSs({ members }: Group): readonly object[] {
  return members.map(({ address, queued, backlog, pid, inode, cookie }) => ({
    address,
    queued,
    backlog,
    pid,
    inode,
    cookie,
  }))
}

const byInode = (rows: readonly object[]): readonly object[] =>
  rows.toSorted((one, other) => Reflect.get(one, 'inode') - Reflect.get(other, 'inode'))

describe('a group of processes', () => {
  test('ours and one of Python, row by row as in ss', async () => {
    await using first = member(0)
    const { pid, port } = await first.message<Joined>()
    await using second = member(port)
    await using third = member(port)
    const joined = await Promise.all([second, third].map((one) => one.message<Joined>()))
    await using python = await program('python3', [path.join(fixtures, 'member.py'), String(port)])

    const group = await inspectGroup({ port, host })
    expect(byInode(asInSs(group))).toEqual(byInode(inSs(port)))
    const pids = [pid, ...joined.map((one) => one.pid), python.pid]
    expect(group.members.map((one) => one.pid)).toEqual(pids.toSorted((one, other) => one - other))
    for (const one of group.members) {
      const isPython = one.pid === python.pid
      expect(one).toMatchObject({
        uid: process.getuid?.(),
        user: os.userInfo().username,
        self: false,
        hidden: false,
        state: 'listening',
        drops: 0,
        established: 0,
        family: 'IPv4',
        port,
        command: expect.stringContaining(isPython ? 'member.py' : 'member.mjs'),
      })
      const age = Date.now() - (one.startedAt?.getTime() ?? 0)
      expect(age).toBeGreaterThan(-2000)
      expect(age).toBeLessThan(60_000)
    }
  })

  test('nginx with reuseport', async (context) => {
    if (execFileSync('sh', ['-c', 'command -v nginx || true']).length === 0) context.skip('nginx is not installed')
    const folder = mkdtempSync(path.join(os.tmpdir(), 'reuseport-nginx-'))
    const port = await freePort()
    const file = path.join(folder, 'nginx.conf')
    writeFileSync(
      file,
      `daemon off; pid ${folder}/pid; error_log stderr; worker_processes 2; events {} user ${os.userInfo().username};
       http { access_log off; server { listen ${host}:${port} reuseport; } }`,
    )
    const nginx = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'ignore' })
    try {
      let group: Group
      do group = await inspectGroup({ port, host })
      while (group.members.length < 2)
      expect(byInode(asInSs(group)).map((row) => ({ ...row, pid: 0 }))).toEqual(
        byInode(inSs(port)).map((row) => ({ ...row, pid: 0 })),
      )
      // It listens before it has given itself this name.
      const commands = async (): Promise<boolean> =>
        (await inspectGroup({ port, host })).members.every(({ command }) => command?.startsWith('nginx: '))
      await expect.poll(commands).toBe(true)
    } finally {
      nginx.kill('SIGTERM')
      await once(nginx, 'close')
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test("another user's process: what may not be seen is undefined, and said to be hidden", async (context) => {
    if (process.getuid?.() !== 0) context.skip('changing the user takes root')
    await using other = member(0, { uid: 65_534 })
    const { pid, port } = await other.message<Joined>()
    expect((await inspectGroup({ port, host })).members).toMatchObject([{ uid: 65_534, pid, hidden: false }])

    // The other way round: seen by that user, our process is hidden.
    const server = listenReusePort(net.createServer(), { port: 0, host })
    await onceEvent(server, 'listening')
    const script = `
      import { inspectGroup } from 'reuseport'
      import process from 'node:process'
      await inspectGroup({ port: ${portOf(server)}, host: '${host}' })
      process.setuid(65534)
      console.log(JSON.stringify((await inspectGroup({ port: ${portOf(server)}, host: '${host}' })).members))`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    const [hidden] = JSON.parse(printed) as object[]
    expect(hidden).toMatchObject({ uid: 0, user: 'root', hidden: true, self: false, queued: 0 })
    for (const unseen of ['pid', 'command', 'startedAt', 'established']) expect(hidden).not.toHaveProperty(unseen)
    await closed(server)
  })

  test('sockets in another network namespace are not seen', async (context) => {
    const missing = whyNoNamespace()
    if (missing !== undefined) context.skip(missing)
    const server = listenReusePort(net.createServer(), { port: 0, host })
    await onceEvent(server, 'listening')
    const listener = path.join(fixtures, 'namespace-listener.mjs')
    const child = spawn('unshare', ['-rn', process.execPath, listener, String(portOf(server))])
    const [said] = await once(child.stdout.setEncoding('utf8'), 'data')
    expect(JSON.parse(String(said))).toEqual([true])
    expect((await inspectGroup(server)).members).toMatchObject([{ self: true }])
    child.stdin.end()
    await once(child, 'close')
    await closed(server)
  })
})

test('a socket that a child has inherited is still this process’s own', async () => {
  using socket = openReusePortSocket({ host })
  const child = spawn('python3', ['-c', 'print(1, flush=True); input()'], {
    stdio: ['pipe', 'pipe', 'ignore', socket.fd],
  })
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  const { members } = await inspectGroup({ port: socket.address().port, host })
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(members).toMatchObject([{ pid: process.pid, self: true }])
})

describe('queues', () => {
  test('connections that nobody accepts, exactly; drops when there is no more room', async () => {
    using socket = openReusePortSocket({ host, backlog: 3 })
    const { port } = socket.address()
    const clients: net.Socket[] = []
    for (let count = 0; count < 4; count++) {
      const client = net.connect(port, host).on('error', () => {})
      clients.push(client)
      await once(client, 'connect')
      const [member] = (await inspectGroup({ port, host })).members
      expect(member).toMatchObject({ queued: count + 1, backlog: 3, self: true, established: 0, drops: 0 })
    }
    // One more than the limit is let in; the next is dropped, and tried again by the client's kernel.
    clients.push(net.connect(port, host).on('error', () => {}))
    await vi.waitFor(async () => {
      expect((await inspectGroup({ port, host })).members[0]?.drops).toBeGreaterThan(0)
    }, 10_000)
    for (const client of clients) client.destroy()
  })

  test('established connections are counted by process', async () => {
    const server = listenReusePort(net.createServer(), { port: 0, host })
    const connections: net.Socket[] = []
    server.on('connection', (connection) => connections.push(connection))
    await onceEvent(server, 'listening')
    const clients = [1, 2, 3].map(() => net.connect(portOf(server), host))
    while (connections.length < 3) await onceEvent(server, 'connection')
    expect((await inspectGroup(server)).members).toMatchObject([{ established: 3, queued: 0 }])
    for (const socket of [...clients, ...connections]) socket.destroy()
    await closed(server)
  })

  test('at each address by itself', async () => {
    const one = listenReusePort(net.createServer(), { port: 0, host })
    await onceEvent(one, 'listening')
    const other = listenReusePort(net.createServer(), { port: portOf(one), host: '127.0.0.2' })
    await onceEvent(other, 'listening')
    const client = net.connect(portOf(one), '127.0.0.2')
    const connection = (await onceEvent(other, 'connection')) as net.Socket
    expect((await inspectGroup(one)).members).toMatchObject([{ established: 0 }])
    expect((await inspectGroup(other)).members).toMatchObject([{ established: 1 }])
    for (const socket of [client, connection]) socket.destroy()
    await Promise.all([closed(one), closed(other)])
  })

  test('of a UDP socket: bytes that wait and the size of the buffer', async () => {
    const script = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
s.bind(('${host}', 0))
print(s.getsockname()[1], flush=True)
input()`
    await using unread = await program('python3', ['-c', script])
    const port = Number(unread.said)
    const sender = dgram.createSocket('udp4')
    await new Promise((resolve) => sender.send('x'.repeat(100), port, host, resolve))
    const group = await inspectGroup({ port, host, protocol: 'udp' })
    expect(group.members).toMatchObject([{ state: 'bound', established: undefined, backlog: 100_000, drops: 0 }])
    expect(group.members[0]?.queued).toBeGreaterThanOrEqual(100)
    sender.close()
  })
})

describe('groups', () => {
  test('IPv4 and IPv6, unspecified and specific, are groups of their own', async () => {
    const addresses = ['0.0.0.0', '::', '127.0.0.1', '::1', '127.0.0.1']
    using first = openReusePortSocket({ host: '0.0.0.0' })
    const { port } = first.address()
    const sockets = addresses.slice(1).map((address) => openReusePortSocket({ host: address, port }))
    const groups = await inspectGroups({ ports: [port], protocol: 'tcp' })
    expect(groups.map(({ family, address, members }) => [family, address, members.length])).toEqual([
      ['IPv4', '0.0.0.0', 1],
      ['IPv4', '127.0.0.1', 2],
      ['IPv6', '::', 1],
      ['IPv6', '::1', 1],
    ])
    // Without a host the one that a listen without a host would join.
    expect(await inspectGroup({ port })).toMatchObject({ address: '::', ipv6Only: false, members: { length: 1 } })
    expect(await inspectGroup({ port, host: 'localhost' })).toMatchObject({
      address: expect.stringMatching(/^(127|::1)/),
    })
    expect(await inspectGroup({ port, host: '0:0::1' })).toMatchObject({ address: '::1', members: { length: 1 } })
    expect(await inspectGroup(port)).toEqual(await inspectGroup({ port }))
    for (const socket of sockets) socket.close()
    expect(await inspectGroup({ port })).toMatchObject({ address: '0.0.0.0' })
  })

  test('of other devices and of IPv6 alone are told apart', async () => {
    using any = openReusePortSocket({ ipv6Only: true })
    const { port } = any.address()
    using device = openReusePortSocket({ ipv6Only: true, port, socketOptions: { bindToDevice: 'lo' } })
    const groups = await inspectGroups({ ports: [port], protocol: 'tcp' })
    expect(groups).toMatchObject([
      { ipv6Only: true, members: { length: 1 } },
      { ipv6Only: true, members: { length: 1 } },
    ])
    expect(groups.map(({ device }) => device)).toEqual([undefined, expect.any(Number)])
    expect(device.address().port).toBe(port)
  })

  test('a server and a dgram socket find their own', async () => {
    // Not one of those that other tests' datagram sockets are given.
    const server = listenReusePort(net.createServer(), await freePort())
    const datagrams = dgram.createSocket('udp4')
    using there = await bind(datagrams, portOf(server), host)
    expect(await inspectGroup(server)).toMatchObject({ protocol: 'tcp', address: '::', members: [{ self: true }] })
    expect(await inspectGroup(datagrams)).toMatchObject({ protocol: 'udp', address: host, members: [{ self: true }] })
    const groups = await inspectGroups({ ports: [there.port] })
    expect(groups.map(({ protocol }) => protocol)).toEqual(['tcp', 'udp'])
    await closed(server)
  })

  test('a port that nobody has is a group without members', async () => {
    const port = await freePort()
    expect(await inspectGroup({ port, host })).toEqual({
      protocol: 'tcp',
      family: 'IPv4',
      address: host,
      port,
      ipv6Only: undefined,
      device: undefined,
      uid: undefined,
      members: [],
    })
    expect(await inspectGroups({ ports: [port], protocol: 'tcp' })).toEqual([])
  })

  test('2,000 members come in one dump', async () => {
    using first = openReusePortSocket({ host })
    const { port } = first.address()
    const others = Array.from({ length: 1999 }, () => openReusePortSocket({ host, port }))
    const { members } = await inspectGroup({ port, host })
    for (const other of others) other.close()
    expect(members).toHaveLength(2000)
    expect(new Set(members.map(({ cookie }) => cookie)).size).toBe(2000)
    expect(members.every(({ self }) => self)).toBe(true)
  })

  test('without ports there is every group of the machine', async () => {
    using socket = openReusePortSocket({ host })
    const { port } = socket.address()
    expect((await inspectGroups()).filter((group) => group.protocol === 'tcp' && group.port === port)).toHaveLength(1)
    expect((await inspectGroups({ protocol: 'udp' })).filter((group) => group.protocol === 'tcp')).toEqual([])
  })
})

describe('what is asked wrongly', () => {
  test.each([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    ['8080', 'ERR_INVALID_ARG_TYPE'],
    [0, 'ERR_SOCKET_BAD_PORT'],
    [65_536, 'ERR_SOCKET_BAD_PORT'],
    [80.5, 'ERR_SOCKET_BAD_PORT'],
    [{}, 'ERR_SOCKET_BAD_PORT'],
    [{ port: 0 }, 'ERR_SOCKET_BAD_PORT'],
    [{ port: '80' }, 'ERR_SOCKET_BAD_PORT'],
    [{ port: 80, host: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ port: 80, protocol: 'sctp' }, 'ERR_INVALID_ARG_VALUE'],
    [{ port: 80, adress: '::' }, 'ERR_REUSEPORT_UNKNOWN_OPTION'],
    [net.createServer(), 'ERR_INVALID_ARG_VALUE'],
  ])('inspectGroup(%o) rejects with %s', async (target, code) => {
    await expect(Reflect.apply(inspectGroup, undefined, [target])).rejects.toMatchObject({ code })
  })

  test('a name that nothing has: as the lookup says it', async () => {
    await expect(inspectGroup({ port: 80, host: 'host.invalid' })).rejects.toMatchObject({
      syscall: 'getaddrinfo',
      // The second where no name server can be asked.
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    })
  })

  test.each([
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{ ports: 80 }, 'ERR_INVALID_ARG_TYPE'],
    [{ ports: [0] }, 'ERR_SOCKET_BAD_PORT'],
    [{ port: 80 }, 'ERR_REUSEPORT_UNKNOWN_OPTION'],
  ])('inspectGroups(%o) rejects with %s', async (filter, code) => {
    await expect(Reflect.apply(inspectGroups, undefined, [filter])).rejects.toMatchObject({ code })
  })
})
