import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type NestedMessage, toClusterOrder, toNestedMessage } from '../../src/supervised/nested-messages.js'
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
  NO_COUNT,
  NO_LIST,
  NO_NUMBER,
  NO_OBJECT,
  NO_TEXT,
  Outcomes,
  RUNS,
  withMember,
  withOwnProto,
} from '../support/foreign-values.js'

const TIMES = { drainTimeout: 2500.5, grace: 1000 }
const LEAVE: NestedMessage = { type: 'leave', to: [1, 2], times: TIMES }
const LEFT: NestedMessage = { type: 'left', thread: 3 }
const LISTENING: NestedMessage = {
  type: 'listening',
  thread: 3,
  place: { address: '::1', family: 'IPv6', port: 8080 },
}
const MESSAGES: readonly NestedMessage[] = [LEAVE, { ...LEAVE, to: [] }, LEFT, LISTENING]

const LONGEST_TIME = 0x7fffffff
const NO_TIME = [...NO_NUMBER, LONGEST_TIME + 1]

test.each(MESSAGES)('%j between threads', (message) => {
  expect(toNestedMessage(structuredClone(message))).toStrictEqual(message)
  expect(toNestedMessage(withOwnProto({ ...message, extra: 1 }, { type: 'left' }))).toStrictEqual(message)
})

test('members that are not known are left out, at each depth', () => {
  expect(toNestedMessage({ ...LEAVE, times: { ...TIMES, extra: 1 } })).toStrictEqual(LEAVE)
  expect(toNestedMessage({ ...LISTENING, place: { ...LISTENING.place, extra: 1 } })).toStrictEqual(LISTENING)
  expect(toClusterOrder({ leave: { ...TIMES, extra: 1 }, extra: 1 })).toStrictEqual(TIMES)
})

test('bounds are allowed', () => {
  const leave = {
    type: 'leave',
    to: new Array(4096).fill(LONGEST_TIME),
    times: { drainTimeout: LONGEST_TIME, grace: 0 },
  }
  expect(toNestedMessage(leave)).toStrictEqual(leave)
  expect(toNestedMessage({ type: 'left', thread: 0 })).toStrictEqual({ type: 'left', thread: 0 })
})

describe('a message between threads with a member that is wrong is none', () => {
  const texts = [...NO_TEXT, 'x'.repeat(129)]
  test.each<readonly [string, NestedMessage, string, readonly unknown[]]>([
    ['leave', LEAVE, 'type', [...NO_TEXT, '', 'Leave', 'left', 'listening', '__proto__']],
    ['leave', LEAVE, 'to', [...NO_LIST, ...[...NO_COUNT, LONGEST_TIME + 1].map((one) => [1, one])]],
    ['leave', LEAVE, 'to', [new Array(1), Object.assign([], { 1: 1 }), new Array(4097).fill(1), new Array(0xffffffff)]],
    ['leave', LEAVE, 'times', NO_OBJECT],
    ['leave', LEAVE, 'times.grace', NO_TIME],
    ['leave', LEAVE, 'times.drainTimeout', NO_TIME],
    ['left', LEFT, 'type', [...NO_TEXT, '', 'Left', 'leave', 'listening']],
    ['left', LEFT, 'thread', [...NO_COUNT, LONGEST_TIME + 1]],
    ['listening', LISTENING, 'thread', [...NO_COUNT, LONGEST_TIME + 1]],
    ['listening', LISTENING, 'place', NO_OBJECT],
    ['listening', LISTENING, 'place.address', texts],
    ['listening', LISTENING, 'place.family', [...NO_TEXT, 'ipv4', 6]],
    ['listening', LISTENING, 'place.port', [...NO_COUNT, 65_536]],
  ])('%s: %j %s', (_type, message, path, values) => {
    for (const value of values) expect(toNestedMessage(withMember(message, path, value))).toBeUndefined()
  })

  test.each([...NO_OBJECT, [LEFT], new Map(Object.entries(LEFT))])('%j', (value) => {
    expect(toNestedMessage(value)).toBeUndefined()
  })

  test('by way of __proto__', () => {
    expect(toNestedMessage(JSON.parse(`{"__proto__":${JSON.stringify(LEFT)}}`))).toBeUndefined()
  })
})

describe('an order to a cluster worker', () => {
  test('round trip', () => {
    expect(toClusterOrder(JSON.parse(JSON.stringify({ leave: TIMES })))).toStrictEqual(TIMES)
    expect(toClusterOrder(structuredClone({ leave: TIMES }))).toStrictEqual(TIMES)
  })

  test.each([...NO_OBJECT, {}, 'left', 'leave', TIMES, [TIMES]])('%j is none', (value) => {
    expect(toClusterOrder(value)).toBeUndefined()
    expect(toClusterOrder({ leave: value === TIMES ? { times: TIMES } : value })).toBeUndefined()
  })

  test.each(['grace', 'drainTimeout'])('%s is a time', (name) => {
    for (const value of NO_TIME)
      expect(toClusterOrder(withMember({ leave: TIMES }, `leave.${name}`, value))).toBeUndefined()
    for (const value of [0, 0.5, LONGEST_TIME]) {
      expect(toClusterOrder(withMember({ leave: TIMES }, `leave.${name}`, value))).toStrictEqual({
        ...TIMES,
        [name]: value,
      })
    }
  })
})

const isTime = (value: unknown): boolean => isNumber(value, 0, LONGEST_TIME)
const isThread = (value: unknown): boolean => isWhole(value, 0, LONGEST_TIME)
const isTimes = (value: unknown): boolean => hasMembers(value, { drainTimeout: isTime, grace: isTime })
const isPlace = (value: unknown): boolean =>
  hasMembers(value, {
    address: (address) => isText(address, 128),
    family: (family) => family === 'IPv4' || family === 'IPv6',
    port: (port) => isWhole(port, 0, 65_535),
  })
const isMessage = (value: unknown): boolean =>
  [
    { type: (type: unknown) => type === 'leave', to: (to: unknown) => isListOf(to, 4096, isThread), times: isTimes },
    { type: (type: unknown) => type === 'left', thread: isThread },
    { type: (type: unknown) => type === 'listening', thread: isThread, place: isPlace },
  ].some((members) => hasMembers(value, members))

describe.each([
  ['between threads', toNestedMessage, isMessage, MESSAGES],
  ['to a cluster worker', toClusterOrder, isTimes, [{ leave: TIMES }]],
] as const)('%s', (_name, parse, isRight, valid) => {
  const check = (value: unknown, outcomes: Outcomes): void => {
    const message = parse(value)
    if (message === undefined) {
      outcomes.refused++
      return
    }
    outcomes.accepted++
    expect(message).toSatisfy(isRight)
  }

  test('any value is a message or none', () => {
    fc.assert(
      fc.property(fc.oneof(jsonValue, cloneableValue), (value) => check(value, new Outcomes())),
      RUNS,
    )
  })

  test('messages with mistakes: the same', () => {
    const messages = fc.constantFrom<unknown>(...valid)
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(fc.oneof(mutatedJson(messages), mutatedClone(messages)), (value) =>
        check(structuredClone(value), outcomes),
      ),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })
})
