// The register of sockets: what must hold after any sequence of events, with messages in any order, and by example.
// REUSEPORT_MODEL_RUNS sets the number of random sequences (100,000 take minutes).

import process from 'node:process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Register } from '../../src/supervisor/socket-register.js'
import { World } from './register-world.js'

const RUNS = Number(process.env['REUSEPORT_MODEL_RUNS'] ?? 2_000)
const PLACES = ['80', '443']

type Step = (world: World, one: number, other: number) => void

const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)]
const worker = (world: World, index: number) => pick([...world.workers.values()], index)
const slot = (world: World, index: number): number => pick([...world.slots.keys()], index) ?? 0

/** Each is drawn as often as it stands here. */
const STEPS: readonly Step[] = [
  (world) => world.slots.size < 4 && world.openSlot(),
  (world, one) => world.start(slot(world, one)),
  (world, one) => world.start(slot(world, one)),
  (world, one) => world.ask(slot(world, one)),
  (world, one) => world.ask(slot(world, one)),
  (world, one) => world.promote(slot(world, one)),
  (world, one) => world.promote(slot(world, one)),
  (world, one) => world.shrink(slot(world, one)),
  (world, one) => world.relieve(slot(world, one)),
  (world, one, other) => worker(world, one)?.listen(pick(PLACES, other) as string, world.isShared),
  (world, one, other) => worker(world, one)?.listen(pick(PLACES, other) as string, world.isShared),
  (world, one) => worker(world, one)?.listen('80', world.isShared),
  (world, one, other) => worker(world, one)?.close(other % Math.max(1, worker(world, one)?.servers.length ?? 1)),
  (world, one) => {
    const last = [...(worker(world, one)?.wants.values() ?? [])].at(-1)
    if (last !== undefined) last.isWanted = false
  },
  (world, one) => {
    const dying = worker(world, one)
    if (dying !== undefined) world.crash(dying)
  },
  ...Array.from(
    { length: 5 },
    (): Step => (world, one) => {
      const from = worker(world, one)
      if (from !== undefined) world.deliverToSupervisor(from)
    },
  ),
  ...Array.from(
    { length: 5 },
    (): Step => (world, one) => {
      const to = worker(world, one)
      if (to !== undefined) world.deliverToWorker(to)
    },
  ),
  (world, one) => worker(world, one)?.drained(),
  (world) => world.settle(),
]

const steps = fc.array(fc.tuple(fc.nat(STEPS.length - 1), fc.nat(40), fc.nat(40)), {
  minLength: 1,
  maxLength: 120,
  size: 'max',
})

describe.each([
  ['a socket for each worker', false],
  ['one socket for all', true],
])('%s: after any sequence of events', (_name, isShared) => {
  test('each kept socket has somebody who accepts or will', () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const world = new World(isShared)
        for (const [step, one, other] of sequence) {
          STEPS[step]?.(world, one, other)
          world.check()
        }
        world.settle()
        world.checkSettled()
        // When all have ended, nothing is kept.
        for (const one of [...world.slots.keys()]) {
          const { starting } = world.slots.get(one) ?? {}
          if (starting !== undefined) world.crash(starting)
          world.shrink(one)
        }
        for (const one of [...world.workers.values()]) world.crash(one)
        expect(world.register.sockets).toEqual([])
        expect([...world.kept]).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })
})

/** A register with one worker that is ready and accepts from `s` at the place 80. */
function served(): Register {
  const register = new Register(() => false)
  register.openSlot()
  register.started('old', 0)
  register.listening('old', 's', '80', true)
  register.ready('old')
  return register
}

/** Then its successor `new` has followed, and `old` drains. */
function handedOver(): Register {
  const register = served()
  register.started('new', 0)
  register.listening('new', 's', '80', true)
  register.ready('new')
  expect(register.leaves('old')).toEqual({ handOver: ['s'], actions: [] })
  return register
}

const BACK = [{ type: 'give-back', worker: 'old', id: 's' }]
const CLOSE = [{ type: 'close', id: 's' }]

describe('a successor that closes while the old worker still drains', () => {
  const closes = (register: Register) => {
    register.closed('new', 's')
    return register.released('new', ['s'], ['s'])
  }

  test('gives the socket back, and the supervisor closes its own when the old worker has it', () => {
    const register = handedOver()
    expect(closes(register)).toEqual(BACK)
    // Until then the socket stays, and no other worker gets it.
    expect(register.endSlot(7)).toEqual([])
    expect(register.started('third', 0)).toEqual([])
    expect(register.tookBack('old', 's', true)).toEqual([...CLOSE, { type: 'yours', worker: 'old', id: 's' }])
    expect(register.sockets).toEqual([])
  })

  test('and that dies: the socket waits for the next worker, or goes back where none will come', () => {
    const register = handedOver()
    expect(register.gone('new')).toEqual([])
    expect(register.endSlot(0)).toEqual(BACK)
  })

  test.each([
    ['has drained', (register: Register) => register.note('old', { hasDrained: true })],
    ['has no channel', (register: Register) => register.note('old', { isConnected: false })],
    ['has ended', (register: Register) => register.gone('old')],
  ])('and the old worker %s: nobody takes it back', (_what, event) => {
    const before = handedOver()
    event(before)
    expect(closes(before)).toEqual(CLOSE)
    const meanwhile = handedOver()
    closes(meanwhile)
    expect(event(meanwhile)).toEqual(CLOSE)
    expect(meanwhile.tookBack('old', 's', false)).toEqual([])
  })

  test('and the old worker does not take it: closed', () => {
    const register = handedOver()
    closes(register)
    expect(register.tookBack('old', 's', false)).toEqual(CLOSE)
    expect(register.tookBack('old', 's', true)).toEqual([{ type: 'yours', worker: 'old', id: 's' }])
  })

  test('and the old worker, which drains it itself, gets nothing', () => {
    const register = handedOver()
    register.started('third', 0)
    register.listening('third', 't', '80', true)
    expect(register.released('third', register.asks('third'), ['s'])).toEqual([])
    register.ready('third')
    // Nobody but `new` accepts from `s`.
    expect(register.leaves('new')).toEqual({ handOver: [], actions: CLOSE })
  })
})

test('what a worker opens for others after it was told to leave is theirs, and its own requests it answers itself', () => {
  const register = new Register(() => true)
  for (const worker of ['a', 'b']) register.started(worker, register.openSlot())
  expect(register.wants('a', 1, '80')).toEqual([{ type: 'open', worker: 'a', want: 1 }])
  expect(register.wants('a', 2, '80')).toEqual([])
  expect(register.wants('b', 1, '80')).toEqual([])
  expect(register.leaves('a').actions).toEqual([{ type: 'open', worker: 'a', want: 2 }])
  expect(register.listening('a', 's', '80', true)).toEqual([{ type: 'take', worker: 'b', want: 1, id: 's' }])
  expect(register.sockets).toMatchObject([{ id: 's', accepting: ['b'] }])
  expect(register.wants('a', 3, '80')).toEqual([{ type: 'open', worker: 'a', want: 3 }])
})

describe('a program that closes the first server and listens again', () => {
  test('is not ready in between, and gets the same socket', () => {
    const register = served()
    expect(register.started('new', 0)).toEqual(['s'])
    register.listening('new', 's', '80', true)
    expect(register.isReady('new')).toBe(true)
    expect(register.closed('new', 's')).toEqual([])
    expect(register.isReady('new')).toBe(false)
    register.listening('new', 's', '80', true)
    expect(register.asks('new')).toEqual([])
    register.ready('new')
    expect(register.leaves('old')).toEqual({ handOver: ['s'], actions: [] })
  })

  test('and that closes it when the old worker has gone: the socket goes too', () => {
    const register = handedOver()
    register.gone('old')
    expect(register.closed('new', 's')).toEqual([{ type: 'release', worker: 'new', ids: ['s'] }])
    expect(register.released('new', ['s'], ['s'])).toEqual([{ type: 'close', id: 's' }])
  })

  test('and that listens again before it hears that it should release: the socket stays', () => {
    const register = handedOver()
    register.closed('new', 's')
    register.listening('new', 's', '80', true)
    expect(register.released('new', ['s'], [])).toEqual([])
    expect(register.sockets).toMatchObject([{ id: 's', accepting: ['new'], offered: ['new'] }])
    // It still has its duplicate, and is asked again.
    expect(register.closed('new', 's')).toEqual([{ type: 'release', worker: 'new', ids: ['s'] }])
  })
})

describe('readiness', () => {
  test('is by place: a socket of its own at the same place will do', () => {
    const register = served()
    register.started('new', 0)
    register.listening('new', 'n', '443', true)
    expect(register.isReady('new')).toBe(false)
    register.listening('new', 'm', '80', true)
    expect(register.isReady('new')).toBe(true)
    // The old worker drains its socket, which nobody else has any more.
    expect(register.released('new', register.asks('new'), ['s'])).toEqual([])
    register.ready('new')
    expect(register.leaves('old')).toEqual({ handOver: [], actions: [{ type: 'close', id: 's' }] })
  })

  test('asks for as many servers at a place as the old worker has, also for one that it opens meanwhile', () => {
    const register = served()
    register.started('new', 0)
    register.listening('new', 's', '80', true)
    register.listening('old', 't', '80', true)
    expect(register.isReady('new')).toBe(false)
    register.listening('new', 'u', '80', true)
    expect(register.isReady('new')).toBe(true)
  })

  test('of a worker that follows a dead one: each place that waits', () => {
    const register = served()
    register.listening('old', 't', '443', true)
    register.gone('old')
    expect(register.started('new', 0)).toEqual(['s', 't'])
    register.listening('new', 's', '80', true)
    expect(register.isReady('new')).toBe(false)
    register.listening('new', 't', '443', true)
    expect(register.isReady('new')).toBe(true)
  })

  test('by word, or by a nested server', () => {
    const register = new Register(() => false)
    register.openSlot()
    register.started('a', 0)
    expect(register.isReady('a')).toBe(false)
    register.note('a', { hasNested: true })
    expect(register.isReady('a')).toBe(true)
    register.note('a', { hasNested: false, saidReady: true })
    expect(register.isReady('a')).toBe(true)
    expect(register.isReady('unknown')).toBe(false)
    register.note('unknown', { saidReady: true })
  })
})

test('a worker that leaves is never ready', () => {
  const register = served()
  register.started('new', 0)
  register.listening('new', 's', '80', true)
  expect(register.leaves('new', true).handOver).toEqual(['s'])
  register.note('new', { saidReady: true, hasNested: true })
  expect([register.isReady('new'), register.accepts('new')]).toEqual([false, false])
})

test('sockets for all wait for a slot without a worker, whoever leaves meanwhile, and have to be taken again', () => {
  const register = new Register(() => true)
  for (const worker of ['a', 'b']) {
    register.started(worker, register.openSlot())
    register.wants(worker, 1, '80')
    register.listening(worker, 's', '80', true)
    register.ready(worker)
  }
  register.gone('a')
  expect(register.leaves('b')).toEqual({ handOver: ['s'], actions: [] })
  register.started('c', 0)
  register.note('c', { hasNested: true })
  expect(register.isReady('c')).toBe(false)
  expect(register.wants('c', 1, '80')).toEqual([{ type: 'take', worker: 'c', want: 1, id: 's' }])
  expect(register.isReady('c')).toBe(true)
  expect(register.gone('b')).toEqual([])
  expect(register.endSlot(1)).toEqual([])
  expect(register.sockets).toMatchObject([{ id: 's', accepting: ['c'] }])
})

test('a worker without a channel hands nothing over, and its successor gets nothing of it', () => {
  const register = served()
  register.note('old', { isConnected: false })
  expect(register.started('new', 0)).toEqual([])
  register.listening('new', 'n', '80', true)
  register.ready('new')
  expect(register.leaves('old')).toEqual({ handOver: [], actions: [{ type: 'close', id: 's' }] })
})

test('a given socket is everybody’s and stays', () => {
  const register = new Register(() => false)
  register.given('g', '80')
  register.openSlot()
  expect(register.started('a', 0)).toEqual(['g'])
  register.listening('a', 'g', '80', true)
  register.ready('a')
  expect(register.leaves('a').handOver).toEqual(['g'])
  expect(register.gone('a')).toEqual([])
  expect(register.endSlot(0)).toEqual([])
  expect(register.sockets).toMatchObject([{ id: 'g', isGiven: true }])
})

test('a leaving worker’s new socket is not kept, and nothing of an unknown one', () => {
  const register = served()
  register.leaves('old')
  expect(register.listening('old', 'late', '81', true)).toEqual([{ type: 'close', id: 'late' }])
  expect(register.listening('unknown', 'x', '81', false)).toEqual([])
  expect(register.leaves('unknown')).toEqual({ handOver: [], actions: [] })
  expect(register.gone('unknown')).toEqual([])
  expect(register.ready('unknown')).toEqual([])
  expect(register.closed('old', 'unknown')).toEqual([])
})

test('a socket that nobody could keep counts for readiness, and is the worker’s own', () => {
  const register = new Register(() => false)
  register.openSlot()
  register.started('a', 0)
  register.listening('a', 'x', '80', false)
  expect(register.isReady('a')).toBe(true)
  register.ready('a')
  expect(register.started('b', 0)).toEqual([])
  expect(register.isReady('b')).toBe(false)
  expect(register.gone('a')).toEqual([])
})

test('a socket for all waits for the next worker of any slot, and not for a slot that ends', () => {
  const register = new Register(() => true)
  register.openSlot()
  register.openSlot()
  register.started('a', 0)
  expect(register.wants('a', 1, '80')).toEqual([{ type: 'open', worker: 'a', want: 1 }])
  register.listening('a', 's', '80', true)
  register.ready('a')
  expect(register.gone('a')).toEqual([])
  register.started('b', 0)
  register.listening('b', 't', '443', true)
  register.ready('b')
  expect(register.leaves('b')).toEqual({ handOver: [], actions: [{ type: 'close', id: 't' }] })
  // Only the second slot still waits for a worker.
  expect(register.endSlot(1)).toEqual([{ type: 'close', id: 's' }])
})
