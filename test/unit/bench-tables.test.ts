import { describe, expect, test } from 'vitest'
import type { Result, Sheet } from '../../bench/common/benchmark.js'
import { resultMarkdown, sheetMarkdown, withTables } from '../../bench/common/markdown.js'
import { drawing } from '../../bench/common/svg.js'
import { table } from '../../bench/common/table.js'
import { DOCUMENTS, documentOf } from '../../bench/tables.js'

const spread = (median: number, by = 0) => ({ median, low: median - by, high: median + by })

const sheet: Sheet = {
  title: 'A connection per request',
  note: 'with 2 workers',
  ours: 'listenReusePort',
  columns: [
    { value: 'micros', heading: 'CPU µs/req', digits: 1 },
    { value: 'rate', heading: 'req/s' },
  ],
  compared: ['micros'],
  rows: [
    {
      competitor: 'ours',
      label: 'listenReusePort',
      rounds: 3,
      values: { micros: spread(50.04, 1), rate: spread(9000.4) },
      ratios: {},
    },
    {
      competitor: 'rr',
      label: 'cluster | <rr>',
      rounds: 3,
      values: { micros: spread(130), rate: spread(4000) },
      ratios: { micros: spread(2.6, 0.1) },
    },
  ],
}

const result: Result = {
  name: 'accept',
  date: '2026-01-02T03:04:05.678Z',
  command: 'npm run bench -- accept --save',
  machine: { cpu: 'A CPU', cores: 2, kernel: '6.18', load: 0.1 },
  versions: { reuseport: '0.1.0', node: '24.21.0', commit: undefined },
  seconds: 60,
  quick: false,
  skipped: { pm2: 'it did not install' },
  errors: [],
  parts: { connections: sheet, requests: { ...sheet, title: 'Kept connections' } },
}
const resultOf = (name: string) => (name === 'accept' ? result : undefined)

test('a sheet as Markdown', () => {
  expect(sheetMarkdown(sheet).split('\n')).toEqual([
    '|                    | CPU µs/req          | req/s | CPU µs/req, to ours |',
    '| ------------------ | ------------------- | ----- | ------------------- |',
    '| listenReusePort    | 50.0 (49.0 to 51.0) | 9,000 |                     |',
    '| cluster \\| &lt;rr> | 130.0               | 4,000 | 2.60 (2.50 to 2.70) |',
  ])
})

test('a result tells when, where and with what it was measured, and what was not', () => {
  const text = resultMarkdown(result)
  expect(text).toContain('2026-01-02, 2 x A CPU, Linux 6.18; reuseport 0.1.0, node 24.21.0.')
  expect(text).toContain('`npm run bench -- accept --save`')
  expect(text).toContain('Not measured: pm2, it did not install')
  expect(text).toContain('Kept connections')
  expect(resultMarkdown(result, 'connections')).not.toContain('Kept connections')
  expect(() => resultMarkdown(result, 'nothing')).toThrow("no part 'nothing'")
})

test('a sheet of another form, as tail has it', () => {
  const rows = [{ workers: 4, way: 'joins', setting: '10 ms', values: { p99: spread(7.4) }, ratios: {} }]
  expect(sheetMarkdown({ title: 'Waits', rows })).toContain('| joins, 10 ms, 4 workers | 7.4 |')
})

describe('tables in a document', () => {
  const marked = (name: string, body = '') => `Before\n<!-- bench:${name} -->\n${body}<!-- /bench:${name} -->\nAfter\n`

  test('are written between the markers, and what was there goes', () => {
    const written = withTables(marked('accept', 'an old table\n'), resultOf)
    expect(written).toBe(`Before\n<!-- bench:accept -->\n\n${resultMarkdown(result)}\n<!-- /bench:accept -->\nAfter\n`)
    expect(withTables(written, resultOf)).toBe(written)
  })

  test('may be those of one part, and several', () => {
    const written = withTables(marked('accept/requests') + marked('accept/connections'), resultOf)
    expect(written).toContain(resultMarkdown(result, 'requests'))
    expect(written).toContain(resultMarkdown(result, 'connections'))
    expect(withTables(written, resultOf)).toBe(written)
  })

  test('may have some of the columns', () => {
    const text = '<!-- bench:accept/connections rate -->\n<!-- /bench:accept/connections -->\n'
    const written = withTables(text, resultOf)
    expect(written).toContain('| listenReusePort    | 9,000 |\n')
    expect(written).not.toContain('CPU µs/req')
    expect(withTables(written, resultOf)).toBe(written)
    expect(() => withTables(text.replace(' rate', ' nothing'), resultOf)).toThrow("has no column 'nothing'")
  })

  test('a marker without a result, and one without an end, are errors', () => {
    expect(() => withTables(marked('nothing'), resultOf)).toThrow('no bench/results/nothing.json')
    expect(() => withTables('<!-- bench:accept -->\n', resultOf)).toThrow('accept has no end')
    expect(withTables('A document without markers\n', resultOf)).toBe('A document without markers\n')
  })

  test.each(DOCUMENTS)('those of %s are what bench/results says (if not: npm run bench -- tables)', (name) => {
    const { text, rendered } = documentOf(name)
    expect(text).toBe(rendered)
  })
})

test('a table for the terminal has quartiles below the medians where there is a spread', () => {
  const style = { bold: (text: string) => text, dim: (text: string) => text }
  expect(table(sheet, style).split('\n')).toEqual([
    'A connection per request',
    '                     CPU µs/req  req/s  CPU µs/req, to ours',
    'listenReusePort            50.0  9,000',
    '                   49.0 to 51.0',
    'cluster | <rr>            130.0  4,000                 2.60',
    '                                               2.50 to 2.70',
    '  with 2 workers',
    '  ours: listenReusePort',
  ])
})

test('a drawing has a bar for each competitor, in proportion, and escapes texts', () => {
  const svg = drawing({ title: 'accept', note: 'a & b' }, [sheet])
  const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [kind, width])
  expect(widths).toEqual([
    ['ours', '157.8'],
    ['theirs', '410'],
  ])
  expect(svg).toContain('cluster | &lt;rr&gt;')
  expect(svg).toContain('a &amp; b')
  expect(svg).toContain('2.60 × ours')
})
