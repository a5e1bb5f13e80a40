import { closeSync, fstatSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { SocketAddressInfo } from '../../src/common/address.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { ERRNO } from '../support/faults.js'
import { openListener } from '../support/native.js'
import { acceptQueueLimit, openSockets } from '../support/sockets.js'

const state = loadAddon()
if (!state.loaded) throw state.cause
const addon: Addon = state.addon
const request = { transport: 'tcp', family: 4, ipv6Only: false, multipath: false } as const

function open({ family = 4, address = '127.0.0.1', port = 0 } = {}): number {
  const fd = openListener(addon, { family: family === 4 ? 4 : 6, address, port })
  if (typeof fd !== 'number') throw new Error(`${fd.syscall} failed: ${fd.errno}`)
  return fd
}

function portOf(fd: number): number {
  const address = addon.localAddress(fd)
  if ('errno' in address) throw new Error(`${address.syscall} failed: ${address.errno}`)
  return address.port
}

test('the descriptor is close-on-exec, non-blocking and listening', () => {
  const fd = open()
  const flags = Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8)
  expect(flags & 0o2000000).not.toBe(0) // O_CLOEXEC
  expect(flags & 0o4000).not.toBe(0) // O_NONBLOCK
  expect(acceptQueueLimit(portOf(fd))).toBe(511)
  expect(addon.close(fd)).toBeUndefined()
})

test.each([
  [4, '127.0.0.1'],
  [4, '0.0.0.0'],
  [6, '::1'],
  [6, '::'],
  [6, '::1%lo'],
])('several sockets share a port: family %i, %s', (family, address) => {
  const first = open({ family, address })
  const others = [1, 2, 3].map(() => open({ family, address, port: portOf(first) }))
  expect(new Set([first, ...others].map(portOf)).size).toBe(1)
  for (const fd of [first, ...others]) addon.close(fd)
})

test('the local address is that of the socket', () => {
  const v4 = open()
  expect(addon.localAddress(v4)).toEqual({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) })
  const v6 = open({ family: 6, address: '::1' })
  expect(addon.localAddress(v6)).toEqual({ address: '::1', family: 'IPv6', port: expect.any(Number) })
  addon.close(v4)
  addon.close(v6)
})

test.each([
  ['an address of no interface', { address: '192.0.2.1' }, 'bind', 'EADDRNOTAVAIL'],
  ['an address of the other family', { address: '::1' }, 'bind', 'EINVAL'],
  ['an IPv4 address where IPv6 is said', { family: 6, address: '127.0.0.1' }, 'bind', 'EINVAL'],
  ['no address', { address: '' }, 'bind', 'EINVAL'],
  ['a name', { address: 'localhost' }, 'bind', 'EINVAL'],
  ['an address with a NUL in it', { address: '127.0.0.1\0junk' }, 'bind', 'EINVAL'],
  ['a link-local address with an unknown zone', { family: 6, address: 'fe80::1%none0' }, 'bind', 'EINVAL'],
  ['an address with an empty zone', { family: 6, address: 'fe80::1%' }, 'bind', 'EINVAL'],
])('%s is a failure and leaves nothing open', (_what, change, syscall, code) => {
  const before = openSockets()
  const failure = openListener(addon, { family: 4, address: '127.0.0.1', port: 0, ...(change as object) })
  expect(failure).toMatchObject({ syscall, errno: -ERRNO[code as keyof typeof ERRNO] })
  expect(openSockets()).toEqual(before)
})

const BAD_ARGUMENTS: readonly (readonly [string, keyof Addon, readonly unknown[]])[] = [
  ['nothing', 'openSocket', []],
  ['a string', 'openSocket', ['request']],
  ['a transport that is none', 'openSocket', [{ ...request, transport: 'sctp' }]],
  ['a family that is none', 'openSocket', [{ ...request, family: 5 }]],
  ['a family far off', 'openSocket', [{ ...request, family: 10 }]],
  ['ipv6Only that is no boolean', 'openSocket', [{ ...request, ipv6Only: 1 }]],
  ['multipath that is no boolean', 'openSocket', [{ ...request, multipath: undefined }]],
  ['no port', 'bind', [9999, 4, '127.0.0.1']],
  ['a port out of range', 'bind', [9999, 4, '127.0.0.1', 65536]],
  ['a port below 0', 'bind', [9999, 4, '127.0.0.1', -1]],
  ['a port that is no integer', 'bind', [9999, 4, '127.0.0.1', 1.5]],
  ['a port that is NaN', 'bind', [9999, 4, '127.0.0.1', Number.NaN]],
  ['an address that is no text', 'bind', [9999, 4, 127, 0]],
  ['a family that is none', 'bind', [9999, 5, '127.0.0.1', 0]],
  ['a descriptor below 0', 'listen', [-1, 5]],
  ['a backlog out of range', 'listen', [9999, 2 ** 31]],
  ['a backlog below 0', 'listen', [9999, -1]],
  ['an option that is none', 'setOption', [9999, 4, 'fastopen', 1]],
  ['an option that is no text', 'getOption', [9999, 4, 23]],
  ['a number out of the range of its option', 'setOption', [9999, 4, 'ttl', 256]],
  ['a number below the range of its option', 'setOption', [9999, 4, 'ttl', 0]],
  ['a number that is none', 'setOption', [9999, 4, 'ttl', Number.NaN]],
  ['a text for a number', 'setOption', [9999, 4, 'ttl', '9']],
  ['a number for a text', 'setOption', [9999, 4, 'congestion', 9]],
  ['a text that is too long', 'setOption', [9999, 4, 'congestion', 'x'.repeat(16)]],
  ['a text that is empty', 'setOption', [9999, 4, 'bindToDevice', '']],
  ['a text with a NUL', 'setOption', [9999, 4, 'bindToDevice', 'lo\0']],
  ['a time below off', 'setOption', [9999, 4, 'linger', -2]],
  ['a level out of range', 'setRawOption', [9999, 2 ** 31, 1, 1]],
  ['a name below 0', 'setRawOption', [9999, 1, -1, 1]],
  ['a value beyond 32 bits', 'setRawOption', [9999, 1, 1, 2 ** 32]],
  ['a value below 32 bits', 'setRawOption', [9999, 1, 1, -(2 ** 31) - 1]],
  ['a value of wider words', 'setRawOption', [9999, 1, 1, new Uint16Array(1)]],
  ['a view of bytes', 'setRawOption', [9999, 1, 1, new DataView(new ArrayBuffer(4))]],
]

test.each(BAD_ARGUMENTS)('refuses %s with a TypeError: %s', (_what, call, args) => {
  const before = openSockets()
  expect(() => Reflect.apply(addon[call] as () => unknown, addon, args)).toThrow(TypeError)
  expect(openSockets()).toEqual(before)
})

test('each call names the system call that failed', () => {
  expect(addon.bind(9999, 4, '127.0.0.1', 0)).toEqual({ errno: -ERRNO.EBADF, syscall: 'bind' })
  expect(addon.listen(9999, 5)).toEqual({ errno: -ERRNO.EBADF, syscall: 'listen' })
  expect(addon.setOption(9999, 4, 'noDelay', 1)).toEqual({ errno: -ERRNO.EBADF, syscall: 'setsockopt' })
  expect(addon.setRawOption(9999, 1, 2, 1)).toEqual({ errno: -ERRNO.EBADF, syscall: 'setsockopt' })
  expect(addon.getOption(9999, 4, 'noDelay')).toEqual({ errno: -ERRNO.EBADF, syscall: 'getsockopt' })
})

test('closes only what it opened, and once', () => {
  const fd = open()
  expect(addon.close(fd)).toBeUndefined()
  expect(addon.close(fd)).toEqual({ errno: -9, syscall: 'close' })
  expect(addon.close(0)).toEqual({ errno: -9, syscall: 'close' })
  expect(fstatSync(0)).toBeDefined()
  for (const bad of [-1, '3', undefined, 1e10, 1.5, Number.NaN]) {
    expect(() => addon.close(bad as number)).toThrow(TypeError)
  }
})

test('closes no more what it released', () => {
  const fd = open()
  expect(addon.release(fd)).toBeUndefined()
  expect(addon.release(fd)).toEqual({ errno: -9, syscall: 'release' })
  expect(addon.close(fd)).toEqual({ errno: -9, syscall: 'close' })
  expect(openSockets().some((row) => row.startsWith(`${fd} `))).toBe(true)
  closeSync(fd)
})

test('tells apart what has the same number one after the other', () => {
  const fd = open()
  const claim = addon.claimOf(fd)
  expect(addon.isOwned(fd, claim)).toBe(true)
  closeSync(fd)
  expect(addon.isOwned(fd, claim)).toBe(false)
  expect(open()).toBe(fd)
  expect(addon.claimOf(fd)).toBeGreaterThan(claim)
  expect(addon.isOwned(fd, claim)).toBe(false)
  for (const stale of [claim, 0]) {
    expect(addon.close(fd, stale)).toEqual({ errno: -9, syscall: 'close' })
    expect(addon.release(fd, stale)).toEqual({ errno: -9, syscall: 'release' })
  }
  expect(addon.close(fd, addon.claimOf(fd))).toBeUndefined()
  expect(() => fstatSync(fd)).toThrow('EBADF')
  expect(addon.claimOf(fd)).toBe(0)
  for (const bad of [-1, '3', null, 1e16, 1.5]) expect(() => addon.close(fd, bad as number)).toThrow(TypeError)
})

test.each([
  ['tcp', 4, '127.0.0.1'],
  ['tcp', 6, '::'],
  ['udp', 4, '0.0.0.0'],
  ['udp', 6, '::1'],
] as const)(
  'a reserved port is one that no socket had, and other sockets can be bound to it: %s %i %s',
  (transport, family, address) => {
    const wanted = { transport, family, ipv6Only: false, multipath: false }
    const reserved = Array.from({ length: 1000 }, () => addon.reservePort(wanted, address) as number)
    const ports = reserved.map((fd) => (addon.localAddress(fd) as SocketAddressInfo).port)
    // 1,000 of about 28,000 ports at random: no port twice once in 10 million.
    expect(new Set(ports).size).toBe(1000)
    const member = addon.openSocket(wanted) as number
    expect(addon.bind(member, family, address, ports[0] as number)).toBeUndefined()
    for (const fd of [...reserved, member]) addon.close(fd)
    expect(addon.reservePort({ ...wanted, family: 4 }, '192.0.2.1')).toEqual({ errno: -99, syscall: 'bind' })
    expect(addon.reservePort(wanted, 'localhost')).toEqual({ errno: -22, syscall: 'bind' })
  },
)

test('the address of a descriptor that is no socket is a failure', () => {
  expect(addon.localAddress(0)).toMatchObject({ syscall: 'getsockname' })
  expect(addon.localAddress(9999)).toEqual({ errno: -9, syscall: 'getsockname' })
})

test('the probe leaves nothing open', () => {
  const before = openSockets()
  for (let round = 0; round < 100; round++) expect(addon.probe()).toBe(true)
  expect(openSockets()).toEqual(before)
})
