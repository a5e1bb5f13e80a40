// Every option of the table: its initial value is another one, it is set, and it is read back; on IPv4 and IPv6.
import dgram from 'node:dgram'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { describe, expect, type TestContext, test } from 'vitest'
import {
  bindReusePort,
  effectiveSocketOptions,
  listenReusePort,
  openReusePortSocket,
  type ReusePortSocket,
} from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import type { OptionRow } from '../../src/native/addon-contract.js'
import { readOption } from '../../src/options/read-option.js'
import { bound } from '../support/datagrams.js'
import { closed, once, portOf } from '../support/listeners.js'
import { hasCapability, type OptionSample, SAMPLES } from '../support/option-values.js'

const state = loadAddon()
if (!state.loaded) throw state.cause
const { addon } = state

type Family = 4 | 6
const HOSTS = { 4: '127.0.0.1', 6: '::1' } as const
const wholes = addon.socketOptions.filter(({ name }) => !name.includes('.'))
const cases = (transport: 'tcp' | 'udp'): { row: OptionRow; family: Family; name: string }[] =>
  wholes
    .filter((row) => row[transport])
    .flatMap((row) => ([4, 6] as const).map((family) => ({ row, family, name: row.name })))

function sampleOf({ name }: OptionRow): OptionSample {
  const sample = SAMPLES[name]
  if (sample === undefined) throw new Error(`no sample for ${name}`)
  return sample
}

/** Whether this kernel has the option for this family; `error` is what happened when it was set. */
function isAvailable(row: OptionRow, family: Family): boolean {
  if (row.name === 'mptcp') return readSetting('/proc/sys/net/mptcp/enabled') === '1'
  return (family === 4 ? row.ipv4 : row.ipv6) !== null
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Ends a test of an option that this machine or this user cannot have, once the error has said so. */
function endWhereItCannotBeSet(context: TestContext, row: OptionRow, family: Family, error: unknown): void {
  if (!isAvailable(row, family)) {
    expect(error).toMatchObject({
      code: 'ERR_REUSEPORT_OPTION_UNSUPPORTED',
      option: `socketOptions.${row.name}`,
      systems: row.systems.split(' '),
    })
    const isOfOtherFamily = row.ipv4 !== null || row.ipv6 !== null
    context.skip(isOfOtherFamily ? `IPv${family} has no such option` : 'this system has no such option: it says so')
  }
  const { capability, allowedByNewerKernels = false } = sampleOf(row)
  const isAllowed = allowedByNewerKernels && error === undefined
  if (capability !== undefined && !hasCapability(capability) && !isAllowed) {
    expect(error).toMatchObject({
      code: 'ERR_REUSEPORT_OPTION_DENIED',
      option: `socketOptions.${row.name}`,
      capability: row.capability,
    })
    context.skip(`without ${row.capability} it is denied: it says so`)
  }
  expect(error).toBeUndefined()
}

function attempt<T>(action: () => T): { value?: T; error?: unknown } {
  try {
    return { value: action() }
  } catch (error) {
    return { error }
  }
}

test('there is a sample for every option and an option for every sample', () => {
  expect(Object.keys(SAMPLES).toSorted()).toEqual(wholes.map(({ name }) => name).toSorted())
})

describe.each(cases('tcp'))('TCP, IPv$family: $name', ({ row, family, name }) => {
  const host = HOSTS[family]
  const { given, read = given, accepted } = sampleOf(row)
  const open = (socketOptions: object = {}): ReusePortSocket => openReusePortSocket({ host, socketOptions })

  test('set and read back', (context) => {
    const { value, error } = attempt(() => open({ [name]: given }))
    using socket = value ?? { [Symbol.dispose]: () => {} }
    endWhereItCannotBeSet(context, row, family, error)
    using plain = open()
    const option = name as 'noDelay'
    expect(plain.getOption(option)).not.toEqual(read)
    expect((socket as ReusePortSocket).getOption(option)).toEqual(read)
  })

  test(`accepted sockets ${row.inherited ? 'inherit it' : 'do not have it'}`, async (context) => {
    const { value: socket, error } = attempt(() => open({ [name]: given }))
    endWhereItCannotBeSet(context, row, family, error)
    const value = await valueOfAccepted(socket as ReusePortSocket, name, family)
    if (accepted !== undefined) expect(accepted(value), `${value}`).toBe(true)
    else expect(value).toEqual(row.inherited ? read : await valueOfAccepted(open(), name, family))
  })

  test('optional, it is left out where it cannot be set', () => {
    using socket = open({ [name]: given, optional: [name] })
    expect(socket.address().port).toBeGreaterThan(0)
  })
})

async function valueOfAccepted(socket: ReusePortSocket, name: string, family: Family): Promise<unknown> {
  const { port } = socket.address()
  const server = socket.listen(net.createServer())
  const client = net.connect(port, HOSTS[family])
  // deferAccept waits for it.
  client.write('something')
  const connection = (await once(server, 'connection')) as net.Socket & { _handle: { fd: number } }
  const value = readOption({ addon, fd: connection._handle.fd, family }, 'tcp', name)
  client.destroy()
  connection.destroy()
  await closed(server)
  return value
}

describe.each(cases('udp'))('UDP, IPv$family: $name', ({ row, family, name }) => {
  const { given, read = given } = sampleOf(row)
  const address = HOSTS[family]
  const type = family === 4 ? 'udp4' : 'udp6'

  test('set and read back', async (context) => {
    const socket = dgram.createSocket(type)
    const error = await bound(socket, () => bindReusePort(socket, { address, socketOptions: { [name]: given } }))
    if (error !== undefined) socket.close()
    endWhereItCannotBeSet(context, row, family, error)
    const plain = dgram.createSocket(type)
    await bound(plain, () => bindReusePort(plain, { address }))
    expect(effectiveSocketOptions(plain)).not.toMatchObject({ [name]: read })
    expect(effectiveSocketOptions(socket)).toMatchObject({ [name]: read })
    socket.close()
    plain.close()
  })

  test('optional, it is left out where it cannot be set', async () => {
    const socket = dgram.createSocket(type)
    const socketOptions = { [name]: given, optional: [name as 'gro'] }
    expect(await bound(socket, () => bindReusePort(socket, { address, socketOptions }))).toBeUndefined()
    socket.close()
  })
})

test('an IPv6 socket that takes IPv4 has the options of both headers', () => {
  using socket = openReusePortSocket({
    socketOptions: { ttl: 9, hopLimit: 8, typeOfService: 0x28, trafficClass: 0x48 },
  })
  expect(socket.getOption('ttl')).toBe(9)
  expect(socket.getOption('hopLimit')).toBe(8)
  expect(socket.getOption('typeOfService')).toBe(0x28)
  expect(socket.getOption('trafficClass')).toBe(0x48)
})

test('the priority that is given wins over the one that Linux derives from typeOfService', () => {
  using derived = openReusePortSocket({ host: '127.0.0.1', socketOptions: { typeOfService: 0x10 } })
  expect(derived.getOption('priority')).toBe(6)
  using given = openReusePortSocket({ host: '127.0.0.1', socketOptions: { priority: 2, typeOfService: 0x10 } })
  expect(given.getOption('priority')).toBe(2)
})

test('keepAlive alone leaves the times to the system', () => {
  using plain = openReusePortSocket({ socketOptions: { keepAlive: true } })
  const times = plain.getOption('keepAlive')
  expect(times).toEqual({ idle: expect.any(Number), interval: expect.any(Number), count: expect.any(Number) })
  using one = openReusePortSocket({ socketOptions: { keepAlive: { idle: 77 } } })
  expect(one.getOption('keepAlive')).toEqual({ ...(times as object), idle: 77 })
  using off = openReusePortSocket({ socketOptions: { keepAlive: false } })
  expect(off.getOption('keepAlive')).toBe(false)
})

test('linger: off, at once, and later are told apart', () => {
  for (const linger of [false, 0, 12] as const) {
    using socket = openReusePortSocket({ socketOptions: { linger } })
    expect(socket.getOption('linger')).toBe(linger)
  }
})

describe('effectiveSocketOptions', () => {
  test('reads what the kernel uses of a server, whoever opened its socket', async () => {
    const ours = listenReusePort(net.createServer(), { port: 0, socketOptions: { receiveBufferSize: 9999 } })
    await once(ours, 'listening')
    expect(effectiveSocketOptions(ours)).toMatchObject({ receiveBufferSize: 19998, noDelay: false, keepAlive: false })
    const core = net.createServer().listen(0, '127.0.0.1')
    await once(core, 'listening')
    const read = effectiveSocketOptions(core)
    const missing = wholes.filter(({ tcp, ipv4 }) => tcp && ipv4 === null).map(({ name }) => name)
    expect(Object.keys(read).toSorted()).toEqual(
      wholes
        .filter(({ tcp, name }) => tcp && !missing.includes(name))
        .map(({ name }) => name)
        .toSorted(),
    )
    await Promise.all([closed(ours), closed(core)])
  })

  test.each([
    ['a server that does not listen', () => net.createServer(), 'ERR_INVALID_ARG_VALUE'],
    ['a socket that is not bound', () => dgram.createSocket('udp4'), 'ERR_INVALID_ARG_VALUE'],
    ['nothing', () => undefined, 'ERR_INVALID_ARG_TYPE'],
    ['an object', () => ({}), 'ERR_INVALID_ARG_TYPE'],
  ])('refuses %s', (_what, target, code) => {
    expect(() => effectiveSocketOptions(target() as net.Server)).toThrow(expect.objectContaining({ code }))
  })

  test('refuses a server on a path', async () => {
    const server = net.createServer().listen(`\0reuseport-test-${process.pid}`)
    await once(server, 'listening')
    expect(() => effectiveSocketOptions(server)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
    expect(() => portOf(server)).toThrow()
    await closed(server)
  })
})
