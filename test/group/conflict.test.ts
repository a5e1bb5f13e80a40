import { expect, test } from 'vitest'
import { findConflict, type HoldingSocket } from '../../src/group/conflict.js'

const UID = 1000

function socket(address: string, more: Partial<HoldingSocket> = {}): HoldingSocket {
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  return { family, address, ipv6Only: family === 'IPv6' ? false : null, uid: UID, state: 'listening', ...more }
}

function conflict(
  sockets: readonly HoldingSocket[],
  address: string,
  more: { protocol?: 'tcp' | 'udp'; ipv6Only?: boolean } = {},
): unknown {
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  return findConflict(sockets, { protocol: 'tcp', family, address, ipv6Only: false, ...more }, UID)
}

test('sockets that do not overlap are not in the way', () => {
  const none = { reason: 'unknown', socket: undefined }
  expect(conflict([], '127.0.0.1')).toEqual(none)
  expect(conflict([socket('127.0.0.2'), socket('::1')], '127.0.0.1')).toEqual(none)
  expect(conflict([socket('::', { ipv6Only: true })], '127.0.0.1')).toEqual(none)
  expect(conflict([socket('127.0.0.1')], '::', { ipv6Only: true })).toEqual(none)
  expect(conflict([socket('0.0.0.0')], '::1')).toEqual(none)
})

test('another user comes first, a listener before what only has the port', () => {
  const foreign = socket('127.0.0.1', { uid: 0 })
  const idle = socket('127.0.0.1', { uid: 0, state: 'connected' })
  expect(conflict([socket('127.0.0.1'), idle, foreign], '127.0.0.1')).toEqual({ reason: 'other-user', socket: foreign })
  expect(conflict([socket('127.0.0.1'), idle], '127.0.0.1')).toEqual({ reason: 'other-user', socket: idle })
})

test('of several the one at the same address is named', () => {
  const same = socket('127.0.0.1')
  const any = socket('0.0.0.0')
  expect(conflict([any, same], '127.0.0.1')).toEqual({ reason: 'not-shared', socket: same })
  expect(conflict([socket('127.0.0.2'), any], '0.0.0.0')).toEqual({ reason: 'not-shared', socket: any })
  expect(conflict([same], '0.0.0.0')).toEqual({ reason: 'more-specific', socket: same })
  expect(conflict([same], '::')).toEqual({ reason: 'more-specific', socket: same })
})

test('a UDP socket that is bound serves; a TCP socket that is bound does not', () => {
  const only = socket('127.0.0.1', { state: 'bound' })
  expect(conflict([only], '127.0.0.1')).toEqual({ reason: 'not-listening', socket: only })
  expect(conflict([only], '127.0.0.1', { protocol: 'udp' })).toEqual({ reason: 'not-shared', socket: only })
})
