import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Result } from '../../bench/common/benchmark.js'

const bench = fileURLToPath(new URL('../../bench/index.js', import.meta.url))
const spread = { median: expect.any(Number), low: expect.any(Number), high: expect.any(Number) }
const one = (count: number): object => ({ median: count, low: count, high: count })

function run(...args: readonly string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bench, ...args, '--quick', '--json'], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

test('drain: members leave under load, and none of their connections fails', { timeout: 120_000 }, () => {
  const [row] = run('drain', '--against', 'drain').parts['leaves']?.rows ?? []
  expect(row?.values).toMatchObject({ failed: one(0), leaves: spread, connections: spread })
  expect(row?.values['leaves']?.median).toBeGreaterThan(0)
})

test('reload: the workers are replaced, and no request fails', { timeout: 120_000 }, () => {
  const [row] = run('reload', '--against', 'ours', '--only', 'connections').parts['connections']?.rows ?? []
  expect(row?.values).toMatchObject({ time: spread, cpu: spread, longest: spread, p99: spread, failed: one(0) })
})

test('crash: killed workers have successors, and what was left out has its reason', {
  timeout: 120_000,
}, () => {
  const { parts, skipped } = run('crash', '--against', 'ours,watt')
  const [row] = parts['kills']?.rows ?? []
  // On a busy machine a worker may be killed between the accept and its telling: `npm run soak:kill` looks at descriptors instead.
  expect(row?.values).toMatchObject({ kills: one(2), successor: spread, longest: spread, failedOthers: spread })
  expect(skipped['watt']).toContain('threads')
})
