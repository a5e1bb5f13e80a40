// The pure parts of the metrics: where they are served, how they are written, how they are summed up.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { familiesOf, type Numbers, type SlotNumbers } from '../../src/supervisor/metrics-families.js'
import { formatPlace, type MetricsPlace, toMetricsPlace } from '../../src/supervisor/metrics-place.js'
import { type Family, formatFamilies } from '../../src/supervisor/metrics-text.js'
import { SlotTotals } from '../../src/supervisor/metrics-totals.js'
import { parseMetrics } from '../support/prometheus.js'

describe('where metrics are served', () => {
  const place = (metrics: unknown): MetricsPlace | undefined =>
    toMetricsPlace({ metrics: metrics as string }, (file) => `<${file}>`)

  test.each([
    [9464, { host: '127.0.0.1', port: 9464 }, 'http://127.0.0.1:9464'],
    ['9464', { host: '127.0.0.1', port: 9464 }, 'http://127.0.0.1:9464'],
    ['0', { host: '127.0.0.1', port: 0 }, 'http://127.0.0.1:0'],
    ['0.0.0.0:65535', { host: '0.0.0.0', port: 65_535 }, 'http://0.0.0.0:65535'],
    ['localhost:9464', { host: 'localhost', port: 9464 }, 'http://localhost:9464'],
    ['[::1]:9464', { host: '::1', port: 9464 }, 'http://[::1]:9464'],
    ['./metrics.sock', { path: '<./metrics.sock>' }, '<./metrics.sock>'],
    ['/run/a:1/m.sock', { path: '</run/a:1/m.sock>' }, '</run/a:1/m.sock>'],
  ])('%s', (given, expected, text) => {
    const found = place(given)
    expect(found).toEqual(expected)
    expect(found && formatPlace(found)).toBe(text)
  })

  test('nowhere, where nothing is said', () => expect(place(undefined)).toBeUndefined())

  test.each([
    '',
    'metrics',
    '65536',
    '-1',
    '1.5',
    ':9464',
    '::1:9464',
    '[::1]',
    '[nonsense]:1',
    'a b:1',
    'a:b:1',
    true,
    1e9,
    '/a\0b',
  ])('not %j', (given) => expect(() => place(given)).toThrow(/^The option 'metrics' must be a port, 'host:port'/))
})

describe('the text format', () => {
  test('a family of each kind', () => {
    const families: readonly Family[] = [
      { name: 'a_total', type: 'counter', help: 'Of a\\b\nand "c".', samples: [{ value: 1 }] },
      {
        name: 'b',
        type: 'gauge',
        help: 'B.',
        samples: [
          { labels: { slot: 0, address: '[::]:80' }, value: 0.5 },
          { labels: { slot: 1, address: 'a\\b"c"\nd' }, value: Number.NaN },
        ],
      },
      {
        name: 'c',
        type: 'summary',
        help: 'C.',
        samples: [
          { part: 'sum', value: 1e21 },
          { part: 'count', value: 2 },
        ],
      },
      { name: 'd', type: 'gauge', help: 'D.', samples: [] },
      { name: 'e', type: 'gauge', help: 'E.', samples: [{ value: Infinity }, { labels: { x: 1 }, value: -Infinity }] },
    ]
    expect(formatFamilies(families)).toBe(`# HELP a_total Of a\\\\b\\nand "c".
# TYPE a_total counter
a_total 1
# HELP b B.
# TYPE b gauge
b{slot="0",address="[::]:80"} 0.5
b{slot="1",address="a\\\\b\\"c\\"\\nd"} NaN
# HELP c C.
# TYPE c summary
c_sum 1e+21
c_count 2
# HELP e E.
# TYPE e gauge
e +Inf
e{x="1"} -Inf
`)
  })

  test('whatever a label and a help say, it can be read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.double(), (label, help, value) => {
        const text = formatFamilies([{ name: 'a', type: 'gauge', help, samples: [{ labels: { label }, value }] }])
        const plain = (written = ''): string => written.replace(/\\(.)/gs, (_, c) => (c === 'n' ? '\n' : c))
        const metric = parseMetrics(text).get('a')
        const [[labels, found] = []] = metric?.samples ?? []
        expect(plain(labels?.slice('label="'.length, -1))).toBe(label)
        expect(plain(metric?.help)).toBe(help)
        expect(found === value || (Number.isNaN(found) && Number.isNaN(value))).toBe(true)
      }),
    )
  })
})

describe('what is written', () => {
  const empty: Omit<SlotNumbers, 'slot'> = {
    isUp: false,
    responds: undefined,
    generation: undefined,
    startedAt: undefined,
    delay: undefined,
    open: undefined,
    memory: undefined,
    cpu: undefined,
    accepted: undefined,
    joins: undefined,
    acceptedAsGuest: undefined,
    stood: undefined,
    passedOn: undefined,
    restarts: 0,
    exits: {},
  }
  const numbers: Numbers = {
    state: 'running',
    generation: 3,
    startedAt: 1_500,
    cpu: 250,
    memory: 4096,
    reloads: { done: 2, failed: 1, duration: 4500, last: 1500 },
    slots: [
      {
        ...empty,
        slot: 0,
        isUp: true,
        responds: true,
        generation: 3,
        startedAt: 2_500,
        delay: 1.5,
        open: 7,
        memory: 1024,
        cpu: 10,
        accepted: 99,
        joins: 1,
        acceptedAsGuest: 2,
        stood: 50,
        passedOn: 3,
        restarts: 4,
        exits: { told: 2, oom: 1 },
      },
      { ...empty, slot: 1 },
    ],
    sockets: [
      { slot: 0, protocol: 'tcp', address: '[::]:80', queued: 5, limit: 511, drops: 6 },
      { slot: undefined, protocol: 'tcp', address: '[::]:81', queued: 0, limit: 511, drops: undefined },
      { slot: 1, protocol: 'udp', address: '0.0.0.0:53', queued: 8, limit: 212_992, drops: 9 },
    ],
  }
  const text = formatFamilies(familiesOf(numbers))

  test('is this', () => expect(text).toMatchSnapshot())

  test('can be read; what is not known is not there', () => {
    const metrics = parseMetrics(text)
    const of = (name: string): object => Object.fromEntries(metrics.get(name)?.samples ?? [])
    expect(of('reuseport_worker_up')).toEqual({ 'slot="0"': 1, 'slot="1"': 0 })
    expect(of('reuseport_worker_connections')).toEqual({ 'slot="0"': 7 })
    expect(of('reuseport_worker_loop_delay_seconds')).toEqual({ 'slot="0"': 0.0015 })
    expect(of('reuseport_queue_drops_total')).toEqual({ 'slot="0",address="[::]:80"': 6 })
    expect(of('reuseport_udp_drops_total')).toEqual({ 'slot="1",address="0.0.0.0:53"': 9 })
    expect(of('reuseport_slots_up')).toEqual({ '': 1 })
  })
})

describe('the sum of a slot', () => {
  test('goes on where its worker is replaced, also while both run', () => {
    const totals = new SlotTotals<'accepted'>()
    expect(totals.of(0, 'accepted')).toBeUndefined()
    totals.see('a', 0, 'accepted', 10)
    totals.see('other', 1, 'accepted', 1)
    totals.see('b', 0, 'accepted', 5)
    expect(totals.of(0, 'accepted')).toBe(15)
    totals.see('a', 0, 'accepted', 12)
    totals.end('a')
    expect(totals.of(0, 'accepted')).toBe(17)
    totals.see('b', 0, 'accepted', 6)
    totals.see('b', 0, 'accepted', undefined)
    expect(totals.of(0, 'accepted')).toBe(18)
    totals.end('a')
    expect(totals.of(0, 'accepted')).toBe(18)
    expect(totals.of(1, 'accepted')).toBe(1)
  })

  test('never goes back, whatever a worker says', () => {
    const totals = new SlotTotals<'accepted'>()
    totals.see('a', 0, 'accepted', 10)
    totals.see('a', 0, 'accepted', 3)
    expect(totals.of(0, 'accepted')).toBe(10)
  })

  test('has what is added', () => {
    const totals = new SlotTotals<'joins'>()
    totals.add(0, 'joins', 1)
    totals.add(0, 'joins', 1)
    expect(totals.of(0, 'joins')).toBe(2)
  })
})
