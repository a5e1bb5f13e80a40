import { describe, expect, test } from 'vitest'
import { helpOf, readArguments, WrongUsage } from '../../bench/common/arguments.js'
import type { Benchmark, Part } from '../../bench/common/benchmark.js'
import { number, range, spreadText } from '../../bench/common/numbers.js'
import { orderOf, plan, secondsOf } from '../../bench/common/plan.js'
import { microsPer, parseStat, treeOf } from '../../bench/common/processes.js'
import { rowsOf } from '../../bench/common/rows.js'

function part(name: string, competitors: readonly string[], rounds = 2): Part {
  return {
    name,
    title: `about ${name}`,
    columns: [{ value: 'micros', heading: 'µs' }],
    compared: ['micros'],
    ours: 'ours',
    competitors,
    extent: (quick) => ({ rounds: quick ? 1 : rounds, seconds: 3 }),
    measure: async () => ({ micros: 1 }),
  }
}

const benchmark: Benchmark = {
  name: 'accept',
  help: 'Compares.',
  competitors: { ours: { label: 'this library' }, core: { label: 'core' }, pm2: { label: 'pm2' } },
  parts: [part('connections', ['ours', 'core', 'pm2']), part('requests', ['ours', 'core'])],
}

describe('the order of turns', () => {
  test.each([2, 3, 4, 5, 8, 11])('of %i: each comes at each place and after each other equally often', (count) => {
    const items = Array.from({ length: count }, (_, index) => index)
    const rounds = count % 2 === 0 ? count : 2 * count
    const orders = Array.from({ length: rounds }, (_, round) => orderOf(items, round))
    const places = new Map<string, number>()
    const pairs = new Map<string, number>()
    for (const order of orders) {
      expect(order.toSorted((a, b) => a - b)).toEqual(items)
      for (const [place, item] of order.entries()) {
        places.set(`${item}@${place}`, (places.get(`${item}@${place}`) ?? 0) + 1)
        const before = order[place - 1]
        if (before !== undefined) pairs.set(`${before}>${item}`, (pairs.get(`${before}>${item}`) ?? 0) + 1)
      }
    }
    expect(places.size).toBe(count * count)
    expect(new Set(places.values()).size).toBe(1)
    expect(pairs.size).toBe(count * (count - 1))
    expect(new Set(pairs.values()).size).toBe(1)
  })

  test('of one, and of none', () => {
    expect(orderOf(['a'], 5)).toEqual(['a'])
    expect(orderOf([], 0)).toEqual([])
  })

  test('a plan has a turn for each competitor that is present, in each round of each part', () => {
    const turns = plan(benchmark.parts, { competitors: ['ours', 'pm2'], quick: false })
    expect(turns.map(({ part, competitor, round }) => `${part.name} ${round} ${competitor}`)).toEqual([
      'connections 0 ours',
      'connections 0 pm2',
      'connections 1 pm2',
      'connections 1 ours',
      'requests 0 ours',
      'requests 1 ours',
    ])
    expect(secondsOf(turns)).toBe(18)
    expect(plan(benchmark.parts, { competitors: ['ours'], quick: true })).toHaveLength(2)
    expect(plan(benchmark.parts, { competitors: ['ours'], quick: true, rounds: 7 })).toHaveLength(14)
  })
})

describe('arguments', () => {
  const surroundings = { isTerminal: true, results: '/results' }
  const read = (...args: readonly string[]) => readArguments(benchmark, args, surroundings)

  test('without any, all is measured and nothing saved', () => {
    expect(read()).toMatchObject({
      json: false,
      quick: false,
      help: false,
      folder: undefined,
      rounds: undefined,
      parts: benchmark.parts,
      competitors: ['ours', 'core', 'pm2'],
    })
  })

  test('JSON is what a pipe gets', () => {
    expect(readArguments(benchmark, [], { ...surroundings, isTerminal: false }).json).toBe(true)
    expect(read('--json').json).toBe(true)
  })

  test('parts and competitors by name; ours is always among them', () => {
    const asked = read('--only', 'requests', '--against', 'core', '-r', '7')
    expect(asked.parts.map(({ name }) => name)).toEqual(['requests'])
    expect(asked.competitors).toEqual(['ours', 'core'])
    expect(asked.rounds).toBe(7)
  })

  test('where results are saved', () => {
    expect(read('--save').folder).toBe('/results')
    expect(read('--save-in', '/elsewhere').folder).toBe('/elsewhere')
  })

  test.each([
    ['--only', 'nothing', "--only takes some of connections,requests, not 'nothing'"],
    ['--against', 'nobody', "--against takes some of ours,core,pm2, not 'nobody'"],
    ['--rounds', '0', "--rounds takes a whole number from 1 to 100, not '0'"],
    ['--rounds', '1.5', "--rounds takes a whole number from 1 to 100, not '1.5'"],
    ['--unknown', '', "Unknown option '--unknown'"],
    ['stranger', '', "Unexpected argument 'stranger'"],
  ])('%s %s is wrong usage', (option, value, message) => {
    const args = value === '' ? [option] : [option, value]
    expect(() => read(...args)).toThrow(WrongUsage)
    expect(() => read(...args)).toThrow(message)
  })

  test('the help names parts and competitors, in 80 columns', () => {
    const help = helpOf(benchmark)
    for (const text of ['about connections', 'this library', 'bench/results/accept.json']) expect(help).toContain(text)
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })
})

describe('rows', () => {
  const setting = { competitors: ['ours', 'core', 'pm2'], ours: 'ours', compared: ['micros'], labels: { ours: 'us' } }
  const entries = [
    { competitor: 'ours', round: 0, values: { micros: 10 } },
    { competitor: 'core', round: 0, values: { micros: 11 } },
    { competitor: 'core', round: 1, values: { micros: 24 } },
    { competitor: 'ours', round: 1, values: { micros: 20, longest: Number.NaN } },
    { competitor: 'core', round: 2, values: { micros: 500 } },
  ]

  test('ratios are of the same rounds, theirs to ours; who was not measured has no row', () => {
    const [own, core, ...rest] = rowsOf(entries, setting)
    expect(rest).toEqual([])
    expect(own).toEqual({
      competitor: 'ours',
      label: 'us',
      rounds: 2,
      values: { micros: { median: 15, low: 12.5, high: 17.5 } },
      ratios: {},
    })
    expect(core).toMatchObject({ competitor: 'core', label: 'core', rounds: 3 })
    expect(core?.ratios['micros']?.low).toBeCloseTo(1.125)
    expect(core?.ratios['micros']?.median).toBeCloseTo(1.15)
  })

  test('without ours there are no ratios', () => {
    expect(
      rowsOf(
        entries.filter(({ competitor }) => competitor === 'core'),
        setting,
      )[0]?.ratios,
    ).toEqual({})
  })
})

describe('processor time', () => {
  const line = (pid: number, parent: number, user: number, ended = 0) =>
    `${pid} (a) (b) S ${parent} 1 1 0 -1 0 0 0 0 0 ${user} 50 ${ended} 7 20 0 1 0 100`

  test('a line of stat, with the times of children that have ended', () => {
    expect(parseStat(line(41, 40, 150, 30))).toEqual({ pid: 41, parent: 40, user: 1.8, system: 0.57 })
  })

  test('a tree is the roots and all below them', () => {
    const all = [line(1, 0, 0), line(40, 1, 0), line(43, 42, 0), line(42, 40, 0), line(50, 1, 0), line(51, 50, 0)]
    const pids = (...roots: number[]) =>
      treeOf(all.map(parseStat), roots)
        .map(({ pid }) => pid)
        .toSorted()
    expect(pids(40)).toEqual([40, 42, 43])
    expect(pids(40, 42)).toEqual([40, 42, 43])
    expect(pids(50, 42)).toEqual([42, 43, 50, 51])
    expect(pids(99)).toEqual([])
  })

  test('microseconds for each request', () => {
    expect(microsPer({ user: 1, system: 2 }, { user: 1.5, system: 2.1 }, 10_000)).toEqual({
      user: 50,
      system: expect.closeTo(10),
      micros: expect.closeTo(60),
    })
  })
})

test('numbers have four digits at most, and a spread only where there is one', () => {
  expect(number(12_345.67, 2)).toBe('12,346')
  expect(number(12.345, 2)).toBe('12.35')
  expect(range({ median: 2, low: 1, high: 3 }, 1)).toBe('1.0 to 3.0')
  expect(spreadText({ median: 2, low: 1, high: 3 })).toBe('2 (1 to 3)')
  expect(spreadText({ median: 2, low: 2, high: 2 })).toBe('2')
  expect(spreadText(undefined)).toBe('')
})
