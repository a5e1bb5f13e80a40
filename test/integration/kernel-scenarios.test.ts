// The scenarios of the kernel's own tests: reuseport_dualstack, reuseport_addr_any, so_incoming_cpu. Which sockets are
// found is the kernel's business; that ours are such sockets is what is tested.
import { execFile } from 'node:child_process'
import dgram from 'node:dgram'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bindReusePort, listenReusePort, type SocketOptions } from '../../src/index.js'
import { bound } from '../support/datagrams.js'
import { once } from '../support/listeners.js'

type Transport = 'tcp' | 'udp'

interface Member {
  readonly port: number
  close(): void
}

let members: Member[]

beforeEach(() => {
  members = []
})

afterEach(() => {
  for (const member of members) member.close()
})

/** A member of a group that answers with its name. Closed after the test. */
async function join(
  transport: Transport,
  name: string,
  address: string,
  port: number,
  socketOptions: SocketOptions = {},
): Promise<number> {
  if (transport === 'tcp') {
    const server = net.createServer((socket) => socket.on('error', () => {}).end(name))
    listenReusePort(server, { port, host: address, socketOptions })
    await once(server, 'listening')
    const bound = (server.address() as net.AddressInfo).port
    members.push({ port: bound, close: () => void server.close() })
    return bound
  }
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (_message, client) => socket.send(name, client.port, client.address))
  const error = await bound(socket, () => bindReusePort(socket, { port, address }))
  if (error !== undefined) throw error
  const { port: boundTo } = socket.address()
  members.push({ port: boundTo, close: () => void socket.close() })
  return boundTo
}

/** The CPUs that this process may run on. */
function allowedCpus(): readonly number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** Who answered how often. */
async function ask(transport: Transport, host: string, port: number, times = 60, cpu?: number): Promise<object> {
  const script = fileURLToPath(new URL('../fixtures/client.py', import.meta.url))
  const setting = JSON.stringify({ transport, host, port, times, cpu })
  const { stdout } = await promisify(execFile)('python3', [script, setting])
  const counts: Record<string, number> = {}
  for (const name of JSON.parse(stdout) as string[]) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

describe.each(['tcp', 'udp'] as const)('reuseport_dualstack, %s', (transport) => {
  // Whichever came first, also with several of each.
  test.each([
    ['IPv4 first', ['0.0.0.0', '::']],
    ['IPv6 first', ['::', '0.0.0.0']],
    ['by turns', ['0.0.0.0', '::', '::', '0.0.0.0', '::']],
  ])('IPv4 goes to the IPv4 sockets although the IPv6 ones would take it: %s', async (_order, addresses) => {
    let port = 0
    for (const address of addresses) port = await join(transport, address === '::' ? 'six' : 'four', address, port)
    expect(await ask(transport, '127.0.0.1', port)).toEqual({ four: 60 })
    expect(await ask(transport, '::1', port)).toEqual({ six: 60 })
  })
})

describe.each(['tcp', 'udp'] as const)('reuseport_addr_any, %s', (transport) => {
  test('a specific address wins over the unspecified one, in every order', async () => {
    const all = [
      ['any four', '0.0.0.0'],
      ['any six', '::'],
      ['loopback four', '127.0.0.1'],
      ['loopback six', '::1'],
    ] as const
    for (const order of [all, all.toReversed(), [all[2], all[0], all[3], all[1]] as const]) {
      let port = 0
      // Two of each, so that there are groups.
      for (const [name, address] of [...order, ...order]) port = await join(transport, name, address, port)
      expect(await ask(transport, '127.0.0.1', port)).toEqual({ 'loopback four': 60 })
      expect(await ask(transport, '::1', port)).toEqual({ 'loopback six': 60 })
      expect(await ask(transport, '127.0.0.2', port)).toEqual({ 'any four': 60 })
      for (const member of members.splice(0)) member.close()
    }
  })

  test('without an IPv4 socket the unspecified IPv6 address takes IPv4 too', async () => {
    const port = await join(transport, 'any six', '::', 0)
    await join(transport, 'loopback six', '::1', port)
    expect(await ask(transport, '127.0.0.1', port)).toEqual({ 'any six': 60 })
  })
})

describe('so_incoming_cpu', () => {
  const [major = 0, minor = 0] = os.release().split('.').map(Number)
  const cpus = allowedCpus()

  // As in the kernel's test: the listeners that come first, and those that come after others.
  test.each([
    ['one for each CPU', 1],
    ['several for each CPU, among others without one', 3],
  ])('a listener gets what its CPU receives: %s', async (_what, each) => {
    let port = 0
    for (let round = 0; round < each; round++) {
      for (const cpu of cpus) port = await join('tcp', `cpu ${cpu}`, '127.0.0.1', port, { incomingCpu: cpu })
    }
    if (each > 1) await join('tcp', 'any cpu', '127.0.0.1', port)
    for (const cpu of cpus) {
      expect(await ask('tcp', '127.0.0.1', port, 40, cpu), `from CPU ${cpu}`).toEqual({ [`cpu ${cpu}`]: 40 })
    }
  })

  test('without the option all get some', async (context) => {
    if (cpus.length < 2) context.skip('there is one CPU')
    let port = 0
    for (const cpu of cpus) port = await join('tcp', `cpu ${cpu}`, '127.0.0.1', port)
    expect(Object.keys(await ask('tcp', '127.0.0.1', port, 40, cpus[0])).length).toBeGreaterThan(1)
  })

  beforeEach((context) => {
    if (major < 6 || (major === 6 && minor < 2)) context.skip('honoured in a group by Linux 6.2 and later')
  })
})
