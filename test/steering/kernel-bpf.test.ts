// The scenarios of the kernel's own tests reuseport_bpf and reuseport_bpf_cpu (their classic parts), and migrate_reuseport
// with the kernel's own choice: that what is attached here is what those tests attach.
import { execFile, spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { bindReusePort } from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import { datagramDescriptor } from '../../src/node/datagram-internals.js'
import { bytesProgram, clientAddressProgram } from '../../src/steering/bucket-program.js'
import { BUCKETS, slotsOfBuckets } from '../../src/steering/buckets.js'
import { wordsOf } from '../../src/steering/steering.js'
import type { FilterInstruction } from '../../src/steering/steering-types.js'
import { bound } from '../support/datagrams.js'
import { ERRNO } from '../support/faults.js'
import { whyNoNamespace } from '../support/namespace.js'
import { openListener } from '../support/native.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state

const EINVAL = { errno: -ERRNO.EINVAL, syscall: 'setsockopt' }
const LOAD_WORD = 0x20
const MODULO = 0x94
const RETURN_A = 0x16
const RETURN = 0x06
const CPU = 0x1_0000_0000 - 0x1000 + 36

/** The first word of the payload modulo this. */
function byPayload(modulo: number): Uint32Array {
  return Uint32Array.of(LOAD_WORD, 0, 0, 0, MODULO, 0, 0, modulo, RETURN_A, 0, 0, 0)
}

const TABLE = Array.from({ length: 512 }, (_, slot) => ({ value: 2 * slot, slot }))

const sockets: dgram.Socket[] = []
const fds: number[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close()
  for (const fd of fds.splice(0)) addon.close(fd)
})

function fdOf(socket: dgram.Socket): number {
  return datagramDescriptor(socket) as number
}

async function member(address: string, port: number, onMessage: () => void): Promise<dgram.Socket> {
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4')
  sockets.push(socket)
  const error = await bound(socket, () => bindReusePort(socket, port, address))
  if (error !== undefined) throw error
  socket.on('message', onMessage)
  return socket
}

describe.each(['127.0.0.1', '::1', '0.0.0.0', '::'])('reuseport_bpf, UDP at %s', (address) => {
  test('each datagram goes where its payload says, in this order, and by the latest program', async () => {
    const MEMBERS = 10
    const got: number[] = []
    let port = 0
    for (let slot = 0; slot < MEMBERS; slot++) {
      const socket = await member(address, port, () => got.push(slot))
      port = socket.address().port
    }
    const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address
    const client = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4')
    sockets.push(client)
    for (const modulo of [MEMBERS, MEMBERS / 2]) {
      expect(addon.attachProgram(fdOf(sockets[modulo % 7] as dgram.Socket), byPayload(modulo))).toBe(undefined)
      got.length = 0
      const sent = Array.from({ length: 4 * MEMBERS }, (_, index) => index)
      for (const number of sent) {
        const word = Buffer.alloc(4)
        word.writeUInt32BE(number)
        await new Promise((resolve) => client.send(word, port, host, resolve))
        while (got.length <= number) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(got).toEqual(sent.map((number) => number % modulo))
    }
  })
})

test('reuseport_bpf: a later socket cannot come with a program of its own', () => {
  const first = openListener(addon, { family: 4, address: '127.0.0.1', port: 0 }) as number
  fds.push(first)
  const bound = addon.localAddress(first)
  const port = 'port' in bound ? bound.port : 0
  const second = addon.openSocket({ transport: 'tcp', family: 4, ipv6Only: false, multipath: false }) as number
  fds.push(second)
  // Attached before it is bound: to a group that will be its own.
  expect(addon.attachProgram(second, byPayload(1))).toBe(undefined)
  expect(addon.attachProgram(first, byPayload(1))).toBe(undefined)
  const failure = addon.bind(second, 4, '127.0.0.1', port) ?? addon.listen(second, 1)
  expect(failure).toMatchObject({ errno: -ERRNO.EADDRINUSE })
})

test('reuseport_bpf: a socket that does not share its port takes no program', () => {
  const socket = dgram.createSocket('udp4')
  sockets.push(socket)
  return bound(socket, () => socket.bind(0, '127.0.0.1')).then(() => {
    expect(addon.attachProgram(fdOf(socket), byPayload(1))).toEqual(EINVAL)
  })
})

test('reuseport_bpf: before it is bound', () => {
  const fd = addon.openSocket({ transport: 'udp', family: 4, ipv6Only: false, multipath: false }) as number
  fds.push(fd)
  expect(addon.attachProgram(fd, byPayload(10))).toBe(undefined)
})

test.each<[string, readonly FilterInstruction[]]>([
  ['by address, for 512 members', clientAddressProgram({ by: 'client-address' }, slotsOfBuckets(BUCKETS))],
  ['by 20 bytes', bytesProgram({ by: 'bytes', offset: 0, length: 20, longHeaders: 'hash' }, slotsOfBuckets(BUCKETS))],
  ['by a table of 512 values', bytesProgram({ by: 'bytes', offset: 0, length: 4, table: TABLE }, [])],
])('the kernel takes the largest programs: %s', async (_what, program) => {
  let received = 0
  const socket = await member('127.0.0.1', 0, () => received++)
  expect(addon.attachProgram(fdOf(socket), wordsOf(program))).toBeUndefined()
  const client = dgram.createSocket('udp4')
  sockets.push(client)
  // Its bytes are in the table, and name the only member.
  client.send(Buffer.alloc(32), socket.address().port, '127.0.0.1')
  await expect.poll(() => received).toBe(1)
})

test('reuseport_bpf: a slot that is none means the hash', async () => {
  const got = new Map<number, number>()
  let port = 0
  for (let slot = 0; slot < 3; slot++) {
    const socket = await member('127.0.0.1', port, () => got.set(slot, (got.get(slot) ?? 0) + 1))
    port = socket.address().port
  }
  addon.attachProgram(fdOf(sockets[0] as dgram.Socket), Uint32Array.of(RETURN, 0, 0, 3))
  for (let count = 0; count < 60; count++) {
    const client = dgram.createSocket('udp4')
    await new Promise((resolve) => client.send('x', port, '127.0.0.1', resolve))
    client.close()
  }
  while ([...got.values()].reduce((sum, count) => sum + count, 0) < 60)
    await new Promise((resolve) => setImmediate(resolve))
  expect([...got.keys()].toSorted()).toEqual([0, 1, 2])
})

describe('reuseport_bpf_cpu', () => {
  test.each(['127.0.0.1', '::1'])('UDP at %s: the slot is the CPU that sent', async (host) => {
    const cpus = os.cpus().length
    let port = 0
    for (let slot = 0; slot < cpus; slot++) {
      const socket: dgram.Socket = await member(host, port, () => {})
      socket.on('message', (_message, { address, port: source }) => socket.send(String(slot), source, address))
      port = socket.address().port
    }
    addon.attachProgram(fdOf(sockets[0] as dgram.Socket), Uint32Array.of(LOAD_WORD, 0, 0, CPU, RETURN_A, 0, 0, 0))
    const script = fileURLToPath(new URL('../fixtures/client.py', import.meta.url))
    for (const cpu of [...Array(cpus).keys(), ...Array(cpus).keys()].toReversed()) {
      const { stdout } = await promisify(execFile)('python3', [
        script,
        JSON.stringify({ transport: 'udp', host, port, times: 20, cpu }),
      ])
      expect(JSON.parse(stdout)).toEqual(Array(20).fill(String(cpu)))
    }
  })
})

describe('migrate_reuseport', () => {
  const reason = whyNoNamespace()

  test.for(['127.0.0.1', '::1'])(
    '%s: what waits at a listener that closes comes to the others, if told to',
    (host, context) => {
      if (reason !== undefined) context.skip(reason)
      const fixture = fileURLToPath(new URL('../fixtures/migrate.mjs', import.meta.url))
      for (const [setting, expected] of [
        ['1', { migrated: 20, failed: 0 }],
        ['0', { migrated: 0, failed: 20 }],
      ] as const) {
        const { stdout, stderr } = spawnSync('unshare', ['-rn', process.execPath, fixture, setting, host], {
          encoding: 'utf8',
        })
        expect(JSON.parse(stdout || `{ "stderr": ${JSON.stringify(stderr)} }`)).toEqual(expected)
      }
    },
  )
})
