// Who joins whose queue: by example, and what must hold in a model of workers whose loops are busy, stopped or dead.
// REUSEPORT_MODEL_RUNS sets the number of random worlds.
import process from 'node:process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JOINS_PER_SECOND, type JoinAction, Joins, type QueueState } from '../../src/supervisor/joins.js'
import { GUESTS, RELAX } from '../../src/supervisor/joins-entries.js'
import { JoinsWorld, type ModelQueue, type ModelWorker, randomOf, statistics } from './joins-world.js'

const RUNS = Number(process.env['REUSEPORT_MODEL_RUNS'] ?? 15)

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T
const own = (worker: ModelWorker): ModelQueue => at(worker.own, 0)
const count = (world: JoinsWorld, type: JoinAction['type'], since = 0): number =>
  world.actions.filter((one) => one.action.type === type && one.at >= since).length

function worldOf(workers: number, seed: number, cpus?: number): JoinsWorld {
  const world = new JoinsWorld({ seed, ...(cpus !== undefined && { cpus }) })
  for (let index = 0; index < workers; index++) world.add()
  // Each queue is watched.
  world.run(1)
  return world
}

/** Connections that arrive at random, `rate` in a ms, at random queues. */
function arrivals(world: JoinsWorld, seed: number, rate: number, costs: readonly number[]): () => void {
  const random = randomOf(seed)
  let next = world.now
  return () => {
    for (; world.now >= next; next -= Math.log(1 - random()) / rate)
      world.connect(at(world.queues, Math.floor(random() * 1e6)), at(costs, Math.floor(random() * 1e6)))
  }
}

/** The load has ended: each connection is served, no worker is a guest any more, and the supervisor sleeps. */
function ends(world: JoinsWorld, time = 1000): void {
  world.run(time)
  for (const queue of world.queues) {
    expect(queue.waiting).toEqual([])
    if (queue.owners.size > 0) expect(world.guests(queue)).toEqual([])
  }
  const { looks } = world
  world.run(100)
  if (world.queues.every(({ owners }) => owners.size > 0)) expect(world.looks).toBe(looks)
}

describe('a queue that stands', () => {
  test('is joined by an idle worker, which parts when the owner answers', () => {
    const world = worldOf(3, 1)
    const [stopped] = world.workers as [ModelWorker]
    world.stop(stopped, 200)
    world.connect(own(stopped), 0.1)
    world.run(10)
    expect(world.times.length).toBe(1)
    expect(at(world.times, 0)).toBeLessThan(4)
    world.run(100)
    // The owner stands still: the guests stay although the queue is empty.
    expect(world.guests(own(stopped)).length).toBeGreaterThan(0)
    expect(count(world, 'ping')).toBe(1)
    ends(world)
    expect(count(world, 'join')).toBe(count(world, 'part'))
  })

  test('is joined by nobody where nobody is idle, and looks become rare', () => {
    const world = worldOf(4, 2)
    for (const worker of world.workers) {
      world.stop(worker, 2000)
      world.connect(own(worker), 1)
    }
    const { looks } = world
    world.run(1900)
    expect(count(world, 'join')).toBe(0)
    expect(world.looks - looks).toBeLessThan(300)
    ends(world)
  })

  test('two of them are served by one worker', () => {
    const world = worldOf(3, 3)
    const [one, other] = world.workers as [ModelWorker, ModelWorker]
    world.stop(one, 300)
    world.stop(other, 300)
    world.run(250, arrivals(world, 3, 0.05, [0.1]))
    expect(statistics(world.times).p99).toBeLessThan(5)
    ends(world)
  })

  test('all workers share the guests: none is always chosen', () => {
    const world = worldOf(6, 4)
    const [stopped] = world.workers as [ModelWorker]
    for (let round = 0; round < 10; round++) {
      world.stop(stopped, 50)
      world.connect(own(stopped), 0.1)
      world.run(1500)
    }
    const asked = world.actions.flatMap(({ action }) => (action.type === 'join' ? [action.worker] : []))
    expect(new Set(asked).size).toBe(5)
  })
})

describe('the queue of a dead worker', () => {
  test('is joined at once, before a connection waits, and left when its successor answers', () => {
    const world = worldOf(4, 5)
    const [dead] = world.workers as [ModelWorker]
    const queue = own(dead)
    world.die(dead)
    world.run(2)
    expect(world.guests(queue).length).toBe(GUESTS)
    world.run(1000, () => world.random() < 0.01 && world.connect(queue, 0.1))
    expect(statistics(world.times).p99).toBeLessThan(1)
    world.own(queue, world.add())
    ends(world, 100)
  })

  test('is joined by others when a guest dies', () => {
    const world = worldOf(6, 6)
    const [dead] = world.workers as [ModelWorker]
    const queue = own(dead)
    world.die(dead)
    world.run(2)
    const guests = world.guests(queue)
    for (const guest of guests) world.die(guest)
    world.run(20)
    expect(world.guests(queue).length).toBe(2)
  })
})

describe('what it costs', () => {
  test.each([10, 20, 40])('an owner that stands still for 20 ms and runs for %i: the guests stay', (pause) => {
    const world = worldOf(3, 7)
    const [flapping] = world.workers as [ModelWorker]
    const load = arrivals(world, 7, 0.5, [0.1])
    let next = 0
    world.run(3000, () => {
      load()
      if (world.now < next) return
      world.stop(flapping, 20)
      next = world.now + 20 + pause
    })
    // In one second: a visit takes 40 ms then, and has one or two guests.
    expect(count(world, 'ping') / 3).toBeLessThan(25)
    expect(count(world, 'join') / 3).toBeLessThan(50)
    expect(statistics(world.times).p99).toBeLessThan(5)
    ends(world)
  })

  test('all workers are slow: few joins', () => {
    const world = worldOf(4, 8, 2)
    world.run(5000, arrivals(world, 8, 0.12, [20]))
    expect(count(world, 'join', 1000) / 4).toBeLessThan(20)
    ends(world, 20_000)
  })

  test.each([
    [2, 30],
    [4, 30],
    // Four workers for each CPU: a loop that waits for its CPU looks like one that is busy.
    [8, 250],
  ])('%i workers on 2 CPUs with as many cheap requests as they can serve: few joins', (workers, most) => {
    const world = worldOf(workers, 9, 2)
    const random = randomOf(9)
    world.run(3000, () => {
      let open = 0
      for (const { waiting } of world.queues) open += waiting.length
      for (const { work } of world.workers) open += work.length
      for (; open < 64; open++) world.connect(at(world.queues, Math.floor(random() * 1e6)), 0.15)
    })
    // In one second.
    expect(count(world, 'join', 1000) / 2).toBeLessThan(most)
    ends(world)
  })

  test('more patience where joins are dear, and none any more when they are not', () => {
    const joins = new Joins(1)
    const look = (now: number, length: number) => {
      const queues = ['a', 'b'].map((id) => ({ id, place: '80', length: id === 'a' ? length : 1, owners: [id] }))
      return joins.look({ queues, hosts: new Set(['a', 'b']), now })
    }
    const patience = (now: number, length: number): number | undefined => {
      for (const action of look(now, length).actions) {
        if (action.type === 'watch' && action.id === 'a') return action.patience
      }
      return undefined
    }
    expect(patience(0, 0)).toBe(1)
    // Nobody is idle: each report asks for twice the patience.
    const asked: (number | undefined)[] = []
    for (let now = 1; now < 7; now++) {
      joins.stands('a', now)
      asked.push(patience(now, 3))
    }
    expect(asked).toEqual([2, 4, 8, 16, 32, 32])
    for (let reports = 0; reports < 60; reports++) {
      joins.stands('a', 10)
      look(10, 3)
    }
    expect(patience(20, 0)).toBeUndefined()
    const { actions, next } = look(100, 0)
    expect(actions).toEqual([])
    expect(next).toBe(RELAX)
    expect(patience(1100, 0)).toBe(1)
    expect(look(1101, 0)).toEqual({ actions: [], next: undefined })
  })

  test('nothing where there is nothing to do', () => {
    const world = worldOf(8, 10)
    const { looks } = world
    world.run(1000, () => world.random() < 0.02 && world.connect(at(world.queues, world.times.length), 0.1))
    expect(count(world, 'join')).toBe(0)
    expect(world.looks - looks).toBe(0)
  })

  test('one socket that all workers share is joined by nobody', () => {
    const world = new JoinsWorld({ seed: 11 })
    const queue = world.addQueue('80')
    for (let index = 0; index < 3; index++) world.own(queue, world.add([]))
    for (const worker of world.workers) world.stop(worker, 100)
    world.connect(queue, 1)
    ends(world)
    expect(count(world, 'join')).toBe(0)
  })
})

describe('a guest', () => {
  test('that never parts is asked once, and others join', () => {
    const world = worldOf(6, 12)
    const [stopped, ...others] = world.workers as [ModelWorker]
    world.stop(stopped, 50)
    world.connect(own(stopped), 0.1)
    world.run(20)
    const mute = at(world.guests(own(stopped)), 0)
    mute.isMute = true
    for (let round = 0; round < 10; round++) {
      world.run(1500)
      world.stop(stopped, 50)
      world.connect(own(stopped), 0.1)
    }
    world.run(1500)
    const told = world.actions.filter(({ action }) => 'worker' in action && action.worker === mute.name)
    expect(told.filter(({ action }) => action.type !== 'ping').length).toBe(2)
    expect(world.guests(own(stopped))).toEqual([mute])
    expect(statistics(world.times).p99).toBeLessThan(5)
    expect(others.length).toBe(5)
  })

  test('parts where its own queue stands', () => {
    const world = worldOf(2, 13)
    const [stopped, guest] = world.workers as [ModelWorker, ModelWorker]
    world.stop(stopped, 500)
    world.connect(own(stopped), 0.1)
    world.run(20)
    expect(world.guests(own(stopped))).toEqual([guest])
    world.stop(guest, 20)
    world.connect(own(guest), 0.1)
    world.run(19)
    expect(count(world, 'part')).toBe(1)
    ends(world)
  })

  test('is of the same place', () => {
    const world = new JoinsWorld({ seed: 14 })
    const both = world.add(['80', '443'])
    world.add(['80'])
    world.run(1)
    world.stop(both, 100)
    for (const queue of both.own) world.connect(queue, 0.1)
    world.run(90)
    expect(both.own.map((queue) => world.guests(queue).length)).toEqual([1, 0])
    ends(world)
  })

  test('that cannot take the socket is left alone for a second', () => {
    const joins = new Joins(4)
    const queues: readonly QueueState[] = [
      { id: 'a', place: '80', length: 1, owners: ['one'] },
      { id: 'b', place: '80', length: 0, owners: ['other'] },
    ]
    const look = (now: number) => joins.look({ queues, hosts: new Set(['one', 'other']), now }).actions
    look(0)
    joins.stands('a', 1)
    const join = { type: 'join', worker: 'other', id: 'a' }
    expect(look(1)).toEqual([join, { type: 'ping', worker: 'one' }])
    joins.joined('other', 'a', false, 2)
    for (let now = 2; now < 1000; now += 8) expect(look(now)).toEqual([])
    expect(look(1003)).toEqual([join])
    expect(joins.removed('a')).toEqual([{ type: 'part', worker: 'other', id: 'a' }])
  })
})

test('a supervisor that stands still for a second goes on afterwards', () => {
  const world = worldOf(4, 15)
  const [stopped] = world.workers as [ModelWorker]
  const load = arrivals(world, 15, 0.2, [0.1])
  world.run(100, load)
  world.stop(stopped, 2000)
  world.run(100, load)
  world.supervisorStoppedUntil = world.now + 1000
  const { length } = world.times
  world.run(1500, load)
  // Its guests go on meanwhile.
  expect(statistics(world.times.slice(length)).p99).toBeLessThan(5)
  ends(world)
})

describe('CPU-bound requests, 70 % of the CPUs: compared with one queue for all workers', () => {
  const run = (workers: number, isShared: boolean, seed: number): readonly number[] => {
    const world = new JoinsWorld({ seed, cpus: 2, isJoining: !isShared })
    if (isShared) {
      const queue = world.addQueue('80')
      for (let index = 0; index < workers; index++) world.own(queue, world.add([]))
    } else for (let index = 0; index < workers; index++) world.add()
    world.run(30_000, arrivals(world, seed, (2 * 0.7) / 30, [10, 30, 50]))
    return world.times
  }

  test.each([2, 4])('%i workers on 2 CPUs', (workers) => {
    const seeds = [1, 2, 3]
    const shared = statistics(seeds.flatMap((seed) => run(workers, true, seed)))
    const joined = statistics(seeds.flatMap((seed) => run(workers, false, seed)))
    expect(joined.mean / shared.mean).toBeLessThan(1.1)
    expect(joined.p99 / shared.p99).toBeLessThan(1.2)
    expect(joined.deviation / shared.deviation).toBeLessThan(1.15)
  })
})

type Step = (world: JoinsWorld, worker: ModelWorker, random: () => number) => void

/** What happens to workers, each as often as it stands here. */
const STEPS: readonly Step[] = [
  (world, worker) => world.workers.length > 1 && world.die(worker),
  (world) => {
    const queue = world.queues.find(({ owners }) => owners.size === 0)
    if (queue !== undefined) world.own(queue, world.add([]))
    else if (world.workers.length < 64) world.add()
  },
  (world, worker) => {
    if (!worker.isHost || world.workers.filter(({ isHost }) => isHost).length < 2) return
    for (const queue of [...worker.own]) if (queue.waiting.length === 0) world.remove(queue)
    world.leave(worker)
  },
  ...Array.from({ length: 5 }, (): Step => (world, worker, random) => world.stop(worker, random() * 100)),
  (world, worker) => world.stop(worker, 1000),
  (world, _, random) => {
    world.supervisorStoppedUntil = world.now + random() * 50
  },
]

const given = fc.record({
  seed: fc.nat(1e6),
  workers: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(64)),
  places: fc.constantFrom(['80'], ['80', '443']),
  rate: fc.constantFrom(0.01, 0.1, 1),
  costs: fc.constantFrom([0.1], [0.1, 5], [10, 30]),
  steps: fc.array(fc.tuple(fc.nat(STEPS.length - 1), fc.nat(100), fc.nat(60)), { maxLength: 25 }),
})

test('at most so many joins in any second', () => {
  const joins = new Joins(4)
  const names = Array.from({ length: 64 }, (_, index) => `w${index}`)
  let asked = 0
  for (let now = 0; now < 1000; now += 5) {
    // Half of the queues stand, and each guest parts at once.
    const queues = names.map((id, index) => ({ id, place: '80', length: (index % 2) * 3, owners: [id] }))
    for (const id of names) joins.stands(id, now)
    const { actions } = joins.look({ queues, hosts: new Set(names), now })
    for (const action of actions) {
      if (action.type !== 'join') continue
      asked++
      joins.joined(action.worker, action.id, true, now)
      joins.parted(action.worker, action.id, 1, now)
    }
  }
  expect(asked).toBe(JOINS_PER_SECOND)
})

test('in any world: at most three guests, bounded messages, and in the end none', () => {
  fc.assert(
    fc.property(given, ({ seed, workers, places, rate, costs, steps }) => {
      const world = new JoinsWorld({ seed })
      for (let index = 0; index < workers; index++) {
        world.add(index % 3 === 2 ? places.slice(0, 1) : places)
      }
      const load = arrivals(world, seed, Math.min(rate, (workers * 0.5) / at(costs, 1)), costs)
      for (const [step, one, time] of steps) {
        at(STEPS, step)(world, at(world.workers, one), world.random)
        world.run(time, () => world.queues.length > 0 && load())
      }
      for (const queue of world.queues) if (queue.owners.size === 0) world.own(queue, world.add([]))
      ends(world, 4000)
      expect(world.mostGuests).toBeLessThanOrEqual(GUESTS)
      expect(world.longestStay).toBeLessThan(60)
      const joins = world.actions.filter(({ action }) => action.type === 'join').map((one) => one.at)
      joins.forEach((time, index) => {
        expect((joins[index + JOINS_PER_SECOND] ?? Number.POSITIVE_INFINITY) - time).toBeGreaterThanOrEqual(1000)
      })
    }),
    { numRuns: RUNS },
  )
})

test.each([2, 4, 16, 64])('%i workers: no connection waits for long while a worker is idle', (workers) => {
  const world = worldOf(workers, 16)
  world.run(2000, arrivals(world, 16, Math.min(0.3, (workers * 0.5) / 20), [10, 30]))
  expect(world.neglected).toBeLessThan(20)
  ends(world)
})
