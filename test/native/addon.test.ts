import { closeSync, fstatSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Addon, loadAddon } from '../../src/addon.js'
import { ERRNO } from '../support/faults.js'
import { acceptQueueLimit, openSockets } from '../support/sockets.js'

const state = loadAddon()
if (!state.loaded) throw state.cause
const addon: Addon = state.addon
const request = { family: 4, address: '127.0.0.1', port: 0, ipv6Only: false, backlog: 511 } as const

function open(change: object = {}): number {
  const fd = addon.openListener({ ...request, ...change })
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
  const failure = addon.openListener({ ...request, ...(change as object) })
  expect(failure).toMatchObject({ syscall, errno: -ERRNO[code as keyof typeof ERRNO] })
  expect(openSockets()).toEqual(before)
})

test.each([
  ['nothing', []],
  ['a string', ['request']],
  ['no port', [{ ...request, port: undefined }]],
  ['a port out of range', [{ ...request, port: 65536 }]],
  ['a port below 0', [{ ...request, port: -1 }]],
  ['a port that is no integer', [{ ...request, port: 1.5 }]],
  ['a port that is NaN', [{ ...request, port: Number.NaN }]],
  ['a family that is none', [{ ...request, family: 5 }]],
  ['a family far off', [{ ...request, family: 10 }]],
  ['an address that is no text', [{ ...request, address: 127 }]],
  ['ipv6Only that is no boolean', [{ ...request, ipv6Only: 1 }]],
  ['a backlog out of range', [{ ...request, backlog: 2 ** 31 }]],
  ['a backlog below 0', [{ ...request, backlog: -1 }]],
])('refuses %s with a TypeError', (_what, args) => {
  const before = openSockets()
  expect(() => Reflect.apply(addon.openListener, addon, args)).toThrow(TypeError)
  expect(openSockets()).toEqual(before)
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

test('the address of a descriptor that is no socket is a failure', () => {
  expect(addon.localAddress(0)).toMatchObject({ syscall: 'getsockname' })
  expect(addon.localAddress(9999)).toEqual({ errno: -9, syscall: 'getsockname' })
})

test('the probe leaves nothing open', () => {
  const before = openSockets()
  for (let round = 0; round < 100; round++) expect(addon.probe()).toBe(true)
  expect(openSockets()).toEqual(before)
})
