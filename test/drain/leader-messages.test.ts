import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type FromLeader,
  type FromListener,
  formatMessage,
  LEADER_VERSION,
  LONGEST_MESSAGE,
  parseFromLeader,
  parseFromListener,
} from '../../src/drain/leader-messages.js'
import {
  hasMembers,
  isNumber,
  isText,
  jsonValue,
  mutatedJson,
  NO_NUMBER,
  NO_TEXT,
  Outcomes,
  RUNS,
  withMember,
} from '../support/foreign-values.js'

const FROM_LISTENER: readonly FromListener[] = [
  { type: 'join', patience: 0 },
  { type: 'join', patience: 2500.5 },
  { type: 'join', patience: 600_000 },
  { type: 'ready' },
]
const FROM_LEADER: readonly FromLeader[] = [
  { type: 'steered' },
  { type: 'alone', method: 'close', reason: 'bpf EPERM' },
  { type: 'alone', method: 'defer', reason: '' },
  { type: 'leave', detach: true },
  { type: 'leave', detach: false },
]

/** The texts of the errors. Other errors of these classes would be defects. */
const REASONS = ['the message is not an object', 'the type is unknown', 'patience is not a time', 'no way is named']

function isOwnError(error: unknown): boolean {
  return error instanceof SyntaxError || (error instanceof TypeError && REASONS.includes(error.message))
}

test.each(FROM_LISTENER)('%j of a listener', (message) => {
  const line = formatMessage(message)
  expect(JSON.parse(line)).toStrictEqual({ version: LEADER_VERSION, ...message })
  expect(parseFromListener(line.slice(0, -1))).toStrictEqual(message)
  expect(parseFromListener(JSON.stringify({ ...message, version: 2, extra: 1 }))).toStrictEqual(message)
})

test.each(FROM_LEADER)('%j of the leader', (message) => {
  const line = formatMessage(message)
  expect(JSON.parse(line)).toStrictEqual({ version: LEADER_VERSION, ...message })
  expect(parseFromLeader(line.slice(0, -1))).toStrictEqual(message)
  expect(parseFromLeader(JSON.stringify({ ...message, version: 2, extra: 1 }))).toStrictEqual(message)
})

test('an order to leave detaches only where it says true', () => {
  for (const detach of [undefined, null, 1, 'true', [true]]) {
    expect(parseFromLeader(JSON.stringify({ type: 'leave', detach }))).toStrictEqual({ type: 'leave', detach: false })
  }
})

test('a reason is cut to what fits in a line, whatever its characters', () => {
  for (const character of ['x', '"', '\0', '\u2028', '\ud800']) {
    const line = formatMessage({ type: 'alone', method: 'close', reason: character.repeat(10_000) })
    expect(line.length - 1).toBeLessThanOrEqual(LONGEST_MESSAGE)
    expect(parseFromLeader(line)).toStrictEqual({ type: 'alone', method: 'close', reason: character.repeat(512) })
  }
  const given = JSON.stringify({ type: 'alone', method: 'close', reason: 'x'.repeat(10_000) })
  expect(parseFromLeader(given)).toHaveProperty('reason', 'x'.repeat(512))
})

describe('a line that is no message', () => {
  const TYPES: readonly unknown[] = [...NO_TEXT, '', 'Join', '__proto__', 'toString']
  const line = (message: object, name: string, value: unknown): string =>
    JSON.stringify(withMember(message, name, value))
  const refused = (parse: (line: string) => unknown, text: string, reason: string): void => {
    expect(() => parse(text), text).toThrow(new TypeError(reason))
  }

  test('of a listener', () => {
    for (const type of [...TYPES, 'leave', 'steered', 'alone']) {
      refused(parseFromListener, line({ type: 'ready' }, 'type', type), 'the type is unknown')
    }
    for (const patience of [...NO_NUMBER, 600_000.5, 600_001]) {
      refused(parseFromListener, line({ type: 'join' }, 'patience', patience), 'patience is not a time')
    }
    refused(parseFromListener, '{"type":"join","patience":1e999}', 'patience is not a time')
    refused(parseFromListener, '{"type":"join","__proto__":{"patience":5}}', 'patience is not a time')
  })

  test('of the leader', () => {
    for (const type of [...TYPES, 'join', 'ready']) {
      refused(parseFromLeader, line({ type: 'leave' }, 'type', type), 'the type is unknown')
    }
    const alone = { type: 'alone', method: 'close', reason: 'why' }
    for (const value of [...NO_TEXT, '', 'steer', 'Close']) {
      refused(parseFromLeader, line(alone, 'method', value), 'no way is named')
    }
    for (const value of NO_TEXT) refused(parseFromLeader, line(alone, 'reason', value), 'no way is named')
  })

  test.each([parseFromListener, parseFromLeader])('of any process: $name', (parse) => {
    for (const text of [
      '',
      '{',
      'ready',
      '{"type":"ready"}{}',
      "{'type':'ready'}",
      '{"type":"ready"',
      '['.repeat(4096),
    ]) {
      expect(() => parse(text)).toThrow(SyntaxError)
    }
    for (const text of ['null', '5', '"ready"', 'true']) refused(parse, text, 'the message is not an object')
    for (const text of ['[]', '[{"type":"ready"}]', '{}', '{"__proto__":{"type":"ready"}}']) {
      refused(parse, text, 'the type is unknown')
    }
  })
})

const is =
  (one: unknown): ((value: unknown) => boolean) =>
  (value) =>
    value === one

function isFromListener(value: unknown): boolean {
  const isTime = (patience: unknown): boolean => isNumber(patience, 0, 600_000)
  return hasMembers(value, { type: is('join'), patience: isTime }) || hasMembers(value, { type: is('ready') })
}

function isFromLeader(value: unknown): boolean {
  const isMethod = (method: unknown): boolean => method === 'close' || method === 'defer'
  const isFlag = (detach: unknown): boolean => detach === true || detach === false
  return (
    hasMembers(value, { type: is('steered') }) ||
    hasMembers(value, { type: is('alone'), method: isMethod, reason: (reason) => isText(reason, 512) }) ||
    hasMembers(value, { type: is('leave'), detach: isFlag })
  )
}

describe.each([
  ['listener', parseFromListener, isFromListener, FROM_LISTENER],
  ['leader', parseFromLeader, isFromLeader, FROM_LEADER],
] as const)('of a %s', (_name, parse, isRight, valid) => {
  const check = (line: string, outcomes: Outcomes): void => {
    let message: FromListener | FromLeader
    try {
      message = parse(line)
    } catch (error) {
      outcomes.refused++
      expect(error).toSatisfy(isOwnError)
      return
    }
    outcomes.accepted++
    expect(message).toSatisfy(isRight)
    const again = formatMessage(message)
    expect(again.length - 1).toBeLessThanOrEqual(LONGEST_MESSAGE)
    // JSON has no -0.
    expect(parse(again)).toEqual(JSON.parse(JSON.stringify(message)))
  }
  const toLine = (value: unknown): string => JSON.stringify(value) ?? ''

  test('any line, and any JSON: a message or an error that says why not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), jsonValue.map(toLine)), (line) => check(line, new Outcomes())),
      RUNS,
    )
  })

  test('messages with mistakes: the same', () => {
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(mutatedJson(fc.constantFrom<unknown>(...valid)).map(toLine), (line) => check(line, outcomes)),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })
})

test('every reason comes back, in one line that fits', () => {
  const character = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('"', '\0', '\ud800', '\u{1f600}', '\u2028'))
  const long = fc.tuple(character, fc.nat({ max: 3000 })).map(([one, times]) => one.repeat(times))
  const reasons = fc.oneof(long, fc.string())
  fc.assert(
    fc.property(reasons, (reason) => {
      const line = formatMessage({ type: 'alone', method: 'defer', reason })
      expect(line.indexOf('\n')).toBe(line.length - 1)
      expect(line.length - 1).toBeLessThanOrEqual(LONGEST_MESSAGE)
      expect(parseFromLeader(line)).toStrictEqual({ type: 'alone', method: 'defer', reason: reason.slice(0, 512) })
    }),
    RUNS,
  )
})
