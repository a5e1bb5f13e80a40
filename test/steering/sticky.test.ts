// Clients that stay with their member: what the kernel makes of the programs.
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { bindReusePort, drain, listenReusePort, steer } from '../../src/index.js'
import { clientAddressProgram } from '../../src/steering/bucket-program.js'
import { slotsOfBuckets } from '../../src/steering/buckets.js'
import { interpret } from '../support/classic-bpf.js'
import { bound } from '../support/datagrams.js'
import { named, share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'

const opened: net.Server[] = []
const sockets: dgram.Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

async function members(count: number, host: string): Promise<{ servers: readonly net.Server[]; port: number }> {
  const servers = Array.from({ length: count }, (_, slot) => named(String(slot)))
  opened.push(...servers)
  return { servers, port: await share(servers, host) }
}

async function hearFrom(port: number, host: string, localAddress?: string): Promise<string> {
  const socket = net.connect({ port, host, ...(localAddress !== undefined && { localAddress }) })
  let said = ''
  socket.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  await once(socket, 'end')
  return said
}

const addresses = Array.from({ length: 60 }, (_, at) => `127.0.${at}.${at * 4 + 2}`)

function hearAll(port: number): Promise<readonly string[]> {
  return Promise.all(addresses.map((address) => hearFrom(port, '127.0.0.1', address)))
}

/** What the program makes of the packets of these addresses. */
function expected(count: number): readonly string[] {
  const program = clientAddressProgram({ by: 'client-address' }, slotsOfBuckets(count))
  const words = program.flatMap(({ code, jt = 0, jf = 0, k = 0 }) => [code, jt, jf, k])
  return addresses.map((address) => {
    const network = Uint8Array.of(0x45, ...Array(11).fill(0), ...address.split('.').map(Number), 127, 0, 0, 1)
    return String(interpret(words, { network, payload: new Uint8Array() }))
  })
}

describe.each(['0.0.0.0', '127.0.0.1', '::', '::ffff:127.0.0.1'])('clients of IPv4 at %s', (host) => {
  test('each goes to the member that its address gives, whatever its port', async () => {
    const { servers, port } = await members(3, host)
    expect(await steer(servers[1] as net.Server, { by: 'client-address' })).toMatchObject({
      method: 'program',
      members: 3,
    })
    for (let times = 0; times < 3; times++) expect(await hearAll(port)).toEqual(expected(3))
    expect(new Set(expected(3)).size).toBe(3)
  })
})

test.each(['::1', '::'])('a client of IPv6 at %s stays with one member', async (host) => {
  const { servers, port } = await members(8, host)
  await steer(servers[0] as net.Server, { by: 'client-address' })
  const heard = await Promise.all(Array.from({ length: 40 }, () => hearFrom(port, '::1')))
  expect(new Set(heard).size).toBe(1)
})

test('networks: the clients of each go to one member', async () => {
  const { servers, port } = await members(4, '127.0.0.1')
  await steer(servers[0] as net.Server, { by: 'client-address', ipv4: 24 })
  const seen = new Set<string>()
  for (let network = 0; network < 12; network++) {
    const hosts = Array.from({ length: 10 }, (_, at) => `127.0.${network}.${at + 1}`)
    const heard = new Set(await Promise.all(hosts.map((address) => hearFrom(port, '127.0.0.1', address))))
    expect(heard.size).toBe(1)
    for (const one of heard) seen.add(one)
  }
  expect(seen.size).toBeGreaterThan(1)
})

test('a member that joins takes its share only; a drain of the last one gives it back, without a moment of chance', async () => {
  const { servers, port } = await members(3, '127.0.0.1')
  const policy = { by: 'client-address' } as const
  await steer(servers[0] as net.Server, policy)
  const before = await hearAll(port)
  const fourth = named('3')
  opened.push(fourth)
  listenReusePort(fourth, { port, host: '127.0.0.1', steering: policy })
  await once(fourth, 'listening')
  await expect.poll(() => hearAll(port)).toEqual(expected(4))
  const movedTo = expected(4).filter((name, at) => name !== before[at])
  expect(movedTo.length).toBeGreaterThan(0)
  expect(new Set(movedTo)).toEqual(new Set(['3']))

  let isOver = false
  const drained = drain(fourth).finally(() => {
    isOver = true
  })
  const strangers: string[] = []
  while (!isOver) {
    for (const [at, name] of (await hearAll(port)).entries()) {
      if (name !== before[at] && name !== '3') strangers.push(name)
    }
  }
  expect(await drained).toMatchObject({ method: 'steer', lossless: true })
  expect(strangers).toEqual([])
  expect(await hearAll(port)).toEqual(before)
})

test.each([1, 3])('a drain of slot %i: whoever has another member during it keeps it after it', async (slot) => {
  const { servers, port } = await members(4, '127.0.0.1')
  const policy = { by: 'client-address' } as const
  for (const server of servers) await steer(server, policy)
  const before = await hearAll(port)
  let isOver = false
  const drained = drain(servers[slot] as net.Server, { grace: 200 }).finally(() => {
    isOver = true
  })
  const seen = addresses.map(() => new Set<string>())
  while (!isOver) for (const [at, name] of (await hearAll(port)).entries()) seen[at]?.add(name)
  await drained
  const after = await hearAll(port)
  expect(after.every((name) => name !== String(slot))).toBe(true)
  for (const [at, names] of seen.entries()) for (const name of names) expect([before[at], after[at]]).toContain(name)
})

describe('UDP', () => {
  async function group(count: number, address: string): Promise<{ port: number; got: Map<string, Set<number>> }> {
    const got = new Map<string, Set<number>>()
    let port = 0
    for (let slot = 0; slot < count; slot++) {
      const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
      sockets.push(socket)
      const error = await bound(socket, () => bindReusePort(socket, port, address))
      if (error !== undefined) throw error
      port = socket.address().port
      socket.on('message', (message, from) => {
        const flow = message.toString('hex')
        got.set(flow, (got.get(flow) ?? new Set()).add(slot))
        socket.send('', from.port, from.address)
      })
    }
    return { port, got }
  }

  /** Sends each flow from a port of its own, and waits for all answers. */
  async function send(port: number, host: string, flows: readonly Buffer[]): Promise<void> {
    for (let at = 0; at < flows.length; at += 100) {
      await Promise.all(
        flows.slice(at, at + 100).map(async (flow) => {
          const client = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4')
          const answered = once(client, 'message')
          client.send(flow, port, host)
          await answered
          client.close()
        }),
      )
    }
  }

  test.each(['127.0.0.1', '::'])(
    'at %s 2,000 flows stay with their member when they change their port',
    async (address) => {
      const { port, got } = await group(4, address)
      const host = address === '::' ? '::1' : address
      await steer(sockets[0] as dgram.Socket, { by: 'bytes', offset: 1, length: 8 })
      const flows = Array.from({ length: 2000 }, (_, number) => {
        const flow = Buffer.alloc(10)
        flow.writeUInt32BE(number, 3)
        return flow
      })
      for (let times = 0; times < 3; times++) await send(port, host, flows)
      expect(got.size).toBe(2000)
      expect([...got.values()].every((slots) => slots.size === 1)).toBe(true)
      const counts = [0, 1, 2, 3].map((slot) => [...got.values()].filter((slots) => slots.has(slot)).length)
      // Six standard deviations are 116.
      for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(116)
    },
  )

  test('a table; what it does not name, what is too short and long headers go by the hash', async () => {
    const { port, got } = await group(4, '127.0.0.1')
    const table = [0, 1, 2, 3].map((slot) => ({ value: 0x100 + slot, slot: 3 - slot }))
    const policy = { by: 'bytes', offset: 1, length: 2, table, longHeaders: 'hash' } as const
    expect(await steer({ port, host: '127.0.0.1', protocol: 'udp' }, policy)).toMatchObject({ members: 4 })
    const times = (flow: number[]): Buffer[] => Array.from({ length: 64 }, () => Buffer.from(flow))
    for (const slot of [0, 1, 2, 3]) {
      await send(port, '127.0.0.1', times([0x40, 1, slot]))
      expect(got.get(`40010${slot}`)).toEqual(new Set([3 - slot]))
    }
    for (const flow of [
      [0x40, 1, 9],
      [0x40, 1],
      [0xc0, 1, 2],
    ]) {
      await send(port, '127.0.0.1', times(flow))
      // 64 ports with one member of four by chance: never.
      expect(got.get(Buffer.from(flow).toString('hex'))?.size).toBeGreaterThan(1)
    }
  })

  test('clients by their address', async () => {
    const { port, got } = await group(8, '127.0.0.1')
    await steer(sockets[0] as dgram.Socket, { by: 'client-address' })
    await send(
      port,
      '127.0.0.1',
      Array.from({ length: 40 }, () => Buffer.from('a')),
    )
    expect(got.get('61')?.size).toBe(1)
  })
})

const PORT = { port: 1, host: '127.0.0.1' }

test.each<[string, unknown, string]>([
  ['another kind', { by: 'address' }, 'ERR_INVALID_ARG_VALUE'],
  ['another option', { by: 'client-address', ipv5: 3 }, 'ERR_REUSEPORT_UNKNOWN_OPTION'],
  ['two policies', { by: 'client-address', cpu: true }, 'ERR_REUSEPORT_UNKNOWN_OPTION'],
  ['a prefix of 0 bits', { by: 'client-address', ipv4: 0 }, 'ERR_OUT_OF_RANGE'],
  ['a prefix of 129 bits', { by: 'client-address', ipv6: 129 }, 'ERR_OUT_OF_RANGE'],
  ['a prefix as text', { by: 'client-address', ipv6: '64' }, 'ERR_INVALID_ARG_TYPE'],
  ['no offset', { by: 'bytes', length: 1 }, 'ERR_INVALID_ARG_TYPE'],
  ['21 bytes', { by: 'bytes', offset: 0, length: 21 }, 'ERR_OUT_OF_RANGE'],
  ['a table of 5 bytes', { by: 'bytes', offset: 0, length: 5, table: [{ value: 0, slot: 0 }] }, 'ERR_OUT_OF_RANGE'],
  ['an empty table', { by: 'bytes', offset: 0, length: 1, table: [] }, 'ERR_OUT_OF_RANGE'],
  ['a table that is none', { by: 'bytes', offset: 0, length: 1, table: {} }, 'ERR_INVALID_ARG_TYPE'],
  [
    'a value beyond the bytes',
    { by: 'bytes', offset: 0, length: 1, table: [{ value: 256, slot: 0 }] },
    'ERR_OUT_OF_RANGE',
  ],
  [
    'a value twice',
    {
      by: 'bytes',
      offset: 0,
      length: 1,
      table: [
        { value: 1, slot: 0 },
        { value: 1, slot: 1 },
      ],
    },
    'ERR_INVALID_ARG_VALUE',
  ],
  ['long headers elsewhere', { by: 'bytes', offset: 0, length: 1, longHeaders: 'first' }, 'ERR_INVALID_ARG_VALUE'],
])('%s is refused', async (_, policy, code) => {
  await expect(steer(PORT, policy as never)).rejects.toMatchObject({ code })
})

test('bytes are for UDP; members of a UDP group are named by slots; a socket that is not bound is none', async () => {
  const { servers } = await members(1, '127.0.0.1')
  const bytes = { by: 'bytes', offset: 0, length: 1 } as const
  await expect(steer(servers[0] as net.Server, bytes)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  const listen = (): unknown => listenReusePort(net.createServer(), { port: 0, steering: bytes })
  expect(listen).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  const socket = dgram.createSocket('udp4')
  sockets.push(socket)
  await bound(socket, () => bindReusePort(socket, 0, '127.0.0.1'))
  const named = steer(socket, { exclude: [{ pid: process.pid }] })
  await expect(named).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
  const closed = dgram.createSocket('udp4')
  closed.close()
  await expect(steer(closed, bytes)).rejects.toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
})
