import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BENCHMARKS } from '../../bench/benchmarks.js'
import type { Benchmark } from '../../bench/common/benchmark.js'
import { measureAndShow } from '../../bench/common/run.js'
import { megabytes } from '../../bench/memory/index.js'

const bench = fileURLToPath(new URL('../../bench/index.js', import.meta.url))
const run = (...args: readonly string[]) => spawnSync(process.execPath, [bench, ...args], { encoding: 'utf8' })
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bench-test-'))
})

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  rmSync(folder, { recursive: true })
})

test('a benchmark is measured, shown and saved; who cannot be had or fails is told, and does not stop the others', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  const turns: string[] = []
  const steps: string[] = []
  const benchmark: Benchmark = {
    name: 'example',
    help: 'Compares.',
    competitors: {
      ours: { label: 'ours' },
      core: { label: 'core', prepare: () => '1.2.3' },
      gone: {
        label: 'gone',
        prepare() {
          throw new Error('the registry does not answer')
        },
      },
      faulty: { label: 'faulty' },
    },
    prepare: () => void steps.push('prepare'),
    finish: () => void steps.push('finish'),
    versions: { load: 'wrk' },
    parts: [
      {
        name: 'part',
        title: 'A part',
        columns: [{ value: 'micros', heading: 'µs' }],
        compared: ['micros'],
        ours: 'ours',
        competitors: ['ours', 'core', 'gone', 'faulty'],
        extent: () => ({ rounds: 4, seconds: 1 }),
        async measure({ competitor, round }) {
          turns.push(`${round} ${competitor}`)
          if (competitor === 'faulty') throw new Error('does not start')
          return { micros: competitor === 'ours' ? 10 : 20 }
        },
      },
    ],
  }
  await measureAndShow(benchmark, ['--json', '--save-in', folder])

  const saved = JSON.parse(readFileSync(path.join(folder, 'example.json'), 'utf8'))
  expect(JSON.parse(String(log.mock.lastCall?.[0]))).toEqual(saved)
  expect(saved).toMatchObject({
    name: 'example',
    date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    command: `npm run bench -- example --json --save-in ${folder}`,
    machine: { cpu: expect.any(String), cores: expect.any(Number), kernel: expect.any(String) },
    versions: { reuseport: expect.any(String), node: expect.any(String), load: 'wrk', core: '1.2.3' },
    skipped: { gone: 'the registry does not answer' },
    errors: ['part, faulty, round 1: does not start', 'part, faulty, round 2: does not start'],
  })
  const rows: readonly { label: string; ratios: Record<string, { median: number }> }[] = saved.parts.part.rows
  expect(rows.map(({ label, ratios }) => [label, ratios['micros']?.median])).toEqual([
    ['ours', undefined],
    ['core', 2],
  ])
  expect(turns).toHaveLength(4 + 4 + 2)
  expect(steps).toEqual(['prepare', 'finish'])
  expect(readFileSync(path.join(folder, 'example.svg'), 'utf8')).toContain('2.00 × ours')
  expect(error).toHaveBeenCalledTimes(2)
  expect(process.exitCode).toBe(1)
})

test('the help of the command has a line for each benchmark', () => {
  for (const args of [[], ['--help']]) {
    const { status, stdout } = run(...args)
    expect(status).toBe(0)
    for (const name of [...Object.keys(BENCHMARKS), 'listen', 'import']) expect(stdout).toContain(`\n  ${name} `)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  }
})

test.each(['accept', 'udp', 'inspect', 'memory'])('%s has a help of 80 columns', (name) => {
  const { status, stdout } = run(name, '--help')
  expect(status).toBe(0)
  expect(stdout).toContain(`Usage: npm run bench -- ${name} [options]`)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

test.each([['nothing'], ['constructor'], ['listen', 'accept'], ['listen', '--rounds', '0'], ['accept', '--only', 'x']])(
  '%s %s %s is wrong usage',
  (...args) => {
    const { status, stderr } = run(...args)
    expect(status).toBe(2)
    expect(stderr).toContain('Usage: npm run bench -- ')
  },
)

test('megabytes of a field of smaps_rollup', () => {
  const text = '55d0-7ffd ---p 00000000 00:00 0    [rollup]\nRss:    2048 kB\nPss:    1536 kB\nPss_Dirty:  512 kB\n'
  expect(megabytes(text, 'Pss')).toBe(1.5)
  expect(megabytes(text, 'Private_Clean')).toBeNaN()
})
