import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMessage, KEEPER_VERSION, type Message, parseMessage } from '../../src/steering/keeper-messages.js'
import type { Steering, SteeringPolicy } from '../../src/steering/steering-types.js'
import {
  hasMembers,
  isListOf,
  isNumber,
  isText,
  isWhole,
  jsonValue,
  mutatedJson,
  NO_COUNT,
  NO_LIST,
  NO_TEXT,
  Outcomes,
  RUNS,
  withMember,
} from '../support/foreign-values.js'

const RETURN = { code: 0x06, jt: 0, jf: 0, k: 0 }
const JUMP = { code: 0x15, jt: 0, jf: 1, k: 5 }
const PROGRAM = [{ code: 0x20, jt: 0, jf: 0, k: 0xffff_f024 }, JUMP, RETURN, RETURN]

const POLICIES: readonly SteeringPolicy[] = [
  'hash',
  'random',
  { cpu: true },
  {
    weights: [
      { pid: 1, weight: 0 },
      { inode: Number.MAX_SAFE_INTEGER, weight: 1e6 },
      { slot: 0, weight: 0.5 },
    ],
  },
  { exclude: [{ pid: 0x7fffffff }, { inode: 1 }, { slot: 65_535 }] },
  { program: PROGRAM },
]
const STEERING: Steering = { policy: { cpu: true }, method: 'program', members: 3, keeper: 4242, reason: 'why' }
const BARE: Steering = { policy: 'hash', method: 'hash', members: 0, keeper: undefined, reason: undefined }
const MESSAGES: readonly Message[] = [
  ...POLICIES.map((policy) => ({ policy, since: 1234.5 })),
  { refused: 'the group has other members' },
  { refused: '' },
  { steering: STEERING },
  { steering: BARE },
  { steering: { ...BARE, method: 'incoming-cpu', policy: { cpu: true } } },
]

const REASONS = [
  'the message is not an object',
  'the message has no known member',
  'since is not a number',
  'the method is unknown',
  'a number is out of bounds',
  'the reason is not text',
]
const CODES = ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE', 'ERR_REUSEPORT_UNKNOWN_OPTION']

/** Other errors of these classes would be defects. */
function isOwnError(error: unknown): boolean {
  if (error instanceof SyntaxError) return true
  if (!(error instanceof Error)) return false
  return CODES.includes((error as NodeJS.ErrnoException).code ?? '') || REASONS.includes(error.message)
}

const toLine = (value: unknown): string => JSON.stringify(value) ?? ''

test.each(MESSAGES)('round trip: %j', (message) => {
  const line = formatMessage(message)
  expect(JSON.parse(line)).toStrictEqual({ version: KEEPER_VERSION, ...JSON.parse(JSON.stringify(message)) })
  expect(line.indexOf('\n')).toBe(line.length - 1)
  expect(parseMessage(line.slice(0, -1))).toStrictEqual(message)
  expect(parseMessage(toLine({ ...message, version: 2, extra: 1 }))).toStrictEqual(message)
})

test('members that this version does not know are left out of a steering', () => {
  expect(parseMessage(toLine({ steering: { ...STEERING, extra: 1 } }))).toStrictEqual({ steering: STEERING })
})

test('an instruction without operands has those of 0, and negative operands are those of the kernel', () => {
  const policy = { program: [{ code: 0x20, k: -0x1000 }, { code: 0x06 }] }
  const program = [{ code: 0x20, jt: 0, jf: 0, k: 0xffff_f000 }, RETURN]
  expect(parseMessage(toLine({ policy, since: 0 }))).toStrictEqual({ policy: { program }, since: 0 })
})

test('a member of a group may have several names: the slot counts first, then the inode', () => {
  const exclude = [
    { pid: 1, inode: 2, slot: 3, weight: 4 },
    { pid: 1, inode: 2 },
  ]
  expect(parseMessage(toLine({ policy: { exclude }, since: 0 }))).toStrictEqual({
    policy: { exclude: [{ slot: 3 }, { inode: 2 }] },
    since: 0,
  })
})

test('reasons are cut', () => {
  const [long, cut] = ['x'.repeat(4097), 'x'.repeat(4096)]
  expect(parseMessage(toLine({ refused: long }))).toStrictEqual({ refused: cut })
  const steering = { ...STEERING, reason: long }
  expect(parseMessage(toLine({ steering }))).toStrictEqual({ steering: { ...STEERING, reason: cut } })
})

describe('a line that is no message', () => {
  test.each(['', '{', 'hash', '{"refused":""}{}', '{"refused":"no"'])('%j is not JSON', (line) => {
    expect(() => parseMessage(line)).toThrow(SyntaxError)
  })

  test('nor is a deep one', () => {
    const [open, close] = ['['.repeat(100_000), ']'.repeat(100_000)]
    expect(() => parseMessage(open)).toThrow(SyntaxError)
    for (const name of ['policy', 'steering']) {
      expect(() => parseMessage(`{"${name}":${open}${close},"since":5}`)).toThrow(expect.toSatisfy(isOwnError))
    }
  })

  test.each([
    ['null', REASONS[0]],
    ['5', REASONS[0]],
    ['"hash"', REASONS[0]],
    ['[]', REASONS[1]],
    ['{}', REASONS[1]],
    ['{"since":5}', REASONS[1]],
    ['{"steering":"hash"}', REASONS[1]],
    ['{"steering":null}', REASONS[1]],
    ['{"refused":null}', REASONS[1]],
    ['{"refused":["no"]}', REASONS[1]],
    ['{"__proto__":{"refused":"no"}}', REASONS[1]],
    ['{"steering":[]}', REASONS[3]],
    ['{"steering":{"__proto__":{"method":"hash"}}}', REASONS[3]],
    ['{"policy":"hash"}', REASONS[2]],
    ['{"policy":"hash","since":"5"}', REASONS[2]],
    ['{"policy":"hash","since":null}', REASONS[2]],
    ['{"policy":"hash","since":1e999}', REASONS[2]],
    ['{"policy":"hash","__proto__":{"since":5}}', REASONS[2]],
  ])('%s', (line, reason) => {
    expect(() => parseMessage(line)).toThrow(new TypeError(reason))
  })

  test.each([
    ['method', [...NO_TEXT, '', 'HASH', 'toString'], REASONS[3]],
    ['members', NO_COUNT, REASONS[4]],
    ['keeper', NO_COUNT.slice(1), REASONS[4]],
    ['reason', NO_TEXT.slice(1), REASONS[5]],
  ])('a steering with a wrong %s', (name, values, reason) => {
    for (const value of values) {
      const line = toLine(withMember({ steering: STEERING }, `steering.${name}`, value))
      expect(() => parseMessage(line), line).toThrow(new TypeError(reason))
    }
  })

  const program = (...instructions: unknown[]): unknown => ({ program: [...instructions, RETURN] })
  test.each<readonly [string, readonly unknown[]]>([
    ['ERR_INVALID_ARG_TYPE', [null, 5, true]],
    ['ERR_INVALID_ARG_VALUE', ['', 'Hash', 'toString', {}, [], { cpu: true, exclude: [{ pid: 1 }] }]],
    ['ERR_INVALID_ARG_VALUE', [false, 1, 'true', null].map((cpu) => ({ cpu }))],
    ['ERR_REUSEPORT_UNKNOWN_OPTION', [{ cpus: true }, { cpu: true, extra: 1 }, ['hash'], { toString: 1 }]],
    ['ERR_REUSEPORT_UNKNOWN_OPTION', [JSON.parse('{"__proto__":{"cpu":true}}'), program({ ...RETURN, extra: 1 })]],
    ['ERR_INVALID_ARG_TYPE', ['weights', 'exclude', 'program'].flatMap((kind) => lists(kind, NO_LIST.slice(1)))],
    ['ERR_INVALID_ARG_VALUE', ['weights', 'exclude', 'program'].flatMap((kind) => lists(kind, [[]]))],
    ['ERR_INVALID_ARG_TYPE', lists('exclude', [[null], [5], [{ pid: 1 }, 'x'], [{ pid: '1' }], [{ slot: null }]])],
    ['ERR_INVALID_ARG_VALUE', lists('exclude', [[{}], [[]], [{ port: 5 }], [JSON.parse('{"__proto__":{"pid":1}}')]])],
    ['ERR_OUT_OF_RANGE', lists('exclude', [[{ pid: 0 }], [{ pid: 0x80000000 }], [{ pid: 1.5 }]])],
    ['ERR_OUT_OF_RANGE', lists('exclude', [[{ inode: 0 }], [{ inode: 2 ** 53 }], [{ slot: -1 }], [{ slot: 65_536 }]])],
    ['ERR_INVALID_ARG_TYPE', [undefined, null, '1'].flatMap((weight) => lists('weights', [[{ pid: 1, weight }]]))],
    ['ERR_OUT_OF_RANGE', [-1, 1e6 + 1].flatMap((weight) => lists('weights', [[{ pid: 1, weight }]]))],
    ['ERR_OUT_OF_RANGE', lists('program', [new Array(4097).fill(RETURN)])],
    ['ERR_OUT_OF_RANGE', [-1, 0.5, 65_536].map((code) => program({ code }))],
    ['ERR_OUT_OF_RANGE', [-1, 0.5, 256].flatMap((to) => [program({ ...JUMP, jt: to }), program({ ...JUMP, jf: to })])],
    ['ERR_OUT_OF_RANGE', [-0x8000_0001, 0.5, 0x1_0000_0000].map((k) => program({ code: 0, k }))],
    ['ERR_INVALID_ARG_TYPE', [program(null), program(5), program({}), program({ code: 0, k: '5' })]],
    // Beyond the end, and without an end.
    ['ERR_INVALID_ARG_VALUE', [program(JUMP), program({ code: 0x05, k: 1 }), { program: [{ code: 0 }] }]],
  ])('%s for the policies %j', (code, policies) => {
    for (const policy of policies) {
      expect(() => parseMessage(toLine({ policy, since: 5 })), toLine(policy)).toThrow(
        expect.objectContaining({ code }),
      )
      const steering = { ...STEERING, policy }
      expect(() => parseMessage(toLine({ steering })), toLine(policy)).toThrow(expect.objectContaining({ code }))
    }
  })

  test('a steering without a policy', () => {
    expect(() => parseMessage(toLine(withMember({ steering: STEERING }, 'steering.policy', undefined)))).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })
})

function lists(kind: string, values: readonly unknown[]): readonly unknown[] {
  return values.map((value) => ({ [kind]: value }))
}

const is =
  (...all: readonly unknown[]): ((value: unknown) => boolean) =>
  (value) =>
    all.includes(value)

const NAMES = {
  pid: (value: unknown): boolean => isWhole(value, 1, 0x7fffffff),
  inode: (value: unknown): boolean => isWhole(value, 1, 2 ** 53 - 1),
  slot: (value: unknown): boolean => isWhole(value, 0, 0xffff),
}
const isMember = (value: unknown, more: Readonly<Record<string, (one: unknown) => boolean>>): boolean =>
  Object.entries(NAMES).some(([name, isRight]) => hasMembers(value, { [name]: isRight, ...more }))

function isProgram(value: unknown): boolean {
  const isByte = (one: unknown): boolean => isWhole(one, 0, 255)
  const isInstruction = (one: unknown): boolean =>
    hasMembers(one, {
      code: (code) => isWhole(code, 0, 0xffff),
      jt: isByte,
      jf: isByte,
      k: (k) => isWhole(k, 0, 0xffff_ffff),
    })
  if (!isListOf(value, 4096, isInstruction)) return false
  const list = value as readonly (typeof RETURN)[]
  // bpf: BPF_JMP is class 5 and BPF_RET class 6; BPF_JMP | BPF_JA jumps by k, the others by jt or jf.
  const isInside = ({ code, jt, jf, k }: typeof RETURN, at: number): boolean =>
    code % 8 !== 5 || (code === 5 ? [k] : [jt, jf]).every((by) => at + by < list.length - 1)
  return (list.at(-1)?.code ?? 0) % 8 === 6 && list.every(isInside)
}

function isPolicy(value: unknown): boolean {
  const some = (list: unknown, isRight: (one: unknown) => boolean): boolean =>
    isListOf(list, Number.POSITIVE_INFINITY, isRight) && (list as readonly unknown[]).length > 0
  const isWeight = (weight: unknown): boolean => isNumber(weight, 0, 1_000_000)
  return (
    value === 'hash' ||
    value === 'random' ||
    hasMembers(value, { cpu: is(true) }) ||
    hasMembers(value, { weights: (list) => some(list, (one) => isMember(one, { weight: isWeight })) }) ||
    hasMembers(value, { exclude: (list) => some(list, (one) => isMember(one, {})) }) ||
    hasMembers(value, { program: isProgram })
  )
}

function isMessage(value: unknown): boolean {
  const isCount = (one: unknown): boolean => isWhole(one, 0, 2 ** 53 - 1)
  const isReason = (one: unknown): boolean => isText(one, 4096)
  const isSteering = (one: unknown): boolean =>
    hasMembers(one, {
      policy: isPolicy,
      method: is('hash', 'program', 'incoming-cpu'),
      members: isCount,
      'keeper?': isCount,
      'reason?': isReason,
    })
  return (
    hasMembers(value, { policy: isPolicy, since: (one) => isNumber(one, -Number.MAX_VALUE, Number.MAX_VALUE) }) ||
    hasMembers(value, { refused: isReason }) ||
    hasMembers(value, { steering: isSteering })
  )
}

function check(line: string, outcomes: Outcomes): void {
  let message: Message
  try {
    message = parseMessage(line)
  } catch (error) {
    outcomes.refused++
    expect(error).toSatisfy(isOwnError)
    return
  }
  outcomes.accepted++
  expect(message).toSatisfy(isMessage)
  // JSON has no -0.
  expect(parseMessage(formatMessage(message))).toEqual(parseMessage(JSON.stringify(message)))
}

test('the predicate knows a message', () => {
  for (const message of MESSAGES) expect(message).toSatisfy(isMessage)
  expect({ policy: { program: [JUMP, RETURN] }, since: 5 }).not.toSatisfy(isMessage)
})

test('any line, and any JSON: a message or an error that says why not', () => {
  const policies = jsonValue.map((policy) => ({ policy, since: 5 }))
  fc.assert(
    fc.property(fc.oneof(fc.string(), jsonValue.map(toLine), policies.map(toLine)), (line) =>
      check(line, new Outcomes()),
    ),
    RUNS,
  )
})

test('messages with mistakes: the same', () => {
  const outcomes = new Outcomes()
  fc.assert(
    fc.property(mutatedJson(fc.constantFrom<unknown>(...MESSAGES)).map(toLine), (line) => check(line, outcomes)),
    RUNS,
  )
  expect(outcomes.fewest).toBeGreaterThan(50)
})

test('every valid policy comes back', () => {
  const name = fc.oneof(
    fc.record({ pid: fc.integer({ min: 1, max: 0x7fffffff }) }),
    fc.record({ inode: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) }),
    fc.record({ slot: fc.nat({ max: 0xffff }) }),
  )
  const weight = fc.double({ min: 0, max: 1e6, noNaN: true }).map((one) => one + 0)
  const byte = fc.nat({ max: 255 })
  const instruction = fc.record({ code: fc.nat({ max: 0xffff }), jt: byte, jf: byte, k: fc.nat({ max: 0xffff_ffff }) })
  const policies = fc.oneof(
    fc.record({ exclude: fc.array(name, { minLength: 1 }) }),
    fc.record({
      weights: fc.array(
        fc.tuple(name, weight).map(([one, by]) => ({ ...one, weight: by })),
        { minLength: 1 },
      ),
    }),
    fc
      .array(instruction)
      .map((list) => ({ program: [...list, RETURN] }))
      .filter(({ program }) => isProgram(program)),
  )
  fc.assert(
    fc.property(policies, fc.maxSafeInteger(), (policy, since) => {
      expect(parseMessage(formatMessage({ policy, since } as Message))).toEqual({ policy, since })
    }),
    RUNS,
  )
})
