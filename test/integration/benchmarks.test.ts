// A turn of a benchmark with the processes of the competitors that need no package: what is started answers, is measured and ended.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Result } from '../../bench/common/benchmark.js'

const bench = fileURLToPath(new URL('../../bench/index.js', import.meta.url))

function quick(name: string, only: string, against: string): Result {
  const args = [bench, name, '--quick', '--only', only, '--against', against]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout)
}

test.each([
  ['accept', 'connections', ['ours', 'core', 'run', 'cluster-rr', 'single', 'c'], ['micros', 'rate']],
  ['udp', 'steady', ['ours', 'core', 'cluster', 'single'], ['micros', 'rate']],
  ['inspect', 'few', ['group', 'ls', 'ss'], ['milliseconds']],
  ['memory', 'idle', ['run', 'cluster-rr'], ['pss', 'own', 'whole']],
])('a quick run of %s', { timeout: 180_000 }, (name, part, competitors, positive) => {
  const { skipped, parts, quick: isQuick, versions } = quick(name, part, competitors.join())
  expect(skipped).toEqual({})
  expect(isQuick).toBe(true)
  expect(versions['node']).toMatch(/^(2[4-9]|[3-9]\d)\./)
  const rows = parts[part]?.rows ?? []
  expect(rows.map(({ competitor }) => competitor).toSorted()).toEqual(competitors.toSorted())
  for (const { values, competitor } of rows)
    for (const value of positive) expect(values[value]?.median, `${competitor} ${value}`).toBeGreaterThan(0)
})
