// EADDRINUSE says who has the port and why: each reason produced for real.
import dgram from 'node:dgram'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { bindReusePort, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { bound } from '../support/datagrams.js'
import { once } from '../support/listeners.js'
import { type Other, program, start } from '../support/processes.js'

// Of this test alone: other tests take ports of 127.0.0.1 meanwhile.
const host = '127.0.0.9'
const script = path.join(fileURLToPath(new URL('../fixtures/', import.meta.url)), 'holder.py')

const hold = (how: string, address: string, port = 0): Promise<Other> =>
  program('python3', [script, how, address, String(port)])

/** What a listen on this port fails with. */
async function refusal(port: number, address?: string): Promise<unknown> {
  const server = net.createServer()
  listenReusePort(server, { port, ...(address === undefined ? {} : { host: address }) })
  return once(server, 'error')
}

function holder(other: Other, more: object): object {
  return {
    uid: process.getuid?.(),
    user: os.userInfo().username,
    pid: other.pid,
    command: expect.stringContaining('holder.py'),
    ...more,
  }
}

describe('not-shared', () => {
  test.each([
    ['the same address', host, host],
    ['all addresses, where one is asked for', '0.0.0.0', host],
    ['all addresses of both families, where an IPv4 one is asked for', '::', host],
    ['all addresses of IPv4, where those of both families are asked for', '0.0.0.0', undefined],
  ])('a listener without SO_REUSEPORT has %s', async (_what, its, wanted) => {
    await using other = await hold('listening', its)
    const error = await refusal(Number(other.said), wanted)
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `listen EADDRINUSE: address already in use ${wanted ?? '::'}:${other.said.trim()}`,
      reason: 'not-shared',
      holder: holder(other, { state: 'listening', address: its }),
      hint: expect.stringMatching(/^Process \d+ of user \S+ \(.*holder\.py.*\) has the port without SO_REUSEPORT/),
    })
    expect(Object.keys(error as object)).toEqual([
      ...['code', 'errno', 'syscall', 'address', 'port'],
      ...['holder', 'reason', 'hint'],
    ])
  })

  test('also thrown by openReusePortSocket', async () => {
    await using other = await hold('listening', host)
    expect(() => openReusePortSocket({ port: Number(other.said), host })).toThrow(
      expect.objectContaining({ reason: 'not-shared' }),
    )
  })
})

test('more-specific: a listener has one address, and all were asked for', async () => {
  await using other = await hold('listening', host)
  for (const wanted of ['0.0.0.0', '::', undefined]) {
    expect(await refusal(Number(other.said), wanted)).toMatchObject({
      reason: 'more-specific',
      holder: holder(other, { state: 'listening', address: host }),
      hint: expect.stringContaining(`has the port at ${host} without SO_REUSEPORT`),
    })
  }
})

describe('not-listening', () => {
  test.each([
    ['bound', 'bound'],
    ['connected', 'connected'],
  ])('a socket that is only %s', async (how, state) => {
    await using other = await hold(how, host)
    expect(await refusal(Number(other.said), host)).toMatchObject({
      reason: 'not-listening',
      holder: holder(other, { state }),
      hint: expect.stringContaining('does not listen'),
    })
  })
})

test('other-user: even root cannot join', async (context) => {
  if (process.getuid?.() !== 0) context.skip('changing the user takes root')
  await using other = start('member.mjs', [JSON.stringify({ port: 0, host, uid: 65_534 })])
  const { pid, port } = await other.message<{ pid: number; port: number }>()
  expect(await refusal(port, host)).toMatchObject({
    reason: 'other-user',
    holder: { uid: 65_534, pid, state: 'listening', command: expect.stringContaining('member.mjs') },
    hint: expect.stringMatching(
      /the kernel shares a port only within one user: run as that user, or stop that process$/,
    ),
  })
})

test('other-user, whose process may not be seen', async (context) => {
  if (process.getuid?.() !== 0) context.skip('changing the user takes root')
  await using other = await hold('listening', host)
  await using stranger = start('member.mjs', [
    JSON.stringify({ port: Number(other.said), host, uid: 65_534, tell: 'all' }),
  ])
  expect(await stranger.message()).toMatchObject({
    error: {
      reason: 'other-user',
      holder: { uid: 0, user: 'root', state: 'listening', address: host },
      hint: expect.stringMatching(/^A process of user root has the port/),
    },
  })
})

describe('dgram', () => {
  async function refusalOfUdp(port: number, address: string): Promise<unknown> {
    const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const error = await bound(socket, () => bindReusePort(socket, port, address))
    socket.close()
    return error
  }

  test.each([
    ['not-shared', host, host],
    ['not-shared', '0.0.0.0', host],
    ['not-shared', '::', host],
    ['more-specific', host, '0.0.0.0'],
    ['more-specific', '::1', '::'],
  ])('%s: %s is had, %s wanted', async (reason, its, wanted) => {
    await using other = await hold('datagrams', its)
    const error = await refusalOfUdp(Number(other.said), wanted)
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `bind EADDRINUSE ${wanted}:${other.said.trim()}`,
      reason,
      holder: holder(other, { state: 'bound', address: its }),
    })
    expect(Object.keys(error as object)).toEqual([
      ...['errno', 'code', 'syscall', 'address', 'port'],
      ...['holder', 'reason', 'hint'],
    ])
  })
})
