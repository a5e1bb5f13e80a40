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
let queues: KeptQueue[]
let hosts: FakeHost[]
let armed: number[]
let disarmed: number[]
let guests: unknown[][]
let counts: JoinCounts
let isSticky: boolean
let joining: QueueJoining<FakeHost>

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] })
  now = 1000
  isSticky = false
  queues = [queue('a', 1), queue('b', 2), queue('c', 3)]
  hosts = ['A', 'B', 'C'].map(host)
  armed = []
  disarmed = []
  guests = []
  counts = new JoinCounts()
  const watch = { arm: (fd: number) => armed.push(fd), disarm: (fd: number) => disarmed.push(fd), close: vi.fn() }
  const source = {
    queues: () => [...queues],
    hosts: () => hosts,
    get isSticky() {
      return isSticky
    },
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

/** Each does what it is told, but says nothing of visits. */
function obey(): void {
  for (const one of hosts) {
    for (const message of one.heard.splice(0)) {
      if (message.type === 'join') joining.hear(one, { type: 'joined', id: message.id, isTaken: true })
      else if (message.type === 'part') joining.hear(one, { type: 'parted', id: message.id })
    }
  }
  pass(0)
}

test('every queue is watched, and each worker gets the sockets of the others', () => {
  expect(armed.sort()).toEqual([1, 2, 3])
  expect(get('A').heard).toEqual([
    { type: 'join', id: 'b', wish: queues[1]?.kept.wish },
    { type: 'join', id: 'c', wish: queues[2]?.kept.wish },
  ])
  expect([types('B'), types('C')]).toEqual([
    ['join', 'join'],
    ['join', 'join'],
  ])
  obey()
  pass(100)
  expect(hosts.flatMap(({ heard }) => heard)).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

describe('visits', () => {
  beforeEach(obey)

  test('are told once each, and counted', () => {
    joining.hear(get('B'), { type: 'visits', begun: ['a'], ended: [] })
    expect(guests).toEqual([[get('B'), queues[0], undefined]])
    joining.hear(get('B'), { type: 'visits', begun: ['a'], ended: [] })
    joining.hear(get('B'), { type: 'visits', begun: [], ended: [{ id: 'a', accepted: 3 }] })
    joining.hear(get('B'), { type: 'visits', begun: [], ended: [{ id: 'a', accepted: 3 }] })
    expect(guests.slice(1)).toEqual([[get('B'), queues[0], 3]])
    expect(counts.of('B', ['b'])).toEqual({ joins: 1, acceptedAsGuest: 3, stood: 0 })
  })

  test('that begin and end in one message', () => {
    joining.hear(get('B'), { type: 'visits', begun: ['a'], ended: [{ id: 'a', accepted: 1 }] })
    expect(guests.map(([, , accepted]) => accepted)).toEqual([undefined, 1])
  })

  test('of a queue that is not known, the own one, or whose guest the worker is not, are nothing', () => {
    joining.hear(get('B'), {
      type: 'visits',
      begun: ['x', 'b'],
      ended: [
        { id: 'x', accepted: 5 },
        { id: 'a', accepted: 5 },
      ],
    })
    expect([guests, counts.of('B', [])]).toEqual([[], { joins: 0, acceptedAsGuest: 0, stood: 0 }])
  })

  test('end where the worker parts, and are forgotten where it dies', () => {
    joining.hear(get('B'), { type: 'visits', begun: ['a', 'c'], ended: [] })
    joining.hear(get('B'), { type: 'parted', id: 'a' })
    expect(guests.at(-1)).toEqual([get('B'), queues[0], 0])
    joining.leaves('B', true)
    const before = guests.length
    joining.hear(get('B'), { type: 'visits', begun: [], ended: [{ id: 'c', accepted: 1 }] })
    expect(guests.length).toBe(before)
  })
})

test('a queue that stands is counted, and watched again', () => {
  armed = []
  joining.stands(1)
  joining.stands(1)
  expect(counts.of('A', ['a']).stood).toBe(100)
  expect(armed).toEqual([1, 1])
  joining.stands(99)
  expect(armed.length).toBe(2)
})

describe('a socket that leaves the supervisor', () => {
  beforeEach(obey)

  test('is disarmed at once, and its guests part', () => {
    const { kept } = queues[0] as KeptQueue
    queues.shift()
    joining.closing(kept)
    expect(disarmed).toEqual([1])
    expect([types('B'), types('C')]).toEqual([['part'], ['part']])
  })

  test('nobody waits where there is no guest', () => {
    expect(joining.part(['x'])).toBeUndefined()
  })

  test.each(['says so', 'dies'])('whoever drains it waits until the last guest %s', async (how) => {
    let isOver = false
    const parted = joining.part(['a'])
    void parted?.then(() => {
      isOver = true
    })
    joining.hear(get('B'), { type: 'parted', id: 'a' })
    await Promise.resolve()
    expect(isOver).toBe(false)
    if (how === 'dies') joining.leaves('C', true)
    else joining.hear(get('C'), { type: 'parted', id: 'a' })
    await parted
    expect(isOver).toBe(true)
  })

  test('and not for ever', async () => {
    const parted = joining.part(['a'])
    pass(1000)
    await parted
    expect(types('C')).toEqual(['part'])
  })

  test('gets no more guests, until a worker listens on it again', () => {
    void joining.part(['a'])
    obey()
    joining.changed()
    pass(0)
    expect(hosts.flatMap(({ heard }) => heard)).toEqual([])
    joining.listens('a')
    joining.changed()
    pass(0)
    expect([types('B'), types('C')]).toEqual([['join'], ['join']])
  })
})

test('a join that was not answered is waited for, too', async () => {
  const parted = joining.part(['a'])
  for (const name of ['B', 'C']) {
    joining.hear(get(name), { type: 'joined', id: 'a', isTaken: true })
    joining.hear(get(name), { type: 'parted', id: 'a' })
  }
  await parted
  expect(types('B')).toEqual(['join', 'join', 'part'])
})

test('a dead worker: its queue keeps its guests, and it is asked nothing', () => {
  obey()
  queues[0] = { ...(queues[0] as KeptQueue), owners: [] }
  const [dead] = hosts.splice(0, 1)
  joining.leaves('A', true)
  pass(0)
  expect([types('B'), types('C'), dead?.heard]).toEqual([[], [], []])
})

test('where clients stay with their worker, only the queue of a dead one has guests', () => {
  isSticky = true
  joining.changed()
  pass(0)
  obey()
  pass(0)
  for (const one of hosts) one.heard.length = 0
  queues[0] = { ...(queues[0] as KeptQueue), owners: [] }
  hosts.splice(0, 1)
  joining.leaves('A', true)
  pass(0)
  expect([get('B').heard, get('C').heard].map(([first]) => first)).toEqual([
    expect.objectContaining({ type: 'join', id: 'a' }),
    expect.objectContaining({ type: 'join', id: 'a' }),
  ])
})

test('a worker that refuses is asked again later, and is no guest meanwhile', () => {
  for (const name of ['B', 'C']) joining.hear(get(name), { type: 'joined', id: 'a', isTaken: false })
  for (const one of hosts) one.heard.length = 0
  expect(joining.part(['b'])).toBeDefined()
  expect(joining.part(['a'])).toBeUndefined()
  joining.listens('a')
  joining.changed()
  pass(999)
  expect(types('C').filter((type) => type === 'join')).toEqual([])
  pass(5)
  expect(types('C').filter((type) => type === 'join')).toEqual(['join'])
})

test('after the end nothing is looked at', () => {
  obey()
  joining.close()
  hosts.pop()
  joining.changed()
  joining.stands(1)
  pass(5)
  expect([hosts.flatMap(({ heard }) => heard), counts.of('A', ['a']).stood]).toEqual([[], 0])
})

test('sockets of one wish and other ports are other places', () => {
  const any = { address: null, port: 0, ipv6Only: false, options: '' }
  const at = (id: string, fd: number, port: number): KeptQueue => {
    const kept: Kept = { ...fakeKept(id), fd, port, wish: any }
    return { kept, slot: fd - 1, owners: [id.toUpperCase()] }
  }
  obey()
  queues = [at('a', 1, 5001), at('b', 2, 5002), at('c', 3, 5001)]
  joining.changed()
  pass(0)
  expect(
    hosts.map(({ heard }) => heard.map((message) => `${message.type} ${'id' in message && message.id}`).sort()),
  ).toEqual([['part b'], ['part a', 'part c'], ['part b']])
})
