// What is said about options that cannot be given, and that nothing stays open then.
import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { capabilities, effectiveSocketOptions, listenReusePort, openReusePortSocket } from '../../src/index.js'
import { closed, once, portOf } from '../support/listeners.js'
import { CAP_NET_ADMIN, hasCapability } from '../support/option-values.js'
import { openSockets } from '../support/sockets.js'

let before: readonly string[]

beforeEach(() => {
  capabilities()
  before = openSockets()
})

afterEach(() => {
  expect(openSockets()).toEqual(before)
})

const TYPE = 'ERR_INVALID_ARG_TYPE'
const VALUE = 'ERR_INVALID_ARG_VALUE'
const RANGE = 'ERR_OUT_OF_RANGE'
const UNKNOWN = 'ERR_REUSEPORT_UNKNOWN_OPTION'

const BAD: readonly (readonly [string, object, string, string])[] = [
  [
    'socketOptions that are no object',
    { socketOptions: 5 },
    TYPE,
    'The "options.socketOptions" property must be of type object. Received type number (5)',
  ],
  [
    'a misspelt option',
    { socketOptions: { fastopen: 5 } },
    UNKNOWN,
    "The option 'options.socketOptions.fastopen' is unknown. Did you mean 'fastOpen'?",
  ],
  [
    'a part by its own name',
    { socketOptions: { 'keepAlive.idle': 5 } },
    UNKNOWN,
    "The option 'options.socketOptions.keepAlive.idle' is unknown. Did you mean 'keepAlive'?",
  ],
  [
    'a misspelt part of an option',
    { socketOptions: { keepAlive: { idel: 5 } } },
    UNKNOWN,
    "The option 'options.socketOptions.keepAlive.idel' is unknown. Did you mean 'idle'?",
  ],
  [
    'an option of UDP',
    { socketOptions: { broadcast: true } },
    VALUE,
    "The property 'options.socketOptions.broadcast' is an option of UDP sockets. Received true",
  ],
  [
    'a number for a boolean',
    { socketOptions: { noDelay: 1 } },
    TYPE,
    'The "options.socketOptions.noDelay" property must be of type boolean. Received type number (1)',
  ],
  [
    'a number for an option that has parts',
    { socketOptions: { keepAlive: 60 } },
    TYPE,
    'The "options.socketOptions.keepAlive" property must be of type boolean or an object with any of idle (seconds), interval (seconds), count (probes). Received type number (60)',
  ],
  [
    'text for a number',
    { socketOptions: { fastOpen: '5' } },
    TYPE,
    'The "options.socketOptions.fastOpen" property must be of type number (connections). Received type string (\'5\')',
  ],
  [
    'null',
    { socketOptions: { ttl: null } },
    TYPE,
    'The "options.socketOptions.ttl" property must be of type number (hops). Received null',
  ],
  [
    'a number beyond the range',
    { socketOptions: { ttl: 256 } },
    RANGE,
    'The value of "options.socketOptions.ttl" is out of range. It must be an integer >= 1 and <= 255 (hops). Received 256',
  ],
  [
    'a number that is no integer',
    { socketOptions: { deferAccept: 1.5 } },
    RANGE,
    'The value of "options.socketOptions.deferAccept" is out of range. It must be an integer >= 0 and <= 2147483647 (seconds). Received 1.5',
  ],
  [
    'a part beyond the range',
    { socketOptions: { keepAlive: { count: 128 } } },
    RANGE,
    'The value of "options.socketOptions.keepAlive.count" is out of range. It must be an integer >= 1 and <= 127 (probes). Received 128',
  ],
  [
    'NaN',
    { socketOptions: { priority: Number.NaN } },
    RANGE,
    'The value of "options.socketOptions.priority" is out of range. It must be an integer >= 0 and <= 2147483647. Received NaN',
  ],
  [
    'a number for text',
    { socketOptions: { congestion: 5 } },
    TYPE,
    'The "options.socketOptions.congestion" property must be of type string. Received type number (5)',
  ],
  [
    'text that is too long',
    { socketOptions: { bindToDevice: 'a-long-device-name' } },
    VALUE,
    "The property 'options.socketOptions.bindToDevice' must be 1 to 15 bytes long, without a NUL. Received 'a-long-device-name'",
  ],
  [
    'text with a NUL',
    { socketOptions: { bindToDevice: 'lo\0' } },
    VALUE,
    "The property 'options.socketOptions.bindToDevice' must be 1 to 15 bytes long, without a NUL. Received 'lo\\x00'",
  ],
  [
    'true for a time',
    { socketOptions: { linger: true } },
    TYPE,
    'The "options.socketOptions.linger" property must be false or of type number (seconds). Received type boolean (true)',
  ],
  [
    'optional that is no array',
    { socketOptions: { optional: 'ttl' } },
    TYPE,
    'The "options.socketOptions.optional" property must be an array of option names. Received type string (\'ttl\')',
  ],
  [
    'optional that names no option',
    { socketOptions: { optional: ['tlt'] } },
    VALUE,
    "The property 'options.socketOptions.optional' contains a name that is not an option of these sockets. Received 'tlt'",
  ],
  [
    'raw options that are no array',
    { rawSocketOptions: {} },
    TYPE,
    'The "options.rawSocketOptions" property must be an array. Received an instance of Object',
  ],
  [
    'a raw option that is no object',
    { rawSocketOptions: [5] },
    TYPE,
    'The "options.rawSocketOptions[0]" property must be of type object. Received type number (5)',
  ],
  [
    'a raw option with a misspelt key',
    { rawSocketOptions: [{ level: 1, option: 2, value: 1 }] },
    UNKNOWN,
    "The option 'options.rawSocketOptions[0].option' is unknown. Known options are level, name, value, stage",
  ],
  [
    'a raw option without a level',
    { rawSocketOptions: [{ name: 2, value: 1 }] },
    TYPE,
    'The "options.rawSocketOptions[0].level" property must be of type number. Received undefined',
  ],
  [
    'a raw name beyond an int',
    { rawSocketOptions: [{ level: 1, name: 2 ** 31, value: 1 }] },
    RANGE,
    'The value of "options.rawSocketOptions[0].name" is out of range. It must be an integer >= 0 and <= 2147483647. Received 2147483648',
  ],
  [
    'a raw value beyond 32 bits',
    { rawSocketOptions: [{ level: 1, name: 2, value: 2 ** 32 }] },
    RANGE,
    'The value of "options.rawSocketOptions[0].value" is out of range. It must be an integer >= -2147483648 and <= 4294967295. Received 4294967296',
  ],
  [
    'a raw value that is text',
    { rawSocketOptions: [{ level: 1, name: 2, value: 'lo' }] },
    TYPE,
    'The "options.rawSocketOptions[0].value" property must be of type number or an instance of Uint8Array. Received type string (\'lo\')',
  ],
  [
    'a raw value that is too long',
    { rawSocketOptions: [{ level: 1, name: 2, value: new Uint8Array(65_536) }] },
    RANGE,
    'The value of "options.rawSocketOptions[0].value.byteLength" is out of range. It must be <= 65535. Received 65536',
  ],
  [
    'a raw option of a stage that is none',
    { rawSocketOptions: [{ level: 1, name: 2, value: 1, stage: 'after-bind' }] },
    VALUE,
    "The property 'options.rawSocketOptions[0].stage' must be one of: 'before-bind', 'before-listen', 'after-listen'. Received 'after-bind'",
  ],
  [
    'onSocket that is no function',
    { onSocket: true },
    TYPE,
    'The "options.onSocket" property must be of type function. Received type boolean (true)',
  ],
]

describe.each(BAD)('%s', (_what, options, code, message) => {
  test('is thrown by listenReusePort, which leaves the server as it was', () => {
    const server = createServer()
    expect(() => listenReusePort(server, { port: 0, ...options }, () => {})).toThrow(
      expect.objectContaining({ code, message }),
    )
    expect(server.listening).toBe(false)
    expect(server.eventNames()).toEqual([])
  })

  test('is thrown by openReusePortSocket', () => {
    expect(() => openReusePortSocket(options)).toThrow(expect.objectContaining({ code, message }))
  })
})

/** What the kernel answers, with what is said about it. */
const ANSWERS: readonly (readonly [string, object, object])[] = [
  [
    'an option of other systems',
    { socketOptions: { acceptFilter: 'dataready' } },
    {
      code: 'ERR_REUSEPORT_OPTION_UNSUPPORTED',
      option: 'socketOptions.acceptFilter',
      systems: ['freebsd', 'netbsd'],
      message:
        "The option 'options.socketOptions.acceptFilter' is not available: this system has no such option. Systems that have the option: freebsd, netbsd",
    },
  ],
  [
    'an option of the other family',
    { host: '127.0.0.1', socketOptions: { hopLimit: 5 } },
    {
      code: 'ERR_REUSEPORT_OPTION_UNSUPPORTED',
      option: 'socketOptions.hopLimit',
      message: expect.stringContaining("'options.socketOptions.hopLimit' is not available: this is an IPv4 socket. "),
    },
  ],
  [
    'an algorithm that the kernel lacks',
    { socketOptions: { congestion: 'nonesuch' } },
    {
      code: 'ERR_REUSEPORT_OPTION_UNSUPPORTED',
      message: expect.stringContaining('the kernel has no "nonesuch" (setsockopt ENOENT)'),
    },
  ],
  [
    'a device that is none',
    { socketOptions: { bindToDevice: 'none0' } },
    {
      code: 'ERR_REUSEPORT_OPTION_REFUSED',
      option: 'socketOptions.bindToDevice',
      value: 'none0',
      syscall: 'setsockopt',
      message: expect.stringMatching(
        /^The kernel refuses "none0" for the option 'options.socketOptions.bindToDevice' \(setsockopt ENODEV\): there is no such device here; devices with an address: .*"lo"/,
      ),
    },
  ],
  [
    'a raw option that the kernel lacks',
    { rawSocketOptions: [{ level: 6, name: 9999, value: 1 }] },
    {
      code: 'ERR_REUSEPORT_OPTION_UNSUPPORTED',
      option: 'rawSocketOptions[0]',
      systems: [],
      message:
        "The option 'options.rawSocketOptions[0]' is not available: setsockopt ENOPROTOOPT for level 6, name 9999",
    },
  ],
  [
    'a raw value of another length',
    {
      rawSocketOptions: [
        { level: 1, name: 2, value: 1 },
        { level: 1, name: 13, value: new Uint8Array(2) },
      ],
    },
    {
      code: 'ERR_REUSEPORT_OPTION_REFUSED',
      option: 'rawSocketOptions[1]',
      message:
        "The kernel refuses the value given to level 1, name 13 for the option 'options.rawSocketOptions[1]' (setsockopt EINVAL)",
    },
  ],
]

describe.each(ANSWERS)('%s', (_what, options, error) => {
  test('is emitted by listenReusePort, and the server can listen again', async () => {
    const server = createServer()
    listenReusePort(server, { port: 0, ...options })
    expect(await once(server, 'error')).toMatchObject(error)
    await closed(listenReusePort(server, 0))
  })

  test('is thrown by openReusePortSocket', () => {
    expect(() => openReusePortSocket(options)).toThrow(expect.objectContaining(error))
  })
})

test('a value that is refused stays an error where the option is optional', () => {
  const socketOptions = { bindToDevice: 'none0', optional: ['bindToDevice'] as const }
  expect(() => openReusePortSocket({ socketOptions })).toThrow(
    expect.objectContaining({ code: 'ERR_REUSEPORT_OPTION_REFUSED' }),
  )
})

test('what takes a capability says which', (context) => {
  if (hasCapability(CAP_NET_ADMIN)) context.skip('this process has CAP_NET_ADMIN')
  expect(() => openReusePortSocket({ socketOptions: { mark: 5 } })).toThrow(
    expect.objectContaining({
      code: 'ERR_REUSEPORT_OPTION_DENIED',
      capability: 'CAP_NET_ADMIN',
      message: "The option 'options.socketOptions.mark' is denied (setsockopt EPERM): it needs CAP_NET_ADMIN",
    }),
  )
})

test('options stay as they were given, and bytes are taken when the call is made', async () => {
  const value = Uint8Array.of(77, 0, 0, 0)
  const keepAlive = Object.freeze({ idle: 9 })
  const options = Object.freeze({
    port: 0,
    host: '127.0.0.1',
    socketOptions: Object.freeze({ keepAlive, optional: Object.freeze(['keepAlive'] as const) }),
    rawSocketOptions: Object.freeze([Object.freeze({ level: 0, name: 2, value })]),
  })
  const server = listenReusePort(createServer(), options)
  // While the host is looked up.
  value.fill(0xff)
  await once(server, 'listening')
  expect(effectiveSocketOptions(server)).toMatchObject({ ttl: 77, keepAlive })
  await closed(server)
})

test('an option is set on each attempt where :: cannot be bound', async () => {
  const seen: unknown[] = []
  const server: Server = listenReusePort(createServer(), {
    port: 0,
    socketOptions: { ttl: 77 },
    onSocket: (socket) => void seen.push([socket.family, socket.getOption('ttl')]),
  })
  await once(server, 'listening')
  expect(portOf(server)).toBeGreaterThan(0)
  expect(seen).toEqual([[6, 77]])
  await closed(server)
})
