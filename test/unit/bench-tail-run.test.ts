import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const bench = fileURLToPath(new URL('../../bench/index.js', import.meta.url))

function run(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bench, 'tail', ...args], { encoding: 'utf8' })
}

const spread = { median: expect.any(Number), low: expect.any(Number), high: expect.any(Number) }

test('a quick run of one part prints what it measured of each way as JSON', { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = run('--quick', '--only', 'blocked', '--workers', '2')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({
    machine: { cpu: expect.any(String), kernel: expect.any(String), cores: expect.any(Number) },
    versions: { reuseport: expect.any(String), node: process.versions.node },
    command: 'npm run bench -- tail --quick --only blocked --workers 2',
    quick: true,
    errors: [],
  })
  expect(Object.keys(result.parts)).toEqual(['blocked'])
  const { rows } = result.parts.blocked
  expect(rows.map(({ way }: { way: string }) => way)).toEqual(['hash', 'joins', 'rr', 'shared'])
  for (const row of rows) {
    expect(row).toMatchObject({ workers: 2, rounds: 1, lateness: spread, generator: spread })
    expect(row.values).toMatchObject({ p50: spread, p95: spread, p99: spread, p999: spread, free999: spread })
    expect(row.values.failed.median).toBe(0)
  }
})

test.each([['--only', 'nothing'], ['--workers', '0'], ['--unknown']])('%s %s is wrong usage', (...args) => {
  const { status, stderr } = run(...args)
  expect(status).toBe(2)
  expect(stderr).toContain('Usage: npm run bench -- tail')
})
