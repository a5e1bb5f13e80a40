import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import net, { type Server } from 'node:net'
import { beforeEach, expect, test } from 'vitest'
import { capabilities, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { closed, occupyPort, once, portOf } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

let before: readonly string[]

beforeEach(() => {
  capabilities()
  before = openSockets()
})

async function fails(server: Server): Promise<void> {
  await new Promise((resolve) => server.once('error', resolve))
}

test('1,000 rounds of listening and closing leave as many descriptors as before', async () => {
  for (let round = 0; round < 1000; round++) {
    const server = listenReusePort(net.createServer(), 0)
    if (round % 2 === 0) await once(server, 'listening')
    server.close()
    if (round % 3 === 0) await once(server, 'close')
  }
  const last = listenReusePort(net.createServer(), 0, '127.0.0.1')
  await once(last, 'listening')
  await closed(last)
  expect(openSockets()).toEqual(before)
})

test('each failing path leaves as many descriptors as before', async () => {
  await using occupied = await occupyPort('127.0.0.1')
  before = openSockets()
  const failing: readonly (readonly unknown[])[] = [
    [occupied.port, '127.0.0.1'],
    [{ port: 8123, host: '192.0.2.1' }],
    [0, 'fe80::1'],
    [0, 'nothing.invalid'],
  ]
  for (const args of failing) {
    const server = net.createServer()
    Reflect.apply(listenReusePort, undefined, [server, ...args])
    await fails(server)
  }
  const throwing: readonly (readonly unknown[])[] = [[70000], [{}], [{ port: 0, host: 1 }], [{ prot: 1, port: 0 }]]
  for (const args of throwing) {
    expect(() => Reflect.apply(listenReusePort, undefined, [net.createServer(), ...args])).toThrow()
  }
  expect(() => openReusePortSocket({ port: occupied.port, host: '127.0.0.1' })).toThrow('EADDRINUSE')
  expect(() => openReusePortSocket({ host: 'localhost' })).toThrow(TypeError)
  const aborted = listenReusePort(net.createServer(), { port: 0, signal: AbortSignal.abort() })
  await once(aborted, 'close')
  const superseded = listenReusePort(net.createServer(), 0, '127.0.0.1')
  superseded.close()
  await once(superseded, 'close')
  expect(openSockets()).toEqual(before)
})

test('a server that refuses the handle by throwing leaves no descriptor', () => {
  const server = net.createServer()
  server.listen = () => {
    throw new Error('not today')
  }
  expect(() => listenReusePort(server, 0)).toThrow('not today')
  const socket = openReusePortSocket()
  expect(() => socket.listen(server)).toThrow('not today')
  expect(openSockets()).toEqual(before)
})

test('a child process inherits nothing', async () => {
  const server = listenReusePort(net.createServer(), 0)
  using socket = openReusePortSocket({ port: portOf(server) })
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const inherited = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })
  expect(inherited).toMatch(/ 0 -> /)
  for (const own of [fd, socket.fd]) {
    const inode = readlinkSync(`/proc/self/fd/${own}`)
    expect(inode).toMatch(/^socket:/)
    expect(inherited).not.toContain(inode)
  }
  await closed(server)
})
