import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CONTROL_VERSION,
  type ControlAnswer,
  formatAnswer,
  formatRequest,
  isUnknownCommand,
  LONGEST_REQUEST,
  parseAnswer,
  parseRequest,
  parseScale,
  parseStatus,
  type SupervisorStatus,
} from '../../src/supervisor/control-protocol.js'
import {
  hasMembers,
  isListOf,
  isText,
  isWhole,
  jsonValue,
  mutatedJson,
  NO_COUNT,
  NO_LIST,
  NO_OBJECT,
  NO_TEXT,
  Outcomes,
  RUNS,
  withMember,
  withOwnProto,
} from '../support/foreign-values.js'

const WORKER = {
  slot: 0,
  pid: 4242,
  generation: 3,
  state: 'ready',
  startedAt: '2026-01-02T03:04:05.678Z',
  sockets: [100, 101],
}
const STATUS: SupervisorStatus = {
  pid: 4241,
  script: '/srv/app/server.js',
  state: 'running',
  generation: 3,
  startedAt: '2026-01-02T03:04:05.000Z',
  workers: [WORKER, { ...WORKER, slot: 1, threadId: 7, sockets: [102, 103], paths: ['/run/app.sock', '\0app'] }],
}

/** Errors of this protocol are of a class of their own, and of no class that a defect throws. */
function isProtocolError(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'ProtocolError'
}

describe('a request', () => {
  test.each([
    ['status', { command: 'status', version: 0 }],
    ['reload', { command: 'reload', version: 0 }],
    ['status 1', { command: 'status', version: 1 }],
    ['reload 1\r', { command: 'reload', version: 1 }],
    ['status 999999', { command: 'status', version: 999_999 }],
  ])('%j', (line, request) => {
    expect(parseRequest(line)).toStrictEqual(request)
  })

  test.each([
    ...['', ' ', ' status', 'status ', 'status  1', 'status 1 ', 'status 1000000', 'status -1', 'status 1.5'],
    ...[
      'status x',
      'STATUS',
      'status\t1',
      'status\n',
      'status 1\n',
      'status\r\r',
      'status\0',
      'status １',
      '__proto__',
    ],
    ...['x'.repeat(33), 'x'.repeat(LONGEST_REQUEST), '{"command":"status"}', 'status 1\nreload 1'],
  ])('%j is none', (line) => {
    expect(parseRequest(line)).toBe('this is not a request')
  })

  test.each(['restart', 'constructor', 'status-', 'x'.repeat(32)])('there is no command %s', (command) => {
    expect(parseRequest(`${command} 1`)).toBe(
      `unknown command '${command}': the supervisor answers 'status', 'vitals', 'reload', 'scale' and 'stop'`,
    )
    expect(isUnknownCommand(String(parseRequest(`${command} 1`)))).toBe(true)
  })

  test.each(['4', 'auto', '+1', '-2', '0'.repeat(16)])('scale takes an argument: %s', (argument) => {
    const line = formatRequest('scale', argument)
    expect(parseRequest(line.slice(0, -1))).toStrictEqual({ command: 'scale', version: CONTROL_VERSION, argument })
    // As an earlier version says.
    expect(/^([a-z-]{1,32})(?: (\d{1,6}))?\r?$/.test(line.slice(0, -1))).toBe(false)
    expect(isUnknownCommand('this is not a request')).toBe(true)
  })

  test('an argument too many, too few, or out of bounds', () => {
    expect(parseRequest('scale 1')).toBe("'scale' takes an argument")
    for (const command of ['status', 'vitals', 'reload', 'stop'])
      expect(parseRequest(`${command} 1 5`)).toBe(`'${command}' takes no argument`)
    for (const line of [
      'scale 1 ',
      'scale 1  4',
      'scale 4 4 4',
      'scale 1 ４',
      'scale 1 A',
      `scale 1 ${'1'.repeat(17)}`,
    ])
      expect(parseRequest(line)).toBe('this is not a request')
    expect(isUnknownCommand("'scale' takes an argument")).toBe(false)
  })

  test('how many workers an argument of scale means', () => {
    const now = (text: string): unknown => {
      const parsed = parseScale(text)
      return typeof parsed === 'function' ? parsed(4) : parsed
    }
    expect(['4', '0', '9999', 'auto', '+2', '-3', '-9'].map(now)).toEqual([4, 0, 9999, 'auto', 6, 1, -5])
    expect(['', '+', 'four', '1.5', '10000', '1e3', '--1', 'Auto'].map(now)).toEqual(new Array(8).fill(undefined))
  })

  test('round trip', () => {
    for (const command of ['status', 'vitals', 'reload', 'stop'] as const) {
      const line = formatRequest(command)
      expect(line).toMatch(/^[^\n]+\n$/)
      expect(line.length).toBeLessThanOrEqual(LONGEST_REQUEST)
      expect(parseRequest(line.slice(0, -1))).toStrictEqual({ command, version: CONTROL_VERSION })
    }
  })

  test('any line is a request or is told why not, in a few words', () => {
    const command = fc.constantFrom('status', 'reload', 'stop', 'restart', '')
    const version = fc.oneof(
      fc.constant(''),
      fc.nat({ max: 2_000_000 }).map((one) => ` ${one}`),
    )
    const end = fc.constantFrom('', '', '', '\r', '\n', ' ', 'é')
    const near = fc.tuple(command, version, end).map((parts) => parts.join(''))
    const lines = fc.oneof(fc.string(), near)
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(lines, (line) => {
        const request = parseRequest(line)
        if (typeof request === 'string') {
          outcomes.refused++
          expect(request).toMatch(
            /^(this is not a request|unknown command '[a-z-]{1,32}': the supervisor answers ['a-z, ]{1,60}|'[a-z]+' takes (no|an) argument)$/,
          )
          return
        }
        outcomes.accepted++
        const isCommand = (value: unknown): boolean => ['status', 'reload', 'stop'].includes(String(value))
        expect(hasMembers(request, { command: isCommand, version: (one) => isWhole(one, 0, 999_999) })).toBe(true)
        expect(line.startsWith(request.command)).toBe(true)
      }),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })
})

describe('an answer', () => {
  test.each<ControlAnswer>([
    { kind: 'accepted' },
    { kind: 'done', value: STATUS },
    { kind: 'done', value: null },
    { kind: 'done', value: false },
    { kind: 'failed', reason: 'a reload is under way' },
    { kind: 'failed', reason: '' },
  ])('round trip: %j', (answer) => {
    const line = formatAnswer(answer)
    expect(JSON.parse(line)).toHaveProperty('version', CONTROL_VERSION)
    expect(parseAnswer(line.slice(0, -1))).toStrictEqual(answer)
  })

  test('without a value, null is said', () => {
    expect(parseAnswer(formatAnswer({ kind: 'done', value: undefined }))).toStrictEqual({ kind: 'done', value: null })
  })

  test('a reason is cut', () => {
    const reason = (length: number): ControlAnswer => ({ kind: 'failed', reason: 'x'.repeat(length) })
    expect(parseAnswer(formatAnswer(reason(4096)))).toStrictEqual(reason(4096))
    expect(parseAnswer(formatAnswer(reason(4097)))).toStrictEqual(reason(4096))
  })

  test('members that this version does not know are left out', () => {
    expect(parseAnswer('{"version":2,"accepted":true,"since":5}')).toStrictEqual({ kind: 'accepted' })
    expect(parseAnswer('{"done":{"a":1},"failed":"no","x":1}')).toStrictEqual({ kind: 'done', value: { a: 1 } })
    expect(parseAnswer('{"failed":"no","__proto__":{"done":1}}')).toStrictEqual({ kind: 'failed', reason: 'no' })
  })

  const NEITHER = 'its answer has neither a result nor an error'
  const of = (version: number): string =>
    `${NEITHER} (it speaks version ${version} of the protocol, this process version 1)`

  test.each([
    ['', 'its answer is not JSON'],
    ['{', 'its answer is not JSON'],
    ['status 1', 'its answer is not JSON'],
    ['{"accepted":true}{}', 'its answer is not JSON'],
    ['null', 'its answer is not an object'],
    ['5', 'its answer is not an object'],
    ['"accepted"', 'its answer is not an object'],
    ['[{"accepted":true}]', 'its answer is not an object'],
    ['{}', NEITHER],
    ['{"version":1}', NEITHER],
    ['{"version":"2"}', NEITHER],
    ['{"accepted":1}', NEITHER],
    ['{"accepted":false}', NEITHER],
    ['{"failed":["no"]}', NEITHER],
    ['{"failed":null}', NEITHER],
    ['{"__proto__":{"accepted":true,"failed":"no","done":1}}', NEITHER],
    ['{"version":2}', of(2)],
    ['{"version":0,"accepted":1}', of(0)],
    ['{"version":2,"result":{}}', of(2)],
  ])('%s is none', (line, reason) => {
    expect(() => parseAnswer(line)).toThrow(
      expect.toSatisfy((error: Error) => isProtocolError(error) && error.message === reason),
    )
  })

  test('a deep line is none, or is taken', () => {
    const [open, close] = ['['.repeat(100_000), ']'.repeat(100_000)]
    expect(() => parseAnswer(open)).toThrow('its answer is not JSON')
    expect(parseAnswer(`{"done":${open}${close}}`)).toHaveProperty('kind', 'done')
  })

  function check(line: string, outcomes: Outcomes): void {
    let answer: ControlAnswer
    try {
      answer = parseAnswer(line)
    } catch (error) {
      outcomes.refused++
      expect(error).toSatisfy(isProtocolError)
      return
    }
    outcomes.accepted++
    expect(answer).toSatisfy(
      (one) =>
        hasMembers(one, { kind: (kind) => kind === 'accepted' }) ||
        hasMembers(one, { kind: (kind) => kind === 'done', value: (value) => value !== undefined }) ||
        hasMembers(one, { kind: (kind) => kind === 'failed', reason: (reason) => isText(reason, 4096) }),
    )
  }

  test('any line, and any JSON: an answer or an error of this protocol', () => {
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(fc.oneof(fc.string(), jsonValue.map(toLine)), (line) => check(line, outcomes)),
      RUNS,
    )
    expect(outcomes.refused).toBeGreaterThan(1000)
  })

  test('an answer with mistakes: the same', () => {
    const valid = fc.oneof(
      fc.constant({ version: 1, accepted: true }),
      jsonValue.map((done) => ({ version: 1, done })),
      fc.string().map((failed) => ({ version: 1, failed })),
    )
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(mutatedJson(valid).map(toLine), (line) => check(line, outcomes)),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })

  test('every value comes back, in one line', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const line = formatAnswer({ kind: 'done', value })
        expect(line.indexOf('\n')).toBe(line.length - 1)
        const answer = parseAnswer(line)
        expect(answer.kind === 'done' && JSON.stringify(answer.value)).toBe(JSON.stringify(value))
      }),
      RUNS,
    )
  })
})

describe('a status', () => {
  test('round trip', () => {
    expect(parseStatus(JSON.parse(JSON.stringify(STATUS)))).toStrictEqual(STATUS)
    expect(parseStatus({ ...STATUS, workers: [] })).toStrictEqual({ ...STATUS, workers: [] })
  })

  test('members that this version does not know are left out', () => {
    const worker = { ...WORKER, cpu: 5 }
    const status = withOwnProto({ ...STATUS, workers: [withOwnProto(worker, { threadId: 5 })], since: 5 }, { pid: 1 })
    expect(parseStatus(status)).toStrictEqual({ ...STATUS, workers: [WORKER] })
  })

  test('what is inherited by way of __proto__ is missing', () => {
    expect(() => parseStatus(JSON.parse(`{"__proto__":${JSON.stringify(STATUS)}}`))).toThrow('workers is not a list')
  })

  const NUMBERS = ['pid', 'generation', 'workers.1.slot', 'workers.1.pid', 'workers.1.generation']
  const TEXTS = ['script', 'state', 'workers.1.state']
  const TIMES = ['startedAt', 'workers.1.startedAt']
  const named = (path: string): string => path.replace(/\.(\d+)/, '[$1]')
  const refused = (path: string, value: unknown, reason: string): void => {
    expect(() => parseStatus(withMember(STATUS, path, value)), `${path}: ${typeof value}`).toThrow(
      expect.toSatisfy((error: Error) => isProtocolError(error) && error.message === reason),
    )
  }

  test.each(NUMBERS)('%s is a whole number', (path) => {
    for (const value of NO_COUNT) refused(path, value, `${named(path)} is not a whole number`)
    for (const value of [0, Number.MAX_SAFE_INTEGER]) {
      expect(parseStatus(withMember(STATUS, path, value))).toStrictEqual(withMember(STATUS, path, value))
    }
  })

  test('the number of a thread may be missing', () => {
    for (const value of NO_COUNT.slice(1)) {
      refused('workers.1.threadId', value, 'workers[1].threadId is not a whole number')
    }
    const [first, second] = parseStatus(STATUS).workers
    expect(first).not.toHaveProperty('threadId')
    expect(second).toHaveProperty('threadId', 7)
  })

  test.each(TEXTS)('%s is a text of at most 4096 characters', (path) => {
    const reason = `${named(path)} is not text of at most 4096 characters`
    for (const value of [...NO_TEXT, 'x'.repeat(4097)]) refused(path, value, reason)
    for (const value of ['', 'x'.repeat(4096)]) {
      expect(parseStatus(withMember(STATUS, path, value))).toStrictEqual(withMember(STATUS, path, value))
    }
  })

  test.each(TIMES)('%s is a time', (path) => {
    for (const value of [...NO_TEXT, '', 'today', '2026-13-01T00:00:00Z', `2026-01-01${' '.repeat(31)}`]) {
      refused(path, value, `${named(path)} is not a time`)
    }
  })

  test('lists are lists, of at most 4096', () => {
    for (const value of [...NO_LIST, new Array(4097).fill(WORKER)]) {
      refused('workers', value, 'workers is not a list of at most 4096')
    }
    for (const value of [...NO_LIST, new Array(4097).fill(1)]) {
      refused('workers.1.sockets', value, 'workers[1].sockets is not a list of at most 4096')
    }
    for (const value of [...NO_LIST.slice(1), new Array(4097).fill('/a')]) {
      refused('workers.1.paths', value, 'workers[1].paths is not a list of at most 4096')
    }
    for (const value of [...NO_TEXT.slice(1), 'x'.repeat(4097)])
      refused('workers.1.paths.1', value, 'workers[1].paths is not text of at most 4096 characters')
    for (const value of NO_COUNT.slice(1))
      refused('workers.1.sockets.1', value, 'workers[1].sockets is not a whole number')
    for (const value of NO_OBJECT.slice(1)) refused('workers.1', value, 'workers[1] is not an object')
    for (const value of NO_OBJECT) expect(() => parseStatus(value)).toThrow('its status is not an object')
    const many = { ...STATUS, workers: new Array(4096).fill({ ...WORKER, sockets: [] }) }
    expect(parseStatus(many)).toStrictEqual(many)
    const sockets = withMember(STATUS, 'workers.1.sockets', new Array(4096).fill(5))
    expect(parseStatus(sockets)).toStrictEqual(sockets)
  })

  const isCount = (value: unknown): boolean => isWhole(value, 0, 2 ** 53 - 1)
  const isName = (value: unknown): boolean => isText(value, 4096)
  const isDate = (value: unknown): boolean => isText(value, 40) && !Number.isNaN(new Date(value as string).getTime())
  const isWorker = (value: unknown): boolean =>
    hasMembers(value, {
      slot: isCount,
      pid: isCount,
      'threadId?': isCount,
      generation: isCount,
      state: isName,
      startedAt: isDate,
      sockets: (sockets) => isListOf(sockets, 4096, isCount),
      'paths?': (paths) => isListOf(paths, 4096, isName),
    })
  const isStatus = (value: unknown): boolean =>
    hasMembers(value, {
      pid: isCount,
      script: isName,
      state: isName,
      generation: isCount,
      startedAt: isDate,
      workers: (workers) => isListOf(workers, 4096, isWorker),
    })

  function check(value: unknown, outcomes: Outcomes): void {
    let status: SupervisorStatus
    try {
      status = parseStatus(value)
    } catch (error) {
      outcomes.refused++
      expect(error).toSatisfy(isProtocolError)
      return
    }
    outcomes.accepted++
    expect(status).toSatisfy(isStatus)
  }

  const count = fc.maxSafeNat()
  const date = fc.date({ noInvalidDate: true }).map((one) => one.toISOString())
  const base = { pid: count, generation: count, state: fc.string(), startedAt: date }
  const worker = fc.record(
    {
      ...base,
      slot: count,
      threadId: count,
      sockets: fc.array(count, { maxLength: 4 }),
      paths: fc.array(fc.string(), { maxLength: 3 }),
    },
    { requiredKeys: ['pid', 'generation', 'state', 'startedAt', 'slot', 'sockets'] },
  )
  const valid = fc.record({ ...base, script: fc.string(), workers: fc.array(worker, { maxLength: 3 }) })

  test('every valid status comes back', () => {
    fc.assert(
      fc.property(valid, (status) => {
        const answer = parseAnswer(formatAnswer({ kind: 'done', value: status }))
        const value = answer.kind === 'done' ? answer.value : undefined
        expect(parseStatus(value)).toStrictEqual(JSON.parse(JSON.stringify(status)))
      }),
      RUNS,
    )
  })

  test('any JSON value: a status or an error of this protocol', () => {
    fc.assert(
      fc.property(jsonValue, (value) => check(JSON.parse(toLine(value)), new Outcomes())),
      RUNS,
    )
  })

  test('a status with mistakes: the same', () => {
    const outcomes = new Outcomes()
    fc.assert(
      fc.property(mutatedJson(valid), (value) => check(JSON.parse(toLine(value)), outcomes)),
      RUNS,
    )
    expect(outcomes.fewest).toBeGreaterThan(50)
  })
})

function toLine(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}
