// What the supervisor does with the connections that it has, step by step, with workers that are none.
import { beforeEach, expect, test } from 'vitest'
import { Balancing } from '../../src/supervisor/balancing.js'
import type { FromWorker, ToWorker } from '../../src/supervisor/protocol.js'
import type { RunningWorker } from '../../src/supervisor/running-worker.js'

const PLACE = { address: '127.0.0.1', family: 'IPv4', port: 80 } as const

class FakeWorker {
  readonly name: string
  state = 'ready'
  isConnected = true
  readonly heard: (readonly [ToWorker['type'], ...unknown[]])[] = []
  /** What is called when the last message is written. */
  written: (() => void) | undefined

  constructor(name: string) {
    this.name = name
  }

  send(message: ToWorker, handle?: object, then?: () => void): void {
    if (message.type === 'fewest') return
    const what = message.type === 'passed' ? [message.pass, message.isTaken] : handle === undefined ? [] : [handle]
    this.heard.push([message.type, ...what])
    this.written = then
  }

  get real(): RunningWorker {
    return this as unknown as RunningWorker
  }
}

let balancing: Balancing
let workers: { readonly a: FakeWorker; readonly b: FakeWorker; readonly c: FakeWorker }
let closed: number

function hear(worker: FakeWorker, message: FromWorker, handle?: object): void {
  balancing.hear(worker.real, message as Parameters<Balancing['hear']>[1], handle)
}

const counts = (worker: FakeWorker, open: number): void => hear(worker, { type: 'connections', ...PLACE, open })
const handleOf = (fd = 7): object => ({ fd, close: () => closed++ })

beforeEach(() => {
  balancing = new Balancing('connections')
  workers = { a: new FakeWorker('a'), b: new FakeWorker('b'), c: new FakeWorker('c') }
  closed = 0
  counts(workers.a, 10)
  counts(workers.b, 0)
  counts(workers.c, 5)
})

test('the sender knows that its connection is taken before another worker gets it', () => {
  const { a, b } = workers
  const handle = handleOf()
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handle)
  expect(a.heard).toEqual([['passed', 3, true]])
  expect(b.heard).toEqual([])
  a.written?.()
  a.written?.()
  expect(b.heard).toEqual([['serve', handle]])
  expect(closed).toBe(0)
  hear(b, { type: 'served', pass: 0, isTaken: true, open: 1 })
  expect(closed).toBe(1)
  expect([balancing.passedOn(a.real), balancing.passedOn(b.real)]).toEqual([1, 0])
})

test('a sender that dies without knowing it has nothing more: the other one gets the connection', () => {
  const { a, b } = workers
  const handle = handleOf()
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handle)
  a.state = 'gone'
  balancing.gone(a.real)
  expect(b.heard).toEqual([['serve', handle]])
})

test('where the target dies, or refuses, another worker gets the connection', () => {
  const { a, b, c } = workers
  const handle = handleOf()
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handle)
  a.written?.()
  b.state = 'gone'
  balancing.gone(b.real)
  expect(c.heard).toEqual([['serve', handle]])
  hear(c, { type: 'served', pass: 0, isTaken: false, open: 0 })
  // In the end the sender, to which it is a connection as any.
  expect(a.heard.at(-1)).toEqual(['serve', handle])
  expect(closed).toBe(0)
  hear(a, { type: 'served', pass: 0, isTaken: true, open: 11 })
  expect(closed).toBe(1)
  expect(balancing.passedOn(a.real)).toBe(0)
})

test('what the sender should keep is closed here first', () => {
  const { a, c } = workers
  counts(workers.b, 9)
  counts(c, 9)
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handleOf())
  expect(closed).toBe(1)
  expect(a.heard).toEqual([['passed', 3, false]])
})

test('a sender that has closed its channel cannot be told to keep it', () => {
  const { a, b } = workers
  counts(workers.b, 9)
  counts(workers.c, 9)
  a.isConnected = false
  const handle = handleOf()
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handle)
  expect(a.heard).toEqual([])
  expect(b.heard).toEqual([['serve', handle]])
})

test('a connection whose descriptor was lost on its way stays with its sender; one that is known is not told twice', () => {
  const { a } = workers
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 })
  expect(a.heard).toEqual([['passed', 3, false]])
  hear(a, { type: 'pass', ...PLACE, pass: 4, open: 10 }, handleOf())
  hear(a, { type: 'pass', ...PLACE, pass: 4, open: 10 })
  expect(a.heard.slice(1)).toEqual([['passed', 4, true]])
})

test('workers that start or leave get nothing', () => {
  const { a, b, c } = workers
  b.state = 'starting'
  c.state = 'leaving'
  hear(a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handleOf())
  expect(a.heard).toEqual([['passed', 3, false]])
})

test('without the option every connection is closed', () => {
  balancing = new Balancing(undefined)
  hear(workers.a, { type: 'pass', ...PLACE, pass: 3, open: 10 }, handleOf())
  balancing.ready()
  balancing.gone(workers.a.real)
  expect([closed, workers.a.heard, balancing.passedOn(workers.a.real)]).toEqual([1, [], undefined])
})
