import net from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { chooseAddress } from '../../src/common/address.js'
import {
  BadPortError,
  InvalidArgumentTypeError,
  listenError,
  ReusePortAddonError,
  ReusePortSocketError,
  ReusePortUnsupportedError,
} from '../../src/common/errors.js'

describe("Node's texts", () => {
  const values = [
    undefined,
    null,
    'x',
    'a text that is longer than what is shown of it',
    "it's",
    5,
    Number.NaN,
    true,
    1n,
    Symbol('s'),
  ]
  const objects = [{}, [], Object.create(null), new Map(), () => {}, function named() {}, class Klass {}]

  test.each([...values, ...objects].map((value) => [inspect(value), value]))('of a wrong type: %s', (_text, value) => {
    // Node takes none of these for a function, nor, but for undefined, for a signal.
    const refused = () =>
      value === undefined
        ? queueMicrotask(value as never)
        : net.createServer().listen({ port: 0, signal: value as never })
    const core = thrownBy(refused)
    expect(core).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    expect(received(new InvalidArgumentTypeError('options.host', 'of type string', value).message)).toBe(
      received(core?.message ?? ''),
    )
  })

  test.each([70000, -1, 1.5, Number.NaN, '', 'x'])('of a bad port: %j', (port) => {
    const core = thrownBy(() => net.createServer().listen({ port }))
    expect(core).toBeDefined()
    expect(new BadPortError('options.port', port).message).toBe(core?.message)
  })
})

function thrownBy(action: () => unknown): Error | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return error as Error
  }
}

function received(message: string): string {
  return message.slice(message.indexOf('Received'))
}

test('an errno that libuv does not know is UNKNOWN', () => {
  expect(listenError({ errno: -123456, syscall: 'bind' }, '::', 0)).toMatchObject({
    code: 'UNKNOWN',
    message: 'listen UNKNOWN: unknown error ::',
  })
})

test('errors of this library have a code that says what they are', () => {
  const cause = new Error('why')
  expect(new ReusePortAddonError('steering', 'no binary', cause)).toMatchObject({
    code: 'ERR_REUSEPORT_ADDON_UNAVAILABLE',
    message: 'steering needs the native addon: no binary',
    neededBy: 'steering',
    cause,
  })
  expect(new ReusePortUnsupportedError('it is so')).toMatchObject({
    code: 'ERR_REUSEPORT_UNSUPPORTED',
    reason: 'it is so',
  })
  expect(new ReusePortSocketError('closed').code).toBe('ERR_REUSEPORT_SOCKET_CLOSED')
  expect(new ReusePortSocketError('adopted').code).toBe('ERR_REUSEPORT_SOCKET_ADOPTED')
})

test.each([
  [['fe80::1', '10.0.0.1'], '10.0.0.1'],
  [['FE80::1', '::1'], '::1'],
  [['febf:ffff::1', '::1'], '::1'],
  [['fec0::1', '::1'], 'fec0::1'],
  [['fe8::1', '::1'], 'fe8::1'],
  [['fe80::1', 'fe80::2'], 'fe80::1'],
  [['10.0.0.1', '::1'], '10.0.0.1'],
  [[], undefined],
])('of %j it binds to %s', (addresses, chosen) => {
  expect(chooseAddress(addresses.map((address) => ({ address })))?.address).toBe(chosen)
})
