import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MessageError } from '../../src/supervisor/message-fields.js'
import {
  isEnvelope,
  openEnvelope,
  parseFromWorker,
  parseToWorker,
  parseWorkerConfiguration,
  place,
  toEnvelope,
  WORKER_PROTOCOL,
} from '../../src/supervisor/messages.js'
import type { FromWorker, ToWorker, WorkerConfiguration } from '../../src/supervisor/protocol.js'
import {
  cloneableValue,
  hasMembers,
  isListOf,
  isNumber,
  isText,
  isWhole,
  jsonValue,
  mutatedClone,
  mutatedJson,
  NO_FLAG,
  NO_LIST,
  NO_NUMBER,
  NO_OBJECT,
  NO_TEXT,
  Outcomes,
  RUNS,
  withMember,
  withOwnProto,
} from '../support/foreign-values.js'

const WISH = { address: '::', port: 8080, ipv6Only: false, options: '[["backlog",5]]' }
const PLACE = { address: '127.0.0.1', family: 'IPv4', port: 8080 } as const

const FROM_WORKER: readonly FromWorker[] = [
  { type: 'listening', ...PLACE, id: '1.2', wish: WISH, fd: 7 },
  { type: 'listening', ...PLACE, family: 'IPv6', id: '1.2', wish: { ...WISH, address: null }, fd: undefined },
  { type: 'nested', ...PLACE },
  { type: 'closed', id: '1.2' },
  { type: 'relieve', signal: 'SIGTERM' },
  { type: 'left', lossless: true, reason: undefined },
  { type: 'left', lossless: false, reason: '3 connections may be lost' },
  { type: 'released', ids: ['1.2', '1.3'] },
  { type: 'released', ids: [] },
  { type: 'want', want: 5, wish: WISH },
  { type: 'want', want: 6, wish: WISH, access: { readableAll: true, writableAll: false } },
  { type: 'listens', id: 'path:0' },
  { type: 'not-opened', wish: WISH },
  { type: 'took-back', id: '1.2', isTaken: true },
  { type: 'joined', id: '1.2', isTaken: false },
  { type: 'parted', id: '1.2' },
  { type: 'visits', begun: ['1.2'], ended: [{ id: '1.3', accepted: 12 }] },
  { type: 'pong', ping: 3 },
  { type: 'health', ask: 4, speaks: 'http2' },
  { type: 'drains', id: '1.2' },
  { type: 'connections', ...PLACE, open: 7 },
  { type: 'pass', ...PLACE, pass: 2 ** 40, open: 7 },
  { type: 'served', pass: 5, isTaken: false, open: 0 },
]
const TO_WORKER: readonly ToWorker[] = [
  { type: 'leave', kept: ['1.2'], signal: 'SIGTERM' },
  { type: 'leave', kept: [], signal: 'SIGINT' },
  { type: 'leave', kept: [], signal: 'SIGQUIT' },
  { type: 'release', ids: ['1.2', '1.3'] },
  { type: 'ticket-keys', keys: 'A'.repeat(64) },
  { type: 'take', id: '1.2', want: 5, local: { fd: 7, inode: 2 ** 40 } },
  { type: 'take', id: '1.2', want: 5, local: undefined },
  { type: 'give-back', id: '1.2', local: { fd: 7, inode: 0 } },
  { type: 'give-back', id: '1.2', local: undefined },
  { type: 'yours', id: '1.2' },
  { type: 'open', want: 5 },
  { type: 'join', id: '1.2', wish: WISH, local: { fd: 7, inode: 9 } },
  { type: 'join', id: '1.2', wish: WISH, local: undefined },
  { type: 'part', id: '1.2' },
  { type: 'ping', ping: 3 },
  { type: 'health', ask: 4 },
  { type: 'serve', ...PLACE, pass: 2 ** 40 },
  { type: 'passed', pass: 5, isTaken: true, fewest: 3 },
  { type: 'passed', pass: 5, isTaken: false, fewest: undefined },
  { type: 'fewest', ...PLACE, fewest: 3 },
  { type: 'fewest', ...PLACE, fewest: undefined },
  { type: 'refused', want: 5, errno: -98, hint: 'another process has bound the path' },
  { type: 'refused', want: 5, errno: -1, hint: undefined },
]
const CONFIGURATION: WorkerConfiguration = {
  worker: '4242.3',
  sockets: [{ id: '1.2', fd: 4, inode: 77, wish: WISH, isGiven: false }],
  ports: [8080, 0, 65_535],
  datagramPorts: [],
  isShared: false,
  steering: 'cpu',
  balance: 'connections',
  ticketKeys: 'A'.repeat(64),
  grace: 1000,
  drainTimeout: 2500.5,
}

/** How messages come: as JSON from a process, as structured clones from a thread. */
const CHANNELS: readonly (readonly [string, (value: unknown) => unknown])[] = [
  ['JSON', (value) => JSON.parse(JSON.stringify(value) ?? 'null')],
  ['a structured clone', (value) => structuredClone(value)],
]

describe.each(CHANNELS)('as %s', (_name, send) => {
  test.each(FROM_WORKER)('%j of a worker', (message) => {
    expect(parseFromWorker(send(message))).toStrictEqual(message)
    expect(parseFromWorker(send(withOwnProto({ ...message, extra: 1 }, { type: 'open' })))).toStrictEqual(message)
  })

  test.each(TO_WORKER)('%j to a worker', (message) => {
    expect(parseToWorker(send(message))).toStrictEqual(message)
    expect(parseToWorker(send(withOwnProto({ ...message, extra: 1 }, { type: 'left' })))).toStrictEqual(message)
  })

  test.each(['hash', 'cpu', 'random', undefined] as const)('a configuration with steering %s', (steering) => {
    const configuration = { ...CONFIGURATION, steering }
    expect(parseWorkerConfiguration(send(configuration))).toStrictEqual(configuration)
    const [socket] = CONFIGURATION.sockets
    const extra = { ...configuration, sockets: [{ ...socket, wish: { ...WISH, extra: 1 }, extra: 1 }], extra: 1 }
    expect(parseWorkerConfiguration(send(withOwnProto(extra, { worker: 5 })))).toStrictEqual(configuration)
  })
})

test('null stands for a member that is missing, as JSON writes it in a list', () => {
  const [, without] = FROM_WORKER
  expect(parseFromWorker({ ...without, fd: null })).toStrictEqual(without)
  expect(parseFromWorker({ type: 'left', lossless: true, reason: null })).toStrictEqual(FROM_WORKER[5])
  expect(parseToWorker({ type: 'take', id: '1', want: 1, local: null })).toHaveProperty('local', undefined)
  expect(parseWorkerConfiguration({ ...CONFIGURATION, steering: null })).toHaveProperty('steering', undefined)
  expect(parseWorkerConfiguration({ ...CONFIGURATION, balance: null })).toHaveProperty('balance', undefined)
  expect(parseToWorker({ type: 'fewest', ...PLACE, fewest: null })).toHaveProperty('fewest', undefined)
})

describe('a member that is wrong', () => {
  type Parse = (value: unknown) => unknown
  interface Wrong {
    readonly valid: object
    readonly path: string
    readonly values: readonly unknown[]
    readonly reason: string
  }

  /** The first valid message of a type. */
  const of = (type: (FromWorker | ToWorker)['type']): object => {
    const message = [...FROM_WORKER, ...TO_WORKER].find((one) => one.type === type)
    if (message === undefined) throw new Error(`there is no ${type}`)
    return message
  }
  const last = (path: string): string => path.split('.').at(-1) ?? ''

  const port = (valid: object, path: string): readonly Wrong[] => [
    { valid, path, values: [...NO_NUMBER, 65_536], reason: 'port is not a number from 0 to 65535' },
    { valid, path, values: [0.5, 8080.25], reason: 'port is not a whole number' },
  ]
  const count = (valid: object, path: string, numbers = NO_NUMBER): readonly Wrong[] => {
    const values = [...numbers, 0x80000000, 2 ** 53]
    return [
      { valid, path, values, reason: `${last(path)} is not a number from 0 to 2147483647` },
      { valid, path, values: [0.5], reason: `${last(path)} is not a whole number` },
    ]
  }
  const inode = (valid: object, path: string, numbers = NO_NUMBER): Wrong => {
    const reason = `${last(path)} is not a number from 0 to ${Number.MAX_SAFE_INTEGER}`
    return { valid, path, values: [...numbers, 2 ** 53], reason }
  }
  const text = (valid: object, path: string, longest: number, texts = NO_TEXT): Wrong => {
    const values = [...texts, 'x'.repeat(longest + 1)]
    return { valid, path, values, reason: `${last(path)} is not text of at most ${longest} characters` }
  }
  const signal = (valid: object): Wrong => {
    const values = [...NO_TEXT, '', 'SIGKILL', 'SIGHUP', 'sigterm', '__proto__', 'toString', 15]
    return { valid, path: 'signal', values, reason: 'signal is unknown' }
  }
  const flag = (valid: object, path: string): Wrong => {
    return { valid, path, values: NO_FLAG, reason: `${last(path)} is neither true nor false` }
  }
  const access = (valid: object): readonly Wrong[] => [
    { valid, path: 'access', values: NO_OBJECT.filter((value) => value !== undefined), reason: 'it is not an object' },
    flag(valid, 'access.readableAll'),
    flag(valid, 'access.writableAll'),
  ]
  const errno = (valid: object): readonly Wrong[] => [
    {
      valid,
      path: 'errno',
      values: [...NO_NUMBER.filter((value) => value !== -1), 0, 98, -0x80000000],
      reason: 'errno is not a number from -2147483647 to -1',
    },
    { valid, path: 'errno', values: [-1.5], reason: 'errno is not a whole number' },
  ]
  const ids = (valid: object, path: string): readonly Wrong[] => {
    const lists = [...NO_LIST, new Array(4097).fill('1'), new Array(0xffffffff)]
    const elements = [...NO_TEXT, 'x'.repeat(257)].map((one) => ['1', one])
    const holes = [new Array(1), new Array(4096), Object.assign([], { 1: '1' })]
    return [
      { valid, path, values: lists, reason: 'the list of sockets is not a list of at most 4096' },
      { valid, path, values: [...elements, ...holes], reason: 'id is not text of at most 256 characters' },
    ]
  }
  const wish = (valid: object, path: string): readonly Wrong[] => [
    { valid, path, values: NO_OBJECT, reason: 'it is not an object' },
    text(
      valid,
      `${path}.address`,
      1024,
      NO_TEXT.filter((value) => value !== null),
    ),
    ...port(valid, `${path}.port`),
    flag(valid, `${path}.ipv6Only`),
    text(valid, `${path}.options`, 1 << 20),
  ]
  const where = (valid: object): readonly Wrong[] => [
    text(valid, 'address', 128),
    { valid, path: 'family', values: [...NO_TEXT, 'ipv4', 'IPv5', '', 'toString'], reason: 'family is unknown' },
    ...port(valid, 'port'),
  ]
  const pass = (valid: object): readonly Wrong[] => [
    inode(valid, 'pass'),
    { valid, path: 'pass', values: [0.5], reason: 'pass is not a whole number' },
  ]
  const type = (valid: object, others: readonly string[]): Wrong => {
    const values = [...NO_TEXT, '', ...others, '__proto__', 'toString']
    return { valid, path: 'type', values, reason: 'its type is unknown' }
  }

  const check = (parse: Parse, { path, reason, valid, values }: Wrong): void => {
    expect(() => parse(valid)).not.toThrow()
    for (const value of values) {
      expect(() => parse(withMember(valid, path, value)), inspect(value).slice(0, 40)).toThrow(
        expect.toSatisfy((error: unknown) => error instanceof MessageError && error.message === reason),
      )
    }
  }
  const table = (all: readonly Wrong[]): readonly (readonly [string, Wrong])[] =>
    all.map((one) => {
      const { type: name = 'configuration' } = one.valid as { readonly type?: string }
      return [`${name}, ${one.path}: ${one.reason}`, one]
    })

  test.each(
    table([
      type(of('left'), ['Left', 'leave']),
      ...where(of('listening')),
      text(of('listening'), 'id', 256),
      ...wish(of('listening'), 'wish'),
      ...count(of('listening'), 'fd', NO_NUMBER.slice(2)),
      ...where(of('nested')),
      text(of('closed'), 'id', 256),
      text(of('drains'), 'id', 256),
      signal(of('relieve')),
      flag(of('left'), 'lossless'),
      text(of('left'), 'reason', 65_536, NO_TEXT.slice(2)),
      ...ids(of('released'), 'ids'),
      ...count(of('want'), 'want'),
      ...wish(of('want'), 'wish'),
      ...access({ ...of('want'), access: { readableAll: false, writableAll: true } }),
      text(of('listens'), 'id', 256),
      ...wish(of('not-opened'), 'wish'),
      text(of('took-back'), 'id', 256),
      flag(of('took-back'), 'isTaken'),
      text(of('joined'), 'id', 256),
      flag(of('joined'), 'isTaken'),
      text(of('parted'), 'id', 256),
      ...ids(of('visits'), 'begun'),
      text(of('visits'), 'ended.0.id', 256),
      ...count(of('visits'), 'ended.0.accepted'),
      ...count(of('pong'), 'ping'),
      ...count(of('health'), 'ask'),
      {
        valid: of('health'),
        path: 'speaks',
        values: [...NO_TEXT, '', 'HTTP', 'toString'],
        reason: 'what it speaks is unknown',
      },
      ...where(of('connections')),
      ...count(of('connections'), 'open'),
      ...where(of('pass')),
      ...pass(of('pass')),
      ...count(of('pass'), 'open'),
      ...pass(of('served')),
      flag(of('served'), 'isTaken'),
      ...count(of('served'), 'open'),
    ]),
  )('from a worker: %s', (_what, wrong) => check(parseFromWorker, wrong))

  test.each(
    table([
      type(of('leave'), ['Leave', 'left']),
      ...ids(of('leave'), 'kept'),
      signal(of('leave')),
      ...ids(of('release'), 'ids'),
      text(of('ticket-keys'), 'keys', 256),
      text(of('join'), 'id', 256),
      ...wish(of('join'), 'wish'),
      ...count(of('join'), 'local.fd'),
      text(of('part'), 'id', 256),
      ...count(of('ping'), 'ping'),
      ...count({ type: 'health', ask: 4 }, 'ask'),
      ...where(of('serve')),
      ...pass(of('serve')),
      ...pass(of('passed')),
      flag(of('passed'), 'isTaken'),
      ...count(of('passed'), 'fewest', NO_NUMBER.slice(2)),
      ...where(of('fewest')),
      ...count(of('fewest'), 'fewest', NO_NUMBER.slice(2)),
      text(of('take'), 'id', 256),
      ...count(of('take'), 'want'),
      ...count(of('take'), 'local.fd'),
      inode(of('take'), 'local.inode'),
      text(of('give-back'), 'id', 256),
      ...count(of('give-back'), 'local.fd'),
      inode(of('give-back'), 'local.inode'),
      text(of('yours'), 'id', 256),
      ...count(of('open'), 'want'),
      ...count(of('refused'), 'want'),
      ...errno(of('refused')),
      text(of('refused'), 'hint', 65_536, NO_TEXT.slice(2)),
    ]),
  )('to a worker: %s', (_what, wrong) => check(parseToWorker, wrong))

  const inConfiguration = (path: string, values: readonly unknown[], reason: string): Wrong => {
    return { valid: CONFIGURATION, path, values, reason }
  }
  const long = (one: unknown): readonly unknown[] => new Array(4097).fill(one)
  const [socket] = CONFIGURATION.sockets

  test.each(
    table([
      text(CONFIGURATION, 'worker', 64),
      inConfiguration('sockets', [...NO_LIST, long(socket)], 'sockets is not a list of at most 4096'),
      inConfiguration('sockets', [new Array(1), ...NO_OBJECT.map((one) => [one])], 'it is not an object'),
      text(CONFIGURATION, 'sockets.0.id', 256),
      ...count(CONFIGURATION, 'sockets.0.fd'),
      inode(CONFIGURATION, 'sockets.0.inode', NO_NUMBER.slice(2)),
      ...wish(CONFIGURATION, 'sockets.0.wish'),
      flag(CONFIGURATION, 'sockets.0.isGiven'),
      inConfiguration('ports', [...NO_LIST, long(1)], 'ports is not a list of at most 4096'),
      inConfiguration('ports', [new Array(1), [1, 65_536], ['1']], 'ports is not a number from 0 to 65535'),
      inConfiguration('ports', [[0.5]], 'ports is not a whole number'),
      flag(CONFIGURATION, 'isShared'),
      text(CONFIGURATION, 'steering', 32, NO_TEXT.slice(2)),
      inConfiguration('steering', ['', 'CPU', 'weights', 'toString'], 'steering is unknown'),
      text(CONFIGURATION, 'balance', 32, NO_TEXT.slice(2)),
      inConfiguration('balance', ['', 'Connections', 'toString'], 'balance is unknown'),
      text(CONFIGURATION, 'ticketKeys', 256),
      inConfiguration('grace', [...NO_NUMBER, 0x80000000], 'grace is not a number from 0 to 2147483647'),
      inConfiguration('drainTimeout', [...NO_NUMBER, 0x80000000], 'drainTimeout is not a number from 0 to 2147483647'),
    ]),
  )('of the %s', (_what, wrong) => check(parseWorkerConfiguration, wrong))

  test.each([parseFromWorker, parseToWorker, parseWorkerConfiguration, place])(
    'a message that is no object: $name',
    (parse) => {
      for (const value of NO_OBJECT) expect(() => parse(value)).toThrow(new MessageError('it is not an object'))
    },
  )

  test('what is inherited by way of __proto__ is missing', () => {
    const proto = (members: unknown): unknown => JSON.parse(`{"__proto__":${JSON.stringify(members)}}`)
    expect(() => parseFromWorker(proto(of('closed')))).toThrow(new MessageError('its type is unknown'))
    expect(() => parseToWorker(proto(of('open')))).toThrow(new MessageError('its type is unknown'))
    expect(() => parseWorkerConfiguration(proto(CONFIGURATION))).toThrow(MessageError)
  })

  test('bounds are allowed', () => {
    const id = 'x'.repeat(256)
    const allowed: readonly (readonly [Parse, object])[] = [
      [parseFromWorker, { type: 'released', ids: new Array(4096).fill(id) }],
      [parseFromWorker, { type: 'left', lossless: false, reason: 'x'.repeat(65_536) }],
      [parseFromWorker, { type: 'nested', ...PLACE, address: 'x'.repeat(128), port: 65_535 }],
      [parseFromWorker, { type: 'not-opened', wish: { ...WISH, address: 'x'.repeat(1024), port: 0 } }],
      [parseFromWorker, { type: 'want', want: 0x7fffffff, wish: { ...WISH, options: 'x'.repeat(1 << 20) } }],
      [parseToWorker, { type: 'take', id, want: 0, local: { fd: 0x7fffffff, inode: Number.MAX_SAFE_INTEGER } }],
      [parseToWorker, { type: 'serve', ...PLACE, pass: Number.MAX_SAFE_INTEGER }],
      [parseToWorker, { type: 'refused', want: 0, errno: -0x7fffffff, hint: 'x'.repeat(65_536) }],
      [parseToWorker, { type: 'ticket-keys', keys: 'x'.repeat(256) }],
      [parseToWorker, { type: 'leave', kept: new Array(4096).fill(''), signal: 'SIGTERM' }],
      [parseWorkerConfiguration, { ...CONFIGURATION, worker: 'x'.repeat(64), ports: new Array(4096).fill(65_535) }],
      [parseWorkerConfiguration, { ...CONFIGURATION, grace: 0, drainTimeout: 0x7fffffff, ticketKeys: '' }],
    ]
    for (const [parse, message] of allowed) expect(parse(message)).toStrictEqual(message)
  })
})

describe('an envelope', () => {
  const opened = (value: unknown): unknown => (isEnvelope(value) ? openEnvelope(value, parseToWorker) : 'no envelope')
  const MESSAGE = { type: 'open', want: 5 }

  test('round trip', () => {
    const envelope = toEnvelope(MESSAGE)
    expect(envelope).toStrictEqual({ cmd: 'NODE_REUSEPORT', version: WORKER_PROTOCOL, body: MESSAGE })
    for (const [, send] of CHANNELS) expect(opened(send(envelope))).toStrictEqual(MESSAGE)
  })

  test.each([
    ...[undefined, null, 5, 'NODE_REUSEPORT', true, [], ['NODE_REUSEPORT'], {}, MESSAGE],
    ...[{ cmd: 'NODE_CLUSTER' }, { cmd: ['NODE_REUSEPORT'] }, { cmd: 'node_reuseport' }, { cmd: 'NODE_REUSEPORT ' }],
    JSON.parse('{"__proto__":{"cmd":"NODE_REUSEPORT"}}'),
  ])('%j is none', (value) => {
    expect(isEnvelope(value)).toBe(false)
  })

  test('a message that is valid is taken from any version', () => {
    for (const version of [0, 1, 2, '1', undefined, null, {}]) {
      expect(opened({ cmd: 'NODE_REUSEPORT', version, body: MESSAGE })).toStrictEqual(MESSAGE)
    }
  })

  test.each([
    [1, 'its type is unknown'],
    [2, 'its type is unknown (the sender names version 2 of the protocol, not 1)'],
    [0, 'its type is unknown (the sender names version 0 of the protocol, not 1)'],
    ['2', 'its type is unknown (the sender names no version of the protocol, not 1)'],
    [null, 'its type is unknown (the sender names no version of the protocol, not 1)'],
    [undefined, 'its type is unknown (the sender names no version of the protocol, not 1)'],
  ])('a message that is refused names the version %j', (version, message) => {
    expect(() => opened({ cmd: 'NODE_REUSEPORT', version, body: { type: 'fly' } })).toThrow(new MessageError(message))
  })

  test('without a body', () => {
    expect(() => opened({ cmd: 'NODE_REUSEPORT', version: 1 })).toThrow(new MessageError('it is not an object'))
  })

  test('another error passes', () => {
    const defect = new TypeError('a defect')
    const open = (): unknown =>
      openEnvelope({ version: 2 }, () => {
        throw defect
      })
    expect(open).toThrow(expect.toSatisfy((error) => error === defect))
  })

  test('any value is an envelope or not, and opens or is refused', () => {
    const valid = fc.constantFrom<unknown>(toEnvelope(MESSAGE), { ...toEnvelope(MESSAGE), version: 2 })
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(fc.oneof(cloneableValue, mutatedClone(valid), mutatedJson(valid)), (value) => {
        const isRight = typeof value === 'object' && value !== null && Reflect.get(value, 'cmd') === 'NODE_REUSEPORT'
        expect(isEnvelope(value)).toBe(isRight)
        if (!isEnvelope(value)) return
        try {
          expect(openEnvelope(value, parseToWorker)).toSatisfy(isToWorker)
          outcomes.accepted++
        } catch (error) {
          outcomes.refused++
          expect(error).toBeInstanceOf(MessageError)
          expect((error as Error).message.includes('the sender names')).toBe(value['version'] !== 1)
        }
      }),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })
})

const isId = (value: unknown): boolean => isText(value, 256)
const isIds = (value: unknown): boolean => isListOf(value, 4096, isId)
const isSignal = (value: unknown): boolean => value === 'SIGTERM' || value === 'SIGINT' || value === 'SIGQUIT'
const isPort = (value: unknown): boolean => isWhole(value, 0, 65_535)
const isCount = (value: unknown): boolean => isWhole(value, 0, 0x7fffffff)
const isInode = (value: unknown): boolean => isWhole(value, 0, Number.MAX_SAFE_INTEGER)
const isLocal = (value: unknown): boolean => hasMembers(value, { fd: isCount, inode: isInode })
const isFlag = (value: unknown): boolean => value === true || value === false
const is =
  (...all: readonly unknown[]): ((value: unknown) => boolean) =>
  (value) =>
    all.includes(value)

const PLACE_MEMBERS = {
  address: (value: unknown) => isText(value, 128),
  family: is('IPv4', 'IPv6'),
  port: isPort,
}
const isWish = (value: unknown): boolean =>
  hasMembers(value, {
    address: (address) => address === null || isText(address, 1024),
    port: isPort,
    ipv6Only: isFlag,
    options: (options) => isText(options, 1_048_576),
  })

function isFromWorker(value: unknown): boolean {
  return [
    { type: is('listening'), ...PLACE_MEMBERS, id: isId, wish: isWish, 'fd?': isCount },
    { type: is('nested'), ...PLACE_MEMBERS },
    { type: is('closed'), id: isId },
    { type: is('drains'), id: isId },
    { type: is('relieve'), signal: isSignal },
    { type: is('left'), lossless: isFlag, 'reason?': (reason: unknown) => isText(reason, 65_536) },
    { type: is('released'), ids: isIds },
    { type: is('want'), want: isCount, wish: isWish },
    {
      type: is('want'),
      want: isCount,
      wish: isWish,
      access: (access: unknown) => hasMembers(access, { readableAll: isFlag, writableAll: isFlag }),
    },
    { type: is('listens'), id: isId },
    { type: is('not-opened'), wish: isWish },
    { type: is('took-back'), id: isId, isTaken: isFlag },
    { type: is('joined'), id: isId, isTaken: isFlag },
    { type: is('parted'), id: isId },
    {
      type: is('visits'),
      begun: isIds,
      ended: (ended: unknown) => isListOf(ended, 4096, (one) => hasMembers(one, { id: isId, accepted: isCount })),
    },
    { type: is('pong'), ping: isCount },
    { type: is('health'), ask: isCount, speaks: is('http', 'http2', 'tls', 'nothing') },
    { type: is('connections'), ...PLACE_MEMBERS, open: isCount },
    { type: is('pass'), ...PLACE_MEMBERS, pass: isInode, open: isCount },
    { type: is('served'), pass: isInode, isTaken: isFlag, open: isCount },
  ].some((members) => hasMembers(value, members))
}

function isToWorker(value: unknown): boolean {
  return [
    { type: is('leave'), kept: isIds, signal: isSignal },
    { type: is('release'), ids: isIds },
    { type: is('ticket-keys'), keys: isId },
    { type: is('take'), id: isId, want: isCount, 'local?': isLocal },
    { type: is('give-back'), id: isId, 'local?': isLocal },
    { type: is('yours'), id: isId },
    { type: is('join'), id: isId, wish: isWish, 'local?': isLocal },
    { type: is('part'), id: isId },
    { type: is('ping'), ping: isCount },
    { type: is('health'), ask: isCount },
    { type: is('serve'), ...PLACE_MEMBERS, pass: isInode },
    { type: is('passed'), pass: isInode, isTaken: isFlag, 'fewest?': isCount },
    { type: is('fewest'), ...PLACE_MEMBERS, 'fewest?': isCount },
    { type: is('open'), want: isCount },
    {
      type: is('refused'),
      want: isCount,
      errno: (errno: unknown) => isWhole(errno, -0x7fffffff, -1),
      'hint?': (hint: unknown) => isText(hint, 65_536),
    },
  ].some((members) => hasMembers(value, members))
}

function isConfiguration(value: unknown): boolean {
  const isTime = (time: unknown): boolean => isNumber(time, 0, 0x7fffffff)
  const isSocket = (socket: unknown): boolean =>
    hasMembers(socket, { id: isId, fd: isCount, 'inode?': isInode, wish: isWish, isGiven: isFlag })
  return hasMembers(value, {
    worker: (worker) => isText(worker, 64),
    sockets: (sockets) => isListOf(sockets, 4096, isSocket),
    ports: (ports) => isListOf(ports, 4096, isPort),
    datagramPorts: (ports) => isListOf(ports, 4096, isPort),
    isShared: isFlag,
    'steering?': is('hash', 'cpu', 'random'),
    'balance?': is('connections'),
    ticketKeys: isId,
    grace: isTime,
    drainTimeout: isTime,
  })
}

describe.each([
  ['from a worker', parseFromWorker, isFromWorker, FROM_WORKER],
  ['to a worker', parseToWorker, isToWorker, TO_WORKER],
  ['the configuration', parseWorkerConfiguration, isConfiguration, [CONFIGURATION]],
] as const)('%s', (_name, parse, isRight, valid) => {
  const check = (value: unknown, outcomes: Outcomes): void => {
    let message: unknown
    try {
      message = parse(value)
    } catch (error) {
      outcomes.refused++
      expect(error).toBeInstanceOf(MessageError)
      return
    }
    outcomes.accepted++
    expect(message).toSatisfy(isRight)
    // What was taken once is taken again, unchanged.
    expect(parse(structuredClone(message))).toStrictEqual(message)
  }
  const messages = fc.constantFrom<unknown>(...valid)

  test('the valid messages are what the predicate says', () => {
    for (const message of valid) expect(message).toSatisfy(isRight)
  })

  test('any value: a message or a MessageError', () => {
    fc.assert(
      fc.property(fc.oneof(jsonValue, cloneableValue), (value) => check(value, new Outcomes())),
      RUNS,
    )
  })

  test.each([
    ['JSON', mutatedJson(messages).map((value) => JSON.parse(JSON.stringify(value) ?? 'null') as unknown)],
    ['structured clones', mutatedClone(messages).map((value) => structuredClone(value))],
  ])('messages with mistakes, as %s: the same', (_channel, values) => {
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(values, (value) => check(value, outcomes)),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })
})
