// The scenarios of Node's own tests for `reusePort`: in one process, in a cluster, and in a parent and its child.
import dgram from 'node:dgram'
import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { bindReusePort } from '../../src/index.js'
import { bind, bound } from '../support/datagrams.js'
import { closed, core, IMPLEMENTATIONS, once, ours, portOf } from '../support/listeners.js'
import { start } from '../support/processes.js'
import { NODE_SHARES } from '../support/run.js'

/** Core as it is told to share; Node 20 cannot be told. */
const sharing = new Map([
  [core, { reusePort: true }],
  [ours, {}],
])

describe.each(IMPLEMENTATIONS)('%s', (_name, listen) => {
  test.for(['127.0.0.1', '::1', '::', undefined])('two servers of one process: %s', async (host, { skip }) => {
    if (listen === core && !NODE_SHARES) skip('this Node has no reusePort')
    const options = { ...(host === undefined ? {} : { host }), ...sharing.get(listen) }
    const [first, second] = [net.createServer(), net.createServer()]
    listen(first, { port: 0, ...options })
    await once(first, 'listening')
    listen(second, { port: portOf(first), ...options })
    await once(second, 'listening')
    expect(portOf(second)).toBe(portOf(first))
    await Promise.all([closed(first), closed(second)])
  })

  test('core and ours share one port, whichever comes first', async ({ skip }) => {
    if (!NODE_SHARES) skip('this Node has no reusePort')
    const other = listen === core ? ours : core
    const [first, second] = [net.createServer(), net.createServer()]
    listen(first, { port: 0, ...sharing.get(listen) })
    await once(first, 'listening')
    other(second, { port: portOf(first), ...sharing.get(other) })
    await once(second, 'listening')
    await Promise.all([closed(first), closed(second)])
  })
})

test('a listener that does not share keeps everybody else out, and the other way round', async () => {
  const shared = net.createServer()
  ours(shared, 0)
  await once(shared, 'listening')
  const plain = net.createServer()
  core(plain, portOf(shared))
  expect(await once(plain, 'error')).toMatchObject({ code: 'EADDRINUSE' })
  await closed(shared)
})

describe('dgram', () => {
  const host = '127.0.0.1'

  test.for(['udp4', 'udp6'] as const)('two sockets of one process: %s', async (type) => {
    using first = await bind(dgram.createSocket(type), 0)
    using second = await bind(dgram.createSocket(type), first.port)
    expect(second.port).toBe(first.port)
  })

  test.for(['core', 'ours'])('core and ours share one port; first comes %s', async (by, { skip }) => {
    if (!NODE_SHARES) skip('this Node has no reusePort')
    const core = dgram.createSocket({ type: 'udp4', reusePort: true } as dgram.SocketOptions)
    const ours = dgram.createSocket('udp4')
    const [first, second] = by === 'core' ? [core, ours] : [ours, core]
    const bindTo = (socket: dgram.Socket, port: number): unknown =>
      socket === core ? core.bind(port, host) : bindReusePort(ours, port, host)
    expect(await bound(first, () => bindTo(first, 0))).toBeUndefined()
    expect(await bound(second, () => bindTo(second, first.address().port))).toBeUndefined()
    for (const socket of [first, second]) socket.close()
  })

  test('a socket that was created to share by core is bound by us as any other', async ({ skip }) => {
    if (!NODE_SHARES) skip('this Node has no reusePort')
    using first = await bind(dgram.createSocket({ type: 'udp4', reusePort: true } as dgram.SocketOptions), 0, host)
    using second = await bind(dgram.createSocket('udp4'), first.port, host)
    expect(second.port).toBe(first.port)
  })

  test('a socket that does not share keeps everybody else out, and the other way round', async () => {
    using shared = await bind(dgram.createSocket('udp4'), 0)
    const plain = dgram.createSocket('udp4')
    expect(await bound(plain, () => plain.bind(shared.port))).toMatchObject({ code: 'EADDRINUSE' })
    expect(await bound(plain, () => plain.bind(0))).toBeUndefined()
    const late = dgram.createSocket('udp4')
    const { port } = plain.address()
    expect(await bound(late, () => bindReusePort(late, port))).toMatchObject({ code: 'EADDRINUSE', syscall: 'bind' })
    for (const socket of [plain, late]) socket.close()
  })

  test('workers of a cluster bind one port, and that of the process that started them', async () => {
    using outside = await bind(dgram.createSocket('udp4'), 0, host)
    await using program = start('datagram-cluster.mjs', [JSON.stringify({ port: outside.port, workers: 2 })])
    const told = [await program.message(), await program.message()]
    expect(told).toEqual([0, 1].map(() => ({ event: 'bound', pid: expect.any(Number), port: outside.port })))
    program.send({ end: true })
    // The primary has heard nothing of the sockets in between.
    expect([await program.message(), await program.message()]).toEqual([0, 1].map(() => ({ event: 'exit', code: 0 })))
  })

  test('a parent and its child process bind one port', async () => {
    using parent = await bind(dgram.createSocket('udp4'), 0, host)
    await using child = start('datagram-member.mjs', [JSON.stringify({ port: parent.port, address: host })])
    expect(await child.message()).toMatchObject({ port: parent.port })
  })
})

test('workers of a cluster listen on one port, and on the port of the process that started them', async () => {
  const outside = net.createServer()
  ours(outside, 0, '127.0.0.1')
  await once(outside, 'listening')
  const port = portOf(outside)
  await using program = start('cluster.mjs', [JSON.stringify({ by: 'ours', port, host: '127.0.0.1', workers: 2 })])
  const seen: unknown[] = []
  while (seen.length < 2) {
    const report = await program.message<{ event: string; address?: { port: number } }>()
    if (report.event === 'listening') seen.push(report.address?.port)
  }
  expect(seen).toEqual([port, port])
  await closed(outside)
})

test('a parent and its child process listen on one port', async () => {
  const parent = net.createServer()
  ours(parent, 0, '127.0.0.1')
  await once(parent, 'listening')
  await using child = start('member.mjs', [JSON.stringify({ port: portOf(parent), host: '127.0.0.1' })])
  expect(await child.message()).toMatchObject({ port: portOf(parent) })
  await closed(parent)
})
