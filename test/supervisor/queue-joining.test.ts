// Who is told to join and to part, without processes: the queues, the watch and the workers are the test's.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { JoinCounts } from '../../src/supervisor/join-counts.js'
import type { Kept } from '../../src/supervisor/kept-socket.js'
import type { ToWorker } from '../../src/supervisor/protocol.js'
import { type Host, type KeptQueue, QueueJoining } from '../../src/supervisor/queue-joining.js'
import { fakeKept } from '../support/fake-worker.js'

interface FakeHost extends Host {
  readonly heard: ToWorker[]
}

let now: number
let lengths: Map<number, number>
let queues: KeptQueue[]
let hosts: FakeHost[]
let armed: number[]
let disarmed: number[]
let guests: unknown[][]
let counts: JoinCounts
let joining: QueueJoining<FakeHost>

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
  now = 1000
  lengths = new Map()
  queues = [queue('a', 1), queue('b', 2), queue('c', 3)]
  hosts = ['A', 'B', 'C'].map(host)
  armed = []
  disarmed = []
  guests = []
  counts = new JoinCounts()
  const watch = { arm: (fd: number) => armed.push(fd), disarm: (fd: number) => disarmed.push(fd), close: vi.fn() }
  const source = {
    queueOf: (fd: number) => ({ waiting: lengths.get(fd) ?? 0, limit: 511 }),
    queues: () => [...queues],
    hosts: () => hosts,
    onGuest: (...told: unknown[]) => void guests.push(told),
  }
  joining = new QueueJoining<FakeHost>(source, watch, counts, () => now)
  joining.changed()
  pass(0)
})

afterEach(() => void vi.useRealTimers())

function queue(id: string, fd: number): KeptQueue {
  return { kept: { ...fakeKept(id), fd }, slot: fd - 1, owners: [id.toUpperCase()] }
}

function host(name: string): FakeHost {
  const heard: ToWorker[] = []
  return { name, heard, send: (message) => heard.push(message), sendSocket: (message) => heard.push(message) }
}

function pass(ms: number): void {
  for (let passed = 0; passed <= ms; passed++) {
    vi.advanceTimersByTime(passed === 0 ? 0 : 1)
    if (passed > 0) now++
  }
}

const get = (name: string): FakeHost => hosts.find((one) => one.name === name) as FakeHost
const types = (name: string): readonly string[] => get(name).heard.map(({ type }) => type)

/** The queue `a` stands: B and C are its guests. */
function standing(): void {
  lengths.set(1, 4)
  joining.stands(1)
  for (const name of ['B', 'C']) joining.hear(get(name), { type: 'joined', id: 'a', isTaken: true })
  pass(2)
}

test('every queue is watched, by its descriptor', () => {
  expect(armed.sort()).toEqual([1, 2, 3])
  expect(hosts.flatMap(({ heard }) => heard)).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

describe('a queue that stands', () => {
  test('is joined by the others, who get it with its own backlog', () => {
    standing()
    expect(get('B').heard).toEqual([{ type: 'join', id: 'a', wish: queues[0]?.kept.wish, backlog: 511 }])
    expect(types('C')).toEqual(['join'])
    expect(types('A')).toEqual(['ping'])
    expect(guests).toEqual([
      [get('B'), queues[0], undefined],
      [get('C'), queues[0], undefined],
    ])
  })

  test('is left when it is empty and its owner answers, and watched again', () => {
    standing()
    lengths.clear()
    pass(50)
    expect(types('B')).toEqual(['join'])
    joining.hear(get('A'), { type: 'pong', ping: 0 })
    armed = []
    pass(50)
    expect(types('B')).toEqual(['join', 'part'])
    joining.hear(get('B'), { type: 'parted', id: 'a', accepted: 3 })
    expect(guests.at(-1)).toEqual([get('B'), queues[0], 3])
    expect(counts.of('B', ['b'], now)).toEqual({ joins: 1, acceptedAsGuest: 3, stood: 0 })
    expect(armed).toEqual([1])
    pass(100)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('has its standing time counted until it is empty', () => {
    const since = now
    standing()
    pass(20)
    expect(counts.of('A', ['a'], now).stood).toBe(now - since)
    lengths.clear()
    // Looks are at most 8 ms apart.
    pass(8)
    const { stood } = counts.of('A', ['a'], now)
    pass(20)
    expect(counts.of('A', ['a'], now).stood).toBe(stood)
  })

  test('of an unknown descriptor changes nothing', () => {
    joining.stands(99)
    expect(hosts.flatMap(({ heard }) => heard)).toEqual([])
  })
})

describe('a socket that leaves the supervisor', () => {
  test('is disarmed at once, and its guests part', () => {
    standing()
    const { kept } = queues[0] as KeptQueue
    queues.shift()
    joining.closing(kept)
    expect(disarmed).toEqual([1])
    expect([types('B'), types('C')]).toEqual([
      ['join', 'part'],
      ['join', 'part'],
    ])
  })

  test('nobody waits where there is no guest', () => {
    expect(joining.part(['a', 'b'])).toBeUndefined()
  })

  test.each(['says so', 'dies'])('whoever drains it waits until the last guest %s', async (how) => {
    standing()
    let isOver = false
    const parted = joining.part(['a'])
    void parted?.then(() => {
      isOver = true
    })
    joining.hear(get('B'), { type: 'parted', id: 'a', accepted: 0 })
    await Promise.resolve()
    expect(isOver).toBe(false)
    if (how === 'dies') joining.leaves('C', true)
    else joining.hear(get('C'), { type: 'parted', id: 'a', accepted: 1 })
    await parted
    expect(isOver).toBe(true)
  })

  test('and not for ever', async () => {
    standing()
    const parted = joining.part(['a'])
    pass(1000)
    await parted
    expect(types('C')).toEqual(['join', 'part'])
  })

  test('a join that was under way is waited for too', async () => {
    lengths.set(1, 1)
    joining.stands(1)
    const asked = hosts.find(({ heard }) => heard.some(({ type }) => type === 'join')) as FakeHost
    const parted = joining.part(['a'])
    expect(parted).toBeDefined()
    joining.hear(asked, { type: 'joined', id: 'a', isTaken: true })
    joining.hear(asked, { type: 'parted', id: 'a', accepted: 0 })
    await parted
  })
})

test('a dead worker: its queue is joined at once, and it is asked nothing', () => {
  queues[0] = { ...(queues[0] as KeptQueue), owners: [] }
  const [dead] = hosts.splice(0, 1)
  joining.leaves('A', true)
  pass(0)
  expect([types('B'), types('C')]).toEqual([['join'], ['join']])
  expect(dead?.heard).toEqual([])
})

test('a worker that is told to leave is asked nothing more', () => {
  hosts = hosts.filter(({ name }) => name !== 'C')
  joining.leaves('C', false)
  lengths.set(1, 4)
  joining.stands(1)
  expect(types('B')).toEqual(['join'])
})

test('a refused join is no guest', async () => {
  lengths.set(1, 4)
  joining.stands(1)
  for (const name of ['B', 'C']) joining.hear(get(name), { type: 'joined', id: 'a', isTaken: false })
  expect(guests).toEqual([])
  expect(joining.part(['a'])).toBeUndefined()
  expect(counts.of('B', [], now).joins).toBe(0)
})

test('who answers when the visit is over parts at once', () => {
  lengths.set(1, 1)
  joining.stands(1)
  const asked = hosts.find(({ heard }) => heard.some(({ type }) => type === 'join')) as FakeHost
  lengths.clear()
  joining.hear(get('A'), { type: 'pong', ping: 0 })
  pass(60)
  expect(vi.getTimerCount()).toBe(0)
  joining.hear(asked, { type: 'joined', id: 'a', isTaken: true })
  pass(0)
  expect(asked.heard.map(({ type }) => type)).toEqual(['join', 'part'])
})

test('after the end nothing is looked at', () => {
  joining.close()
  joining.changed()
  pass(5)
  lengths.set(1, 4)
  joining.stands(1)
  expect(hosts.flatMap(({ heard }) => heard)).toEqual([])
})

test('sockets of one wish and other ports are other places', () => {
  const any = { address: null, port: 0, ipv6Only: false, options: '' }
  const at = (id: string, fd: number, port: number): KeptQueue => {
    const kept: Kept = { ...fakeKept(id), fd, port, wish: any }
    return { kept, slot: fd - 1, owners: [id.toUpperCase()] }
  }
  queues = [at('a', 1, 5001), at('b', 2, 5002), at('c', 3, 5001)]
  joining.changed()
  pass(0)
  lengths.set(1, 4)
  joining.stands(1)
  expect([types('B'), types('C')]).toEqual([[], ['join']])
})
