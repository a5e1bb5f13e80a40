import dgram from 'node:dgram'
import diagnostics from 'node:diagnostics_channel'
import net from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { capabilities, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { bind } from '../support/datagrams.js'
import { closed, once, portOf } from '../support/listeners.js'

const NAMES = ['reuseport:listen', 'reuseport:adopt', 'reuseport:fallback'] as const
let told: [string, unknown][]

function note(message: unknown, name: string | symbol): void {
  told.push([String(name), message])
}

beforeEach(() => {
  capabilities()
  told = []
  for (const name of NAMES) diagnostics.subscribe(name, note)
})

afterEach(() => {
  for (const name of NAMES) diagnostics.unsubscribe(name, note)
  vi.doUnmock('../../src/system/capabilities.js')
  vi.resetModules()
  vi.restoreAllMocks()
})

test('a server: its socket listens, then it is adopted, before listening is emitted', async () => {
  const server = net.createServer()
  let toldWhenListening = 0
  server.on('listening', () => {
    toldWhenListening = told.length
  })
  listenReusePort(server, { port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const socket = { protocol: 'tcp', address: '127.0.0.1', family: 'IPv4', port: portOf(server), fd: expect.any(Number) }
  expect(told).toEqual([
    ['reuseport:listen', socket],
    ['reuseport:adopt', { ...socket, target: server }],
  ])
  expect(toldWhenListening).toBe(2)
  await closed(server)
})

test('a socket without a server only listens', () => {
  using socket = openReusePortSocket()
  expect(told).toEqual([['reuseport:listen', { protocol: 'tcp', fd: socket.fd, ...socket.address() }]])
})

test('a dgram socket', async () => {
  const socket = dgram.createSocket('udp6')
  using there = await bind(socket, { address: '::1' })
  const bound = { protocol: 'udp', address: '::1', family: 'IPv6', port: there.port, fd: expect.any(Number) }
  await new Promise((resolve) => setImmediate(resolve))
  expect(told).toEqual([
    ['reuseport:listen', bound],
    ['reuseport:adopt', { ...bound, target: socket }],
  ])
})

test('what fails is told as nothing', async () => {
  const server = listenReusePort(net.createServer(), { port: 9, host: '192.0.2.1' })
  await once(server, 'error')
  expect(told).toEqual([])
})

test('a fallback, with its reason', async () => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  vi.resetModules()
  const actual = await import('../../src/system/capabilities.js')
  const state = (await import('../../src/native/addon.js')).loadAddon()
  const pretended = actual.combine('win32', state, { supported: true, reason: '', conclusive: true })
  vi.doMock('../../src/system/capabilities.js', () => ({ ...actual, capabilities: () => pretended }))
  const elsewhere = await import('../../src/index.js')
  const server = elsewhere.listenReusePort(net.createServer(), { port: 0, fallback: 'exclusive' })
  await once(server, 'listening')
  const message = { target: server, by: 'exclusive', reason: expect.stringMatching(/^Windows has no SO_REUSEPORT, /) }
  expect(told).toEqual([['reuseport:fallback', message]])
  await closed(server)
})

test('without a subscriber nothing is made up', () => {
  for (const name of NAMES) diagnostics.unsubscribe(name, note)
  const publish = vi.spyOn(diagnostics.Channel.prototype, 'publish')
  openReusePortSocket().close()
  expect(publish).not.toHaveBeenCalled()
})
