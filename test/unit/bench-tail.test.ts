import { expect, test } from 'vitest'
import { type Part, plan } from '../../bench/tail/plan.js'
import { ticksOf } from '../../bench/tail/processor-time.js'
import { during, isCaught, latencies, type Sample } from '../../bench/tail/samples.js'
import { type Entry, LATE, rowsOf } from '../../bench/tail/sheet.js'
import { drawing } from '../../bench/tail/svg.js'
import { table } from '../../bench/tail/table.js'

const WAYS = { hash: 'hash', joins: 'joins', rr: 'round robin', shared: 'shared handle' }
const plain = { bold: (text: string) => text, dim: (text: string) => text }

function part(name: string, rounds: number): Part {
  return {
    name,
    title: () => name,
    columns: [],
    compared: [],
    ways: ['hash', 'joins', 'rr'],
    extent: () => ({ rounds, seconds: 1 }),
    measure: async () => [],
  }
}

test('each way has its turn in each round, and another one comes first', () => {
  const turns = plan([part('a', 3), part('b', 1)], { workers: [2, 4], quick: false })
  const orders = turns.filter((turn) => turn.part.name === 'a' && turn.workers === 2).map(({ way }) => way)
  expect(orders).toEqual(['hash', 'joins', 'rr', 'joins', 'rr', 'hash', 'rr', 'hash', 'joins'])
  expect(turns).toHaveLength(24)
  expect(turns.slice(0, 6).map(({ workers }) => workers)).toEqual([2, 2, 2, 4, 4, 4])
})

test('a connection is caught where its worker had accepted it before it paused, and answers afterwards', () => {
  const sample = { at: 100, wait: 400, pid: 7, accepted: 101 }
  expect(isCaught(sample, [{ pid: 7, from: 102 }])).toBe(true)
  expect(isCaught({ ...sample, accepted: 480 }, [{ pid: 7, from: 102 }])).toBe(false)
  expect(isCaught({ ...sample, wait: 1 }, [{ pid: 7, from: 102 }])).toBe(false)
  expect(isCaught(sample, [{ pid: 8, from: 102 }])).toBe(false)
  // The kernel had given it to the worker, whose program has heard of it later.
  const later = { ...sample, accepted: 480, port: 5000 }
  expect(isCaught(later, [{ pid: 7, from: 102, held: new Set([5000]) }])).toBe(true)
  expect(isCaught(later, [{ pid: 7, from: 102, held: new Set([5001]) }])).toBe(false)
  expect(isCaught(later, [{ pid: 7, from: 99, held: new Set([5000]) }])).toBe(false)
})

test('latencies of all, and of those that were not caught; failures have none', () => {
  const samples: Sample[] = [
    { at: 0, wait: 400, pid: 7, accepted: 1 },
    { at: 10, wait: 2, pid: 8, accepted: 11 },
    { at: 10, wait: 9, failure: 'ECONNRESET' },
    { at: 10, wait: 15_000, failure: 'timeout' },
  ]
  const found = latencies(samples, [{ pid: 7, from: 5 }])
  expect(found).toMatchObject({
    p50: 2,
    p999: 400,
    free999: 2,
    longestFree: 2,
    caught: 1,
    failed: 2,
    timeouts: 1,
    deviation: 199,
  })
})

test('under way during a gap', () => {
  const at = (time: number, wait: number): Sample => ({ at: time, wait, pid: 1, accepted: time })
  const inside = [at(0, 10), at(12, 1), at(20, 5), at(5, 50)]
  expect(during([at(0, 9), ...inside, at(21, 1)], { from: 10, to: 20 })).toEqual(inside)
})

function entry(way: string, round: number, p99: number, lateness = 0): Entry {
  return { workers: 2, way, round, lateness, cpu: 0.1, values: { p50: 1, p95: 10, p99, p999: 400 } }
}

const entries = [1, 2, 3].flatMap((round) => [entry('hash', round, 300 * round), entry('joins', round, 30 * round)])

test('a row has the quartiles of its rounds, and ratios within a round', () => {
  const [hash, joins] = rowsOf(entries, ['p99'])
  expect(hash).toMatchObject({ way: 'hash', rounds: 3, late: 0, values: { p99: { median: 600, low: 450, high: 750 } } })
  expect(hash?.ratios['p99']).toEqual({ median: 0.1, low: 0.1, high: 0.1 })
  expect(joins?.ratios).toEqual({})
})

test('rounds in which the generator was late are left out, unless all of them were', () => {
  const late = entry('hash', 4, 9000, LATE + 1)
  const [hash] = rowsOf([...entries, late, entry('joins', 4, 1)], ['p99'])
  expect(hash).toMatchObject({ rounds: 3, late: 1, values: { p99: { median: 600 } } })
  expect(hash?.ratios['p99']?.low).toBeCloseTo(0.1)
  const [alone] = rowsOf([late], ['p99'])
  expect(alone).toMatchObject({ rounds: 1, late: 1, isTimely: false, values: { p99: { median: 9000 } }, ratios: {} })
})

test('rows are sorted by workers and setting, in the order of their first round', () => {
  const settings = ['10 ms', '50 ms'].flatMap((setting) => [4, 2].map((workers) => ({ workers, setting })))
  const rows = rowsOf(
    settings.map((one) => ({ ...one, way: 'hash', round: 0, values: {} })),
    [],
  )
  expect(rows.map(({ workers, setting }) => [workers, setting])).toEqual([
    [2, '10 ms'],
    [2, '50 ms'],
    [4, '10 ms'],
    [4, '50 ms'],
  ])
})

const columns = ['p50', 'p95', 'p99', 'p999'].map((value) => ({ value, heading: value, digits: 1 }))

test('a table has the quartiles under the medians', () => {
  const text = table(
    { title: 'Title', columns, compared: ['p99'], note: 'a note' },
    rowsOf(entries, ['p99']),
    WAYS,
    plain,
  )
  expect(text.split('\n')).toEqual([
    'Title',
    'workers                  p50        p95        p99       p999       :p99',
    ' 2 hash                  1.0       10.0      600.0      400.0       0.10',
    '                     1.0-1.0  10.0-10.0    450-750    400-400  0.10-0.10',
    ' 2 joins                 1.0       10.0       60.0      400.0',
    '                     1.0-1.0  10.0-10.0  45.0-75.0    400-400',
    '  a note',
    '  :p99: that of joins to that of this way, in the same rounds',
    '  the load generator was late by 0.0 to 0.0 ms (p99), and took up to 0.10 CPU',
  ])
})

test('large, missing and late values do not break a table', () => {
  const huge = [1, 2].map((round) => ({ ...entry('rr', round, 123_456, LATE + 1), setting: '1000' }))
  const odd = [{ ...entry('hash', 1, Number.NaN), setting: '8' }]
  const lines = table({ title: 'T', columns, compared: [] }, rowsOf([...huge, ...odd], []), WAYS, plain).split('\n')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  expect(lines.join('\n')).toMatch(/round robin +1000 .*123,456/)
  expect(lines.join('\n')).toMatch(/\(all late\) .*123k-123k/)
  expect(lines.join('\n')).toMatch(/hash +8 .* - /)
  expect(lines.join('\n')).toMatch(/\(one round\)/)
})

test('a drawing is one well-formed document, with a dark mode and a dot for each percentile', () => {
  const text = drawing({ title: 'a < b & c', note: 'note' }, rowsOf(entries.slice(0, 2), []), WAYS)
  expect(text).toContain('a &lt; b &amp; c')
  expect(text).toContain('prefers-color-scheme:dark')
  expect(text).not.toMatch(/NaN|Infinity|undefined/)
  // Four in the legend, four for each way.
  expect(text.match(/<circle /g)).toHaveLength(12)
  const opened = text.match(/<(?!\/)[a-z]+/g) ?? []
  expect(text.match(/<\/|\/>/g)).toHaveLength(opened.length)
  // A larger latency is further to the right.
  const dots = [...text.matchAll(/<circle class="(p\d+)" cx="([\d.]+)" cy="(?!48)/g)].map(([, , x]) => Number(x))
  expect(dots.slice(0, 4)).toEqual(dots.slice(0, 4).toSorted((a, b) => a - b))
})

test('the processor time of a program with an odd name', () => {
  expect(ticksOf('7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 25 17 0 0 20 0 1')).toBe(42)
})
