import { expect, test } from 'vitest'
import { runInNamespace, whyNoNamespace } from '../support/namespace.js'

test('options and raw options of any kind: a socket or an error, never a crash or a leak', (context) => {
  const missing = whyNoNamespace()
  if (missing !== undefined) context.skip(missing)
  const { seed, outcomes, left } = runInNamespace<{ seed: number; outcomes: Record<string, number>; left: string }>(
    'fuzz-options.mjs',
  )
  expect(left, `seed ${seed}`).toBe('')
  // Each kind of end was met, or it has not been tried.
  const kinds = ['opened', 'ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_REUSEPORT_UNKNOWN_OPTION']
  const answers = ['ERR_REUSEPORT_OPTION_UNSUPPORTED', 'ERR_REUSEPORT_OPTION_REFUSED']
  for (const kind of [...kinds, ...answers]) expect(outcomes[kind], `${kind}, seed ${seed}`).toBeGreaterThan(0)
  expect(Object.values(outcomes).reduce((sum, count) => sum + count)).toBe(12_000)
})
