// What options do, seen by somebody else: ss(8), a client, a second implementation.
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { effectiveSocketOptions, listenReusePort, type SocketOptions } from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import { readOption } from '../../src/options/read-option.js'
import { closed, once, portOf } from '../support/listeners.js'
import { runInNamespace, whyNoNamespace } from '../support/namespace.js'
import { CAP_NET_ADMIN, hasCapability } from '../support/option-values.js'

const host = '127.0.0.1'

async function listen(socketOptions: SocketOptions, where = host): Promise<net.Server> {
  const server = listenReusePort(net.createServer(), { port: 0, host: where, socketOptions })
  await once(server, 'listening')
  return server
}

function ss(flags: string, port: number): string {
  return execFileSync('ss', [`-Hn${flags}`, '--inet-sockopt', `sport = :${port}`], { encoding: 'utf8' })
}

/** The row of the listener with the option, and of one without: a sign of the option must not be in both. */
async function listenersInSs(socketOptions: SocketOptions, where = host): Promise<{ set: string; plain: string }> {
  const server = await listen(socketOptions, where)
  const plain = await listen({})
  const rows = { set: ss('ltoie', portOf(server)), plain: ss('ltoie', portOf(plain)) }
  await Promise.all([closed(server), closed(plain)])
  return rows
}

test('bindToDevice: ss shows the device', async () => {
  const { set, plain } = await listenersInSs({ bindToDevice: 'lo' })
  expect(set).toMatch(/127\.0\.0\.1%lo:\d/)
  expect(plain).not.toContain('%lo')
})

test('freebind: an address that no interface has, and ss shows the flag', async () => {
  const { set, plain } = await listenersInSs({ freebind: true }, '192.0.2.77')
  expect(set).toMatch(/192\.0\.2\.77:\d/)
  expect(set).toMatch(/inet-sockopt: \([^)]*\bfreebind\b/)
  expect(plain).not.toContain('freebind')
  await expect(listen({}, '192.0.2.77')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
})

test('transparent: an address of others, and ss shows the flag', async (context) => {
  if (!hasCapability(CAP_NET_ADMIN)) {
    await expect(listen({ transparent: true }, '192.0.2.78')).rejects.toMatchObject({ capability: 'CAP_NET_ADMIN' })
    context.skip('takes CAP_NET_ADMIN: it says so')
  }
  const { set, plain } = await listenersInSs({ transparent: true }, '192.0.2.78')
  expect(set).toMatch(/192\.0\.2\.78:\d/)
  expect(set).toMatch(/inet-sockopt: \([^)]*\btransparent\b/)
  expect(plain).not.toContain('transparent')
})

test('congestion: ss shows the algorithm', async () => {
  const used = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  const allowed = readFileSync('/proc/sys/net/ipv4/tcp_allowed_congestion_control', 'utf8').trim().split(' ')
  const other = allowed.find((name) => name !== used) ?? 'reno'
  const { set, plain } = await listenersInSs({ congestion: other })
  expect(set).toContain(` ${other} `)
  expect(plain).toContain(` ${used} `)
  expect(other).not.toBe(used)
})

test('keepAlive: ss shows the timer of an accepted connection', async () => {
  const timers = await Promise.all(
    [{ keepAlive: { idle: 50 } }, {}].map(async (options) => {
      const server = await listen(options)
      const client = net.connect(portOf(server), host)
      const connection = (await once(server, 'connection')) as net.Socket
      const row = ss('to', portOf(server))
      client.destroy()
      connection.destroy()
      await closed(server)
      return /timer:\((\w+),(\d+)sec/.exec(row)?.slice(1)
    }),
  )
  expect(timers).toEqual([['keepalive', expect.stringMatching(/^(49|50)$/)], undefined])
})

test('deferAccept: a connection is accepted when its first data is here', async () => {
  const server = await listen({ deferAccept: 30 })
  const accepted: net.Socket[] = []
  server.on('connection', (connection) => accepted.push(connection))
  const silent = net.connect(portOf(server), host)
  await new Promise((resolve) => silent.once('connect', resolve))
  const talking = net.connect(portOf(server), host)
  await new Promise((resolve) => talking.once('connect', resolve))
  talking.write('first')
  // The one that speaks is accepted although the silent one was there before it.
  const first = (await once(server, 'connection')) as net.Socket
  expect(first.remotePort).toBe(talking.localPort)
  expect(accepted).toHaveLength(1)
  silent.write('now')
  const second = (await once(server, 'connection')) as net.Socket
  expect(second.remotePort).toBe(silent.localPort)
  for (const socket of [silent, talking, ...accepted]) socket.destroy()
  await closed(server)
})

test('fastOpen: data comes with the SYN', (context) => {
  const missing = whyNoNamespace()
  if (missing !== undefined) context.skip(missing)
  expect(runInNamespace('fast-open.mjs')).toEqual({
    with: { withTheSyn: 1, received: ['early', 'early'] },
    without: { withTheSyn: 0, received: ['early', 'early'] },
  })
})

const MPTCP_CLIENT = `
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262) as s:
    s.connect(('${host}', int(sys.argv[1])))
    s.recv(1)
`

test('mptcp: ss shows it, and a client that speaks it gets it', async (context) => {
  const enabled = readFileSync('/proc/sys/net/mptcp/enabled', 'utf8').trim()
  if (enabled !== '1') context.skip('net.mptcp.enabled is 0')
  const state = loadAddon()
  if (!state.loaded) throw state.cause
  const server = await listen({ mptcp: true })
  expect(effectiveSocketOptions(server)).toMatchObject({ mptcp: true })
  expect(ss('lM', portOf(server))).toContain('LISTEN')
  const client = promisify(execFile)('python3', ['-c', MPTCP_CLIENT, String(portOf(server))])
  const connection = (await once(server, 'connection')) as net.Socket & { _handle: { fd: number } }
  expect(readOption({ addon: state.addon, fd: connection._handle.fd, family: 4 }, 'tcp', 'mptcp')).toBe(true)
  expect(ss('M', portOf(server))).toContain('ESTAB')
  connection.end('x')
  await client
  await closed(server)

  const plain = await listen({})
  expect(ss('lM', portOf(plain))).toBe('')
  await closed(plain)
})
