import net from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LISTEN_OPTIONS } from '../../src/listen/listen-arguments.js'
import { misspeltName } from '../../src/options/option-names.js'
import { core, ours } from '../support/listeners.js'
import { type Observation, observe } from '../support/observe.js'

/** What a test machine can bind: no port but the kernel's choice, so that two runs meet the same. */
const freePort = fc.constantFrom(0, '0', ' 0', '0x0', null, undefined, -0)
const badPort = fc.oneof(
  fc.integer({ min: 65536 }),
  fc.integer({ max: -1 }),
  fc.double({ noInteger: true }),
  fc.constantFrom(Number.NaN, '', ' ', true, false, {}, [], 1n),
)
const port = fc.oneof({ weight: 4, arbitrary: freePort }, { weight: 1, arbitrary: badPort })
const host = fc.constantFrom(
  undefined,
  null,
  '',
  '127.0.0.1',
  '127.0.0.2',
  '::1',
  '::',
  '0.0.0.0',
  '192.0.2.9',
  'fe80::1',
  '::1%lo',
  '1.2.3',
  0,
  7,
  {},
)
const backlog = fc.oneof(
  fc.integer(),
  fc.constantFrom(undefined, null, 0, '5', 'x', true, Number.NaN, 2 ** 31, 2 ** 32),
)
const signal = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, 'abort', 5, {}),
  fc.constant('a new one for each run').map(() => new AbortController().signal),
  fc.constant('an aborted one').map(() => AbortSignal.abort()),
)
const callback = fc.constant(() => {})

const options = fc
  .record(
    {
      port,
      host,
      backlog,
      signal,
      ipv6Only: fc.constantFrom(undefined, true, false, 1, 'yes'),
      exclusive: fc.constantFrom(undefined, true, false, 1),
      readableAll: fc.boolean(),
      fd: fc.constantFrom(undefined, -1, 'x', null),
      handle: fc.constantFrom(undefined, null, 0),
      _handle: fc.constantFrom(undefined, null),
    },
    { requiredKeys: [] },
  )
  // Node 20 loses ipv6Only where no host is given, which this library does not.
  .filter(({ ipv6Only, host }) => ipv6Only !== true || Boolean(host))

const positional = fc
  .tuple(port, fc.array(fc.oneof(host, backlog, callback), { maxLength: 3 }))
  .map(([first, rest]) => [first, ...rest])
const withOptions = fc
  .tuple(options, fc.option(callback, { nil: undefined }))
  .map((args) => args.filter((arg) => arg !== undefined))
const anything = fc.array(fc.oneof(fc.constantFrom(undefined, null, true, false, {}, []), callback, freePort), {
  maxLength: 4,
})

function outcome(seen: Observation): string {
  const text = JSON.stringify(seen, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value))
  return /\["(threw|error)"/.exec(text)?.[1] ?? 'listened'
}

test('ours and core agree on accepting, throwing and emitting, in every detail', async () => {
  const outcomes: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(fc.oneof(positional, withOptions, anything), async (args) => {
      // Node writes to options.
      const clone = () => args.map((arg) => (typeof arg === 'object' && arg !== null ? { ...arg } : arg))
      const expected = await observe(net.createServer(), core, clone())
      const seen = await observe(net.createServer(), ours, clone())
      expect(seen).toEqual(expected)
      const what = outcome(seen)
      outcomes[what] = (outcomes[what] ?? 0) + 1
    }),
    { numRuns: 1500 },
  )
  // The generator reaches all three, and often.
  expect(Math.min(...['listened', 'threw', 'error'].map((what) => outcomes[what] ?? 0))).toBeGreaterThan(20)
})

test('any other option name is ignored, as by Node', () => {
  const { known, inert, aliases } = LISTEN_OPTIONS
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (name) => {
      fc.pre(![...known, ...inert, ...Object.keys(aliases)].includes(name) && misspeltName(name, known) === undefined)
      const server = ours(net.createServer(), { port: 0, [name]: 1 }) as net.Server
      expect(server.listening).toBe(true)
      server.close()
    }),
  )
})

test('a misspelt option name is refused before anything happens', () => {
  const { known } = LISTEN_OPTIONS
  const misspelt = fc
    .tuple(fc.constantFrom(...known), fc.nat(20), fc.string({ minLength: 1, maxLength: 1 }))
    .map(([name, at, letter]) => name.slice(0, at) + letter + name.slice(at))
  fc.assert(
    fc.property(misspelt, (name) => {
      // 'signals' is a word of its own, which other programs use.
      fc.pre(!known.includes(name) && name !== 'signals')
      const server = net.createServer()
      const callback = (): void => {}
      expect(() => ours(server, { port: 0, [name]: 1 }, callback)).toThrow(
        expect.objectContaining({ code: 'ERR_REUSEPORT_UNKNOWN_OPTION', option: name }),
      )
      expect([server.listening, server.listenerCount('listening')]).toEqual([false, 0])
    }),
  )
})

test.each([
  ['prot', 'port'],
  ['hots', 'host'],
  ['hostname', 'host'],
  ['backLog', 'backlog'],
  ['ipv6only', 'ipv6Only'],
  ['fallbak', 'fallback'],
  ['reuseport', 'reusePort'],
  ['Signal', 'signal'],
])('%s is answered with %s', (name, nearest) => {
  expect(() => ours(net.createServer(), { port: 0, [name]: 1 })).toThrow(
    expect.objectContaining({ option: name, nearest }),
  )
})
