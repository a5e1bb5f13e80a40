// Calls with port 0 in workers of a cluster whose primary knows nothing of this library.
import cluster from 'node:cluster'
import { expect, test } from 'vitest'
import { start } from '../support/processes.js'

interface Said {
  readonly ports: readonly number[]
  readonly [key: string]: unknown
}

const register = new URL('../../dist/register.js', import.meta.url).href

const WAYS = [
  ['core', { by: 'core' }, []],
  ['listenReusePort', { by: 'ours' }, []],
  ['the preload', { by: 'core' }, ['--import', register]],
] as const

const OURS = WAYS.slice(1)

async function run(setting: object, execArgv: readonly string[]): Promise<{ said: Said[]; udp: number }> {
  await using program = start('cluster-port.cjs', [JSON.stringify(setting)], { execArgv: [...execArgv] })
  const report = await program.message<{ said: Said[]; udp: number }>()
  // The primary ends when each worker has: none is kept alive.
  expect(await program.exited).toMatchObject({ code: 0, stderr: '' })
  return report
}

/** The ports of each call: one number where all workers have the same. */
function byCall(said: readonly Said[]): number[][] {
  return (said[0]?.ports ?? []).map((_port, call) => [...new Set(said.map(({ ports }) => ports[call] as number))])
}

test.each(
  OURS.flatMap(([name, setting, execArgv]) =>
    [cluster.SCHED_RR, cluster.SCHED_NONE].map((policy) => [name, policy, setting, execArgv] as const),
  ),
)(
  '%s, policy %i: each call has one port in all workers, unless it is exclusive',
  async (_name, policy, setting, args) => {
    const { said, udp } = await run({ ...setting, policy, how: 'calls' }, args)
    const ports = byCall(said)
    expect(ports.map((different) => different.length)).toEqual([1, 1, 1, 1, 3])
    expect(new Set(ports.flat()).size).toBe(7)
    // As with Node: what has no host and asks the primary listens later.
    for (const { listening } of said) expect(listening).toEqual([false, false, false, false, expect.anything()])
    expect(udp, 'no UDP port is left in the primary').toBe(0)
  },
)

test.each(
  WAYS.flatMap(([name, setting, execArgv]) =>
    ['replaced', 'again'].map((how) => [name, how, setting, execArgv] as const),
  ),
)('%s: a worker that is %s has the port of the others', async (_name, how, setting, execArgv) => {
  const { said } = await run({ ...setting, how }, execArgv)
  expect(said).toHaveLength(4)
  expect(byCall(said).map((different) => different.length)).toEqual([1])
})

test.each(WAYS)('%s: 20 calls at once, without a warning', async (_name, setting, execArgv) => {
  const { said } = await run({ ...setting, how: 'many' }, execArgv)
  expect(byCall(said).map((different) => different.length)).toEqual(Array.from({ length: 20 }, () => 1))
  for (const { warned } of said) expect(warned).toEqual([])
})

test.each(WAYS)('%s: a call that is given up leaves nothing open', async (_name, setting, execArgv) => {
  const { said } = await run({ ...setting, how: 'given up' }, execArgv)
  for (const one of said) expect(one).toEqual({ listening: [false, false], left: 0 })
})

test.each(OURS)('%s: a worker that disconnects before the answer ends', async (_name, setting, execArgv) => {
  for (const how of ['disconnected', 'disconnected after it']) await run({ ...setting, how }, execArgv)
})
