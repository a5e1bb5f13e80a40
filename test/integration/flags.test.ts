import { describe, expect, test } from 'vitest'
import type { Capabilities } from '../../src/index.js'
import { NODE_MAJOR, NODE_SHARES, runJson } from '../support/run.js'

interface Report {
  readonly capabilities: Capabilities
  readonly [what: string]: unknown
}

const { allowedNodeEnvironmentFlags: flagsOfNode } = process
const PERMISSION = [flagsOfNode.has('--permission') ? '--permission' : '--experimental-permission', '--allow-fs-read=*']
const NET_IS_RESTRICTED = NODE_MAJOR >= 25
const ALLOW_NET = NET_IS_RESTRICTED ? ['--allow-net'] : []

const WITH_ADDON: readonly (readonly string[])[] = [[], [...PERMISSION, '--allow-addons', ...ALLOW_NET]]
const WITHOUT_ADDON: readonly (readonly string[])[] = [['--no-addons'], [...PERMISSION, ...ALLOW_NET]]

const everyCallShares = {
  shared: 'shared',
  withEverything: 'shared',
  withHost: 'shared',
  unbalanced: 'shared',
  exclusive: 'shared',
  exclusiveAgain: 'shared',
  optionalOption: 'shared',
  datagrams: 'shared',
  datagramsExclusively: 'shared',
  optionalDatagramOption: 'shared',
  warnings: [],
}

const everyOptionServes = {
  option: 'shared',
  rawOption: 'shared',
  onSocket: 'shared',
  optionExclusively: 'shared',
  datagramOption: 'shared',
  effective: 'boolean',
}

describe.each(WITH_ADDON.map((flags) => [flags.join(' ') || 'no flags', flags] as const))('%s', (_name, flags) => {
  test('the addon serves', () => {
    const report = runJson<Report>('flags.mjs', flags)
    expect(report.capabilities).toMatchObject({ supported: true, balanced: true, addon: true, reasons: {} })
    expect(report).toMatchObject({ ...everyCallShares, ...everyOptionServes, socket: 'opened' })
  })
})

describe.each(WITHOUT_ADDON.map((flags) => [flags.join(' '), flags] as const))('%s', (_name, flags) => {
  const report = runJson<Report>('flags.mjs', flags)

  test('the addon is missing, with the reason and the mend', () => {
    expect(report.capabilities).toMatchObject({ addon: false })
    expect(report.capabilities.reasons.addon).toContain('--allow-addons')
  })

  test('what needs the addon says so by its name', () => {
    for (const [what, name] of [
      ['socket', 'openReusePortSocket'],
      ['effective', 'effectiveSocketOptions'],
    ] as const) {
      expect(report[what]).toMatchObject({
        threw: 'ERR_REUSEPORT_ADDON_UNAVAILABLE',
        message: expect.stringMatching(new RegExp(`^${name} needs the native addon: .*--allow-addons`)),
      })
    }
  })

  test('an option that needs it is an error with its name, unless it is optional', () => {
    const needing = (neededBy: string): object => ({ error: 'ERR_REUSEPORT_ADDON_UNAVAILABLE', neededBy })
    expect(report['optionExclusively']).toEqual(needing('socketOptions.ttl'))
    if (!NODE_SHARES) return
    expect(report).toMatchObject({
      option: needing('socketOptions.ttl'),
      rawOption: needing('rawSocketOptions'),
      onSocket: needing('onSocket'),
      datagramOption: needing('socketOptions.ttl'),
    })
  })

  test("Node's own reusePort serves the rest", (context) => {
    if (!NODE_SHARES) context.skip('this Node has no reusePort')
    expect(report.capabilities).toMatchObject({
      supported: true,
      balanced: true,
      semantics: 'hash',
      option: 'SO_REUSEPORT',
    })
    expect(report).toMatchObject(everyCallShares)
  })

  test('a Node that cannot share refuses, or listens exclusively and warns once', (context) => {
    if (NODE_SHARES) context.skip('this Node has reusePort')
    const reason = expect.stringMatching(/addon is missing .*--allow-addons.*22\.12/)
    const refused = { error: 'ERR_REUSEPORT_UNSUPPORTED', reason }
    expect(report.capabilities).toMatchObject({
      supported: false,
      balanced: false,
      semantics: 'none',
      option: null,
      reasons: { supported: reason, balanced: reason },
    })
    expect(report).toMatchObject({ shared: refused, withEverything: refused, withHost: refused, unbalanced: refused })
    expect(report).toMatchObject({ option: refused, datagrams: refused, datagramOption: refused })
    const taken = { error: 'EADDRINUSE' }
    expect(report).toMatchObject({ exclusive: taken, exclusiveAgain: taken, datagramsExclusively: taken })
    expect(report['warnings']).toEqual([{ code: 'REUSEPORT_FALLBACK_EXCLUSIVE', message: reason }])
  })
})

describe('--permission without --allow-net', () => {
  test.for([{ more: [] }, { more: ['--allow-addons'] }])(
    'the addon is no way around it: $more',
    ({ more }, { skip }) => {
      if (!NET_IS_RESTRICTED) skip('this Node has no --allow-net')
      const report = runJson<Report>('flags.mjs', [...PERMISSION, ...more], ['no host'])
      const denied = { threw: 'ERR_ACCESS_DENIED', message: expect.stringContaining('--allow-net') }
      expect(report.capabilities).toMatchObject({
        supported: false,
        reasons: { supported: expect.stringContaining('--allow-net') },
      })
      expect(report).toMatchObject({
        shared: denied,
        withEverything: denied,
        unbalanced: denied,
        exclusive: denied,
        socket: denied,
        inspected: denied,
        steered: denied,
        repaired: denied,
        onSocket: denied,
        // As dgram does it.
        datagrams: { error: 'ERR_ACCESS_DENIED' },
        datagramsExclusively: { error: 'ERR_ACCESS_DENIED' },
      })
    },
  )
})
