import { describe, expect, test } from 'vitest'
import { chooseRoute } from '../../src/listen/fallback.js'
import type { FallbackPolicy } from '../../src/listen/listen-types.js'
import type { AddonState } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { capabilities, combine } from '../../src/system/capabilities.js'

const loaded: AddonState = { loaded: true, addon: { option: 'SO_REUSEPORT' } as Addon }
const missing: AddonState = { loaded: false, reason: 'no binary', cause: new Error('no binary') }
const yes = { supported: true, reason: '', conclusive: true }
const no = { supported: false, reason: 'the kernel said no', conclusive: true }

test('this system: tried, frozen and remembered', () => {
  const answer = capabilities()
  expect(answer).toEqual({
    platform: process.platform,
    supported: true,
    balanced: true,
    semantics: 'hash',
    option: 'SO_REUSEPORT',
    addon: true,
    binary: expect.stringMatching(/reuseport\.node$/),
    steering: true,
    steeringRisk: expect.toSatisfy((risk) => risk === null || /CVE-2026-52910/.test(String(risk))),
    reasons: {},
  })
  expect(Object.isFrozen(answer)).toBe(true)
  expect(Object.isFrozen(answer.reasons)).toBe(true)
  expect(capabilities()).toBe(answer)
})

describe.each(['linux', 'android', 'freebsd', 'sunos', 'aix'])('%s balances', (platform) => {
  test('if the probe says that ports can be shared', () => {
    expect(combine(platform, loaded, yes)).toMatchObject({
      supported: true,
      balanced: true,
      semantics: 'hash',
      reasons: {},
    })
  })

  test('not if it says that they cannot', () => {
    const answer = combine(platform, loaded, no)
    expect(answer).toMatchObject({ supported: false, balanced: false, semantics: 'none', option: null })
    expect(answer.reasons).toEqual({ supported: no.reason, balanced: no.reason })
  })
})

test.each(['darwin', 'openbsd', 'netbsd'])('%s shares and does not balance, though the probe succeeds', (platform) => {
  const answer = combine(platform, loaded, yes)
  expect(answer).toMatchObject({ supported: true, balanced: false, semantics: 'last-wins', option: 'SO_REUSEPORT' })
  expect(answer.reasons).toEqual({ balanced: expect.stringContaining("fallback: 'unbalanced'") })
})

test.each(['win32', 'cygwin', 'haiku'])('%s shares nothing, whatever the probe says', (platform) => {
  const answer = combine(platform, loaded, yes)
  expect(answer).toMatchObject({ supported: false, balanced: false, semantics: 'none', option: null })
  const sentence = expect.stringContaining("fallback: 'exclusive'")
  expect(answer.reasons).toEqual({ supported: sentence, balanced: sentence })
})

test('every no has its sentence', () => {
  for (const platform of ['linux', 'freebsd', 'darwin', 'win32', 'plan9']) {
    for (const state of [loaded, missing]) {
      for (const probed of [yes, no]) {
        const answer = combine(platform, state, probed)
        for (const name of ['supported', 'balanced', 'addon'] as const) {
          expect(answer.reasons[name] !== undefined, `${platform} ${name}`).toBe(!answer[name])
        }
      }
    }
  }
})

test('without the addon the option is the one that Node sets', () => {
  expect(combine('linux', missing, yes).option).toBe('SO_REUSEPORT')
  expect(combine('freebsd', missing, yes).option).toBe('SO_REUSEPORT_LB')
})

describe('fallback', () => {
  const route = (policy: FallbackPolicy, platform: string, state: AddonState, probed = yes) =>
    chooseRoute(policy, combine(platform, state, probed))

  test.each(['error', 'unbalanced', 'exclusive'] as const)(
    'where the system balances, %s is never needed',
    (policy) => {
      expect(route(policy, 'linux', loaded)).toEqual({ by: 'addon' })
      expect(route(policy, 'linux', missing)).toEqual({ by: 'core' })
    },
  )

  test.each(['darwin', 'openbsd'])('%s: refused, unbalanced or exclusive, as asked', (platform) => {
    const reason = combine(platform, loaded, yes).reasons.balanced
    expect(route('error', platform, loaded)).toMatchObject({
      by: 'refusal',
      error: { code: 'ERR_REUSEPORT_UNSUPPORTED', reason },
    })
    expect(route('unbalanced', platform, loaded)).toEqual({ by: 'addon' })
    expect(route('exclusive', platform, loaded)).toEqual({ by: 'exclusive', reason })
  })

  test('unbalanced needs the addon, because Node refuses there, and says so', () => {
    const refused = route('unbalanced', 'darwin', missing)
    expect(refused).toMatchObject({
      by: 'refusal',
      error: { reason: "fallback: 'unbalanced' needs the native addon: no binary" },
    })
  })

  test.each(['error', 'unbalanced'] as const)('where nothing can be shared, %s refuses', (policy) => {
    for (const [platform, probed] of [
      ['win32', yes],
      ['linux', no],
    ] as const) {
      const refused = route(policy, platform, loaded, probed)
      expect(refused.by).toBe('refusal')
      expect(refused).toMatchObject({ error: { message: expect.stringMatching(/^the port cannot be shared: \w/) } })
    }
  })

  test('where nothing can be shared, exclusive listens alone', () => {
    expect(route('exclusive', 'win32', loaded)).toMatchObject({ by: 'exclusive' })
  })
})
