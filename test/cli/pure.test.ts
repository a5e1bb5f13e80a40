import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseFlags, toPorts, UsageError } from '../../src/cli/arguments.js'
import { shortCommand } from '../../src/cli/command-text.js'
import { differences, groupTable } from '../../src/cli/group-table.js'
import { age, bar, cut, printable, printableLines, screenOf, toJson } from '../../src/cli/terminal.js'
import type { Group, GroupMember } from '../../src/index.js'
import { CVE_2026_46015, CVE_2026_52910, hasFix, isAtLeast, parseRelease } from '../../src/system/kernel-versions.js'

const NOW = Date.UTC(2026, 0, 2)

function member(pid: number, more: Partial<GroupMember> = {}): GroupMember {
  return {
    inode: 1000 + pid,
    cookie: pid.toString(16),
    uid: 1000,
    user: 'www-data',
    pid,
    command: 'node /srv/app/server.js --port 8080 --cluster',
    startedAt: new Date(NOW - 90_000 * pid),
    self: false,
    hidden: false,
    address: '::',
    port: 8080,
    family: 'IPv6',
    queued: 0,
    backlog: 511,
    drops: 0,
    state: 'listening',
    established: 12,
    ...more,
  }
}

function group(...members: readonly GroupMember[]): Group {
  const base = { protocol: 'tcp', family: 'IPv6', address: '::', port: 8080, ipv6Only: false } as const
  return { ...base, device: undefined, uid: 1000, members }
}

const GROUP = group(
  member(41, { queued: 128 }),
  member(42, { queued: 511, drops: 73, self: true }),
  member(4300, { command: 'python3 evil\x1b[2J.py', user: 'www-data' }),
  member(1, { pid: undefined, command: undefined, startedAt: undefined, hidden: true, established: undefined }),
)

describe('the table', () => {
  test.each([undefined, 200, 80, 40])('at a width of %s', (columns) => {
    const screen = { columns, rows: columns && 24, coloured: false }
    const table = groupTable([GROUP, group(member(7, { queued: 1 }))], screen, NOW)
    expect(table).toMatchSnapshot()
    for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(columns ?? 1000)
  })

  test('colours, and rates', () => {
    const screen = { columns: 80, rows: 24, coloured: true }
    expect(groupTable([GROUP], screen, NOW, { drops: new Map([['2a', 3.25]]) })).toMatchSnapshot()
  })

  test('a device, fast rates, a user without a name, a queue without room, workers that are not ready', () => {
    const [starting, stranger] = [
      member(2, { user: undefined, backlog: 0, drops: undefined, cookie: 'a' }),
      member(3, { command: undefined }),
    ]
    const one = { ...group(starting, stranger), device: 3 }
    const worker = { supervisor: 1, pid: 2, slot: 3, generation: 2, state: 'starting' } as const
    const workers = new Map([[starting.inode, worker]])
    const rates = { drops: new Map([['a', 12.5]]) }
    const table = groupTable([one], { columns: 160, rows: 24, coloured: false }, NOW, rates, workers)
    const [head, , first, second] = table.split('\n')
    expect(head).toMatch(/^tcp \[::\]:8080 device 3 {2}2 members/)
    expect(first).toMatch(/^ +2 +3 gen 2 starting +1000 +\S* ?0\/0 +\? \+13\/s +12 /)
    expect(second).toMatch(/^ +3 +- +www-data .* \?$/)
  })

  test.each([
    ['/usr/bin/node server.js', 30, '/usr/bin/node server.js'],
    ['/usr/bin/node server.js', 14, 'node server.js'],
    ['/usr/bin/node --a --b=/c /srv/releases/2/server.js --port 80', 40, 'node --a --b=/c …/server.js --port 80'],
    ['/usr/bin/node --a --b=/c /srv/releases/2/server.js --port 80', 30, 'node … …/server.js --port 80'],
    ['/usr/bin/node --a --b=/c /srv/releases/2/server.js --port 80', 24, 'node … …/server.js --po…'],
    ['/usr/bin/node --a --b=/c /srv/releases/2/server.js --port 80', 18, 'node … …/server.js'],
    ['/usr/bin/node --a --b=/c /srv/releases/2/server.js --port 80', 14, 'node server.js'],
    ['/usr/bin/node /srv/server.js', 9, 'server.js'],
    ['/usr/bin/node /srv/server.js', 6, 'serve…'],
    ['/usr/bin/node --inspect', 8, 'node --…'],
    ['', 0, ''],
  ])('the command %s in %i columns', (command, width, text) => {
    expect(shortCommand(command, width)).toBe(text)
  })

  test('members that run one program by another path to node do not differ', () => {
    const [one, other] = [member(1, { command: '/usr/bin/node app.js' }), member(2, { command: 'node app.js' })]
    expect(differences(group(one, other))).toBeUndefined()
    expect(differences(group(one, member(3, { command: 'node app.js 2' })))).toBe('members differ in command')
  })

  test('nothing', () => {
    expect(groupTable([], { columns: 80, rows: 24, coloured: true }, NOW)).toBe('No group.\n')
  })

  test('members that differ are marked, hidden ones are not counted', () => {
    expect(differences(group(member(1), member(2)))).toBeUndefined()
    expect(differences(group(member(1), member(2, { uid: 0 })))).toBe('members differ in user')
    expect(differences(GROUP)).toBe('members differ in command')
    expect(differences(group(member(1), member(2, { hidden: true, command: undefined })))).toBeUndefined()
  })
})

test('text', () => {
  expect([0, 0.001, 0.5, 1, 9].map((share) => bar(share, 4))).toEqual(['····', '▏···', '██··', '████', '████'])
  expect(['abcd', 'abcde', 'ab'].map((text) => cut(text, 4))).toEqual(['abcd', 'abc…', 'ab'])
  expect([0, 1, 2].map((width) => cut('abc', width))).toEqual(['', 'a', 'a…'])
  expect(printable('a\x1b[2J\tb\u0085')).toBe('a?[2J?b?')
  const ago = (seconds: number) => age(new Date(NOW - 1000 * seconds), NOW)
  expect([-5, 0, 59, 60, 3599, 3600, 86_399, 86_400].map(ago)).toEqual([
    '0s',
    '0s',
    '59s',
    '1m',
    '59m',
    '1h',
    '23h',
    '1d',
  ])
})

describe('text of other processes', () => {
  /** By code point, unlike the expression that replaces them. */
  function isControl(character: string): boolean {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true
    if (code === 0x2028 || code === 0x2029 || (code >= 0xd800 && code < 0xe000)) return true
    return /\p{Cf}/u.test(character)
  }
  const controls = (text: string): readonly string[] => [...text].filter(isControl)

  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
  const hostile = fc.constantFrom(
    ...['\x1b[2J', '\x1b]0;title\x07', '\x9b', '\0', '\x7f', '\t', '\r', '\n', '\r\n', '\b', '\u2028', '\u2029'],
    ...['\u202e', '\u2066', '\u200b', '\ufeff', '\u00ad', '\u{e0001}', '\ud83d', '\ude00', '\u{1f600}', '"', '\\'],
  )
  const text = fc
    .array(
      fc.oneof(
        hostile,
        units.map((codes) => String.fromCharCode(...codes)),
        fc.string(),
      ),
    )
    .map((parts) => parts.join(''))

  test.each([
    ['a\nb\r\nc', 'a b c', 'a\nb\nc'],
    ['a\rb', 'a?b', 'a?b'],
    ['\x1b[31mred\x1b[0m', '?[31mred?[0m', '?[31mred?[0m'],
    ['\u202eevil\u2066\u200b', '?evil??', '?evil??'],
    ['\ud83d\n\ude00', '? ?', '?\n?'],
    ['\u{e0001}\u{1f600} é 漢', '?\u{1f600} é 漢', '?\u{1f600} é 漢'],
    ['\u2028\u2029\u0085', '???', '???'],
    ['', '', ''],
  ])('%j', (given, line, lines) => {
    expect(printable(given)).toBe(line)
    expect(printableLines(given)).toBe(lines)
  })

  test('no character of Unicode controls a terminal', () => {
    const all = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code))
    const bad = new Set(all.filter(isControl))
    // Cc has 65 characters, Cf 170 in Unicode 15, and 2048 are halves of others.
    expect(bad.size).toBeGreaterThanOrEqual(65 + 2 + 2048 + 160)
    // Between spaces, so that halves do not become whole.
    const given = all.join(' ')
    const shown = all.map((one) => (one === '\n' ? ' ' : bad.has(one) ? '?' : one)).join(' ')
    expect(printable(given) === shown).toBe(true)
    const json = toJson(given)
    expect([...json].filter((one) => bad.has(one))).toEqual([])
    expect(JSON.parse(json) === given).toBe(true)
  })

  test('no text has a control character in a line, or another one than line breaks in lines', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(controls(printable(given))).toEqual([])
        const lines = printableLines(given).split('\n')
        expect(lines.flatMap(controls)).toEqual([])
        expect(lines.length).toBe(given.split('\n').length)
        // Other characters stay, in their order.
        const others = (one: string): string => [...one].filter((character) => !/[?\s]/.test(character)).join('')
        expect(others(printable(given))).toBe(others([...given].filter((one) => !isControl(one)).join('')))
      }),
      { numRuns: 2000 },
    )
  })

  test('JSON has none either, and is the JSON of the same value', () => {
    const value = fc.oneof(
      fc.object({ key: text, values: [text, fc.double(), fc.boolean(), fc.constant(null)], maxDepth: 2 }),
      fc.jsonValue(),
      text,
    )
    fc.assert(
      fc.property(value, fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }), (given, indent) => {
        const json = toJson(given, indent)
        const shown = controls(json)
        expect(shown.every((one) => one === '\n' && indent !== undefined)).toBe(true)
        expect(json.split('\n').length).toBe(JSON.stringify(given, undefined, indent).split('\n').length)
        expect(JSON.stringify(JSON.parse(json))).toBe(JSON.stringify(given))
      }),
      { numRuns: 2000 },
    )
    expect(toJson('\x7f\u202e\u{e0001}\ud800\n')).toBe('"\\u007f\\u202e\\udb40\\udc01\\ud800\\n"')
  })
})

test('where there is a terminal, and where NO_COLOR is set', () => {
  const terminal = { isTTY: true, columns: 100, rows: 30 }
  expect(screenOf({}, {})).toEqual({ columns: undefined, rows: undefined, coloured: false })
  expect(screenOf(terminal, {})).toEqual({ columns: 100, rows: 30, coloured: true })
  expect(screenOf({ isTTY: true }, {})).toMatchObject({ columns: 80, rows: 24 })
  expect(screenOf(terminal, { NO_COLOR: '1' }).coloured).toBe(false)
  expect(screenOf(terminal, { NO_COLOR: '' }).coloured).toBe(true)
  expect(screenOf(terminal, { TERM: 'dumb' }).coloured).toBe(false)
})

describe('arguments', () => {
  const FLAGS = { json: 'boolean', watch: 'seconds', help: 'boolean' } as const

  test.each([
    [['80', '--json', '443'], { '--json': true }, ['80', '443']],
    [['-h'], { '--help': true }, []],
    [['--watch'], { '--watch': true }, []],
    [['--watch', '5'], { '--watch': 5 }, []],
    [['--watch', '8080'], { '--watch': true }, ['8080']],
    [['--watch=0.5', '80'], { '--watch': 0.5 }, ['80']],
    [['80', '--watch', '--json'], { '--watch': true, '--json': true }, ['80']],
  ])('%j', (args, flags, rest) => {
    const parsed = parseFlags(args, FLAGS)
    expect(Object.fromEntries(parsed.flags)).toEqual(flags)
    expect(parsed.rest).toEqual(rest)
  })

  test.each([
    [['--jsn'], 'There is no option --jsn. Did you mean --json?'],
    [['-x'], 'There is no option -x'],
    [['--json=1'], '--json takes no value'],
    [['--watch=x'], "--watch takes a number of seconds from 0.1 to 3600, not 'x'"],
    [['--watch', '0'], "--watch takes a number of seconds from 0.1 to 3600, not '0'"],
    [['--watch=9999'], "--watch takes a number of seconds from 0.1 to 3600, not '9999'"],
  ])('%j is refused', (args, message) => {
    expect(() => parseFlags(args, FLAGS)).toThrow(new UsageError(message))
  })

  test('ports', () => {
    expect(toPorts(['1', '65535'])).toEqual([1, 65_535])
    for (const text of ['0', '65536', 'http', '80.0', '-1', ' 80', '']) {
      expect(() => toPorts([text])).toThrow(
        new UsageError(`'${text}' is not a port: a port is a number from 1 to 65535`),
      )
    }
  })
})

test('kernels and their fixes', () => {
  expect(parseRelease('6.18.44-fc')).toEqual([6, 18, 44])
  expect(parseRelease('5.10')).toEqual([5, 10, 0])
  expect(parseRelease('Darwin')).toBeUndefined()
  expect(['6.1.9', '6.2.0', '7.0.1', 'x'].map((release) => isAtLeast(release, 6, 2))).toEqual([
    false,
    true,
    true,
    false,
  ])
  const of = (fix: typeof CVE_2026_46015) => (release: string) => hasFix(release, fix)
  expect(['6.18.26', '6.18.27', '6.17.9', '7.1.0', '8.0.0', '4.19.1', 'x'].map(of(CVE_2026_46015))).toEqual([
    ...['no', 'yes', 'no', 'yes', 'yes', 'no', 'unknown'],
  ])
  expect(['6.12.92', '6.12.93', '6.18.44', '7.1.0'].map(of(CVE_2026_52910))).toEqual([
    'no',
    'yes',
    'unknown',
    'unknown',
  ])
})
