// The decisions by which workers keep their numbers of connections even.
import { describe, expect, test, vi } from 'vitest'
import { type Accepting, Passing } from '../../src/supervised/passing.js'
import { isAhead } from '../../src/supervisor/ahead.js'
import { Balance } from '../../src/supervisor/balance.js'
import { ConnectionCounts } from '../../src/supervisor/connection-counts.js'
import { BalanceWorld } from '../support/balance-world.js'

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

function expectEven(world: BalanceWorld, all: number): void {
  const spread = world.spread()
  expect(spread.all).toBe(all)
  expect(spread.most - spread.fewest).toBeLessThanOrEqual(Math.max(2, spread.fewest * 0.1))
}

describe.each([4, 8])('on %i workers', (workers) => {
  describe.each([8, 32, 1000])('%i long connections', (clients) => {
    const seeds = [1, 2, 3, 4, 5]
    const worlds = (): BalanceWorld[] => seeds.map((seed) => new BalanceWorld(workers, seeded(seed)))

    test.each([2, 25])('that come every %i ms', (gap) => {
      for (const world of worlds()) {
        world.connect(clients, gap)
        expectEven(world, clients)
      }
    })

    test('by the hash alone they are not even', () => {
      const spreads = seeds.map((seed) => {
        const random = seeded(seed)
        const counts = new Array<number>(workers).fill(0)
        for (let client = 0; client < clients; client++) {
          const worker = Math.floor(random() * workers)
          counts[worker] = (counts[worker] ?? 0) + 1
        }
        const fewest = Math.min(...counts)
        return Math.max(...counts) - fewest - Math.max(2, fewest * 0.1)
      })
      expect(Math.max(...spreads)).toBeGreaterThan(0)
    })

    test('after the death of a worker, whose clients connect again', () => {
      for (const world of worlds()) {
        world.connect(clients, 2)
        const lost = world.killFirst()
        world.start()
        world.run(50)
        world.connect(lost, 2)
        expectEven(world, clients)
      }
    })

    test('after a reload, where the clients of each worker connect again', () => {
      for (const world of worlds()) {
        world.connect(clients, 2)
        for (let worker = 0; worker < workers; worker++) {
          world.start()
          const lost = world.killFirst()
          world.run(50)
          world.connect(lost, 2)
        }
        expectEven(world, clients)
      }
    })

    test('after twice as many workers and connections', () => {
      for (const world of worlds()) {
        world.connect(clients, 2)
        for (let worker = 0; worker < workers; worker++) world.start()
        world.run(50)
        world.connect(clients, 2)
        expectEven(world, clients * 2)
      }
    })
  })

  test('connections that come together', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const world = new BalanceWorld(workers, seeded(seed))
      world.connect(8 * workers, 0)
      expectEven(world, 8 * workers)
    }
  })
})

test('where nothing is uneven nothing is passed on, and nobody talks', () => {
  let turn = 0
  const world = new BalanceWorld(4, () => (turn++ % 4) / 4)
  world.connect(40, 5)
  expect(world.passedOn).toBe(0)
  const { messages } = world
  world.run(60_000)
  expect(world.messages).toBe(messages)
})

test('messages are bounded: a report each 20 ms, and a number for each worker', () => {
  const world = new BalanceWorld(8, seeded(1))
  world.run(100)
  const { messages } = world
  world.connect(1000, 1)
  const ofPasses = 4 * world.passedOn + 2 * world.kept
  // One second, eight workers, both ways.
  expect(world.messages - messages - ofPasses).toBeLessThan(50 * 8 * 2 + 100)
  expect(world.passedOn).toBeGreaterThan(10)
})

test('ahead: by 2, or by 5 %', () => {
  expect([isAhead(1, 0), isAhead(2, 0), isAhead(9, 8), isAhead(10, 8), isAhead(5, undefined)]).toEqual([
    ...[false, true, false, true, false],
  ])
  expect([isAhead(204, 195), isAhead(205, 195)]).toEqual([false, true])
})

describe('the supervisor', () => {
  function pair(more: Readonly<Record<string, number>> = {}, hosts = (_worker: string): boolean => true): Balance {
    const counts = new ConnectionCounts(hosts)
    for (const [worker, open] of Object.entries({ a: 10, b: 0, ...more })) counts.set(worker, 'p', open)
    return new Balance(counts)
  }

  test('sends one connection after the other, to the worker with fewest', () => {
    const balance = pair({ c: 1 })
    expect(balance.pass(1, 'a', 'p', true, 0)).toEqual([{ type: 'serve', pass: 1, worker: 'b' }])
    expect(balance.pass(2, 'a', 'p', true, 0)).toEqual([{ type: 'serve', pass: 2, worker: 'c' }])
    expect(balance.pass(3, 'a', 'p', true, 0)).toEqual([])
    expect(balance.served(1, 'b', true, 1, 1)).toEqual([
      { type: 'done', pass: 1 },
      { type: 'serve', pass: 3, worker: 'b' },
    ])
    expect(balance.served(1, 'b', true, 1, 1)).toEqual([])
  })

  test('gives back what no other worker should have', () => {
    expect(pair({ b: 9 }).pass(1, 'a', 'p', true, 0)).toEqual([{ type: 'keep', pass: 1 }])
    expect(pair({}, (worker) => worker === 'a').pass(1, 'a', 'p', true, 0)).toEqual([{ type: 'keep', pass: 1 }])
    expect(pair().pass(1, 'a', 'elsewhere', true, 0)).toEqual([{ type: 'keep', pass: 1 }])
  })

  test('gives back what waits too long for a worker that does not answer, and asks that worker', () => {
    const balance = pair()
    balance.pass(1, 'a', 'p', true, 0)
    balance.pass(2, 'a', 'p', true, 10)
    expect(balance.look(99)).toEqual({ actions: [], next: 1 })
    expect(balance.look(100).actions).toEqual([
      { type: 'remind', pass: 1, worker: 'b' },
      { type: 'keep', pass: 2 },
    ])
    expect(balance.pass(3, 'a', 'p', true, 101)).toEqual([{ type: 'keep', pass: 3 }])
    expect(balance.look(1099).actions).toEqual([])
    expect(balance.look(1100).actions).toEqual([{ type: 'remind', pass: 1, worker: 'b' }])
    balance.served(1, 'b', true, 1, 1101)
    expect(balance.look(1102)).toEqual({ actions: [], next: undefined })
  })

  test('finds another worker where one refuses or dies, in the end the sender', () => {
    const balance = pair({ c: 1 })
    balance.pass(1, 'a', 'p', true, 0)
    expect(balance.served(1, 'b', false, 0, 1)).toEqual([{ type: 'serve', pass: 1, worker: 'c' }])
    // The sender has been told: it cannot just keep the connection, but it gets it as any worker.
    expect(balance.gone('c', 2)).toEqual([{ type: 'serve', pass: 1, worker: 'a' }])
    expect(balance.served(1, 'a', true, 11, 3)).toEqual([{ type: 'done', pass: 1 }])
  })

  test('serves what a dead worker has passed on, whatever the numbers are', () => {
    const balance = pair({ b: 9, c: 9 })
    expect(balance.pass(1, 'a', 'p', false, 0)).toEqual([{ type: 'serve', pass: 1, worker: 'b' }])
    const busy = pair()
    busy.pass(1, 'a', 'p', true, 0)
    expect(busy.pass(2, 'a', 'p', true, 0)).toEqual([])
    expect(busy.gone('a', 1)).toEqual([])
    expect(busy.served(1, 'b', true, 1, 2)).toContainEqual({ type: 'serve', pass: 2, worker: 'b' })
  })

  test('gives up after two seconds where no worker is left', () => {
    const balance = pair()
    balance.pass(1, 'a', 'p', true, 0)
    expect(balance.gone('a', 1)).toEqual([])
    expect(balance.gone('b', 1)).toEqual([])
    expect(balance.look(1999).actions).toEqual([])
    expect(balance.look(2000).actions).toEqual([{ type: 'lost', pass: 1 }])
  })

  test('keeps at most 64 of one worker', () => {
    const balance = pair()
    for (let pass = 0; pass < 64; pass++) balance.pass(pass, 'a', 'p', true, 0)
    expect(balance.pass(64, 'a', 'p', true, 0)).toEqual([{ type: 'keep', pass: 64 }])
  })
})

describe('a worker', () => {
  interface Server extends Accepting<string> {
    readonly entered: string[]
    count: number
  }
  const server = (count: number, fewest: number | undefined): Server => {
    const entered: string[] = []
    const one: Server = { entered, count, fewest, open: () => one.count, enter: (name) => entered.push(name) }
    return one
  }
  const passing = (): { readonly one: Passing<Server, string>; readonly send: unknown; readonly close: unknown } => {
    const [send, close] = [vi.fn(), vi.fn()]
    return { one: new Passing<Server, string>({ send, close }), send, close }
  }

  test('keeps what is not too many', () => {
    const { one, send } = passing()
    expect([one.offer(server(5, 4), 'x', 0), one.offer(server(5, undefined), 'x', 0)]).toEqual([false, false])
    expect(send).not.toHaveBeenCalled()
  })

  test('sends one, and the next after the answer', () => {
    const { one, send, close } = passing()
    const at = server(6, 4)
    expect([one.offer(at, 'x', 0), one.offer(at, 'y', 0), one.offer(at, 'z', 0)]).toEqual([true, true, true])
    expect(send).toHaveBeenCalledTimes(1)
    one.answered(7, true, 0, 1)
    expect(send).toHaveBeenCalledTimes(1)
    one.answered(0, true, 4, 1)
    expect(send).toHaveBeenLastCalledWith(1, at, 'y')
    expect(close).toHaveBeenCalledWith('x')
    // The number of the others has come up: it keeps the one that was sent, and those that wait.
    one.answered(1, false, 5, 2)
    expect(at.entered).toEqual(['y', 'z'])
    expect(one.isWaiting).toBe(false)
    expect(one.look(3)).toBeUndefined()
  })

  test('serves what waits where the supervisor does not answer, but not what was sent', () => {
    const { one, send } = passing()
    const at = server(6, 4)
    one.offer(at, 'x', 0)
    one.offer(at, 'y', 10)
    expect(one.look(50)).toBe(50)
    expect(one.look(100)).toBe(10)
    // Perhaps the descriptor was lost on its way.
    expect(send).toHaveBeenLastCalledWith(0, at, undefined)
    expect(one.look(110)).toBeUndefined()
    expect(at.entered).toEqual(['y'])
    expect(one.offer(at, 'z', 111)).toBe(false)
    one.answered(0, false, 4, 1000)
    expect(at.entered).toEqual(['y', 'x'])
    expect(one.offer(at, 'z', 1001)).toBe(true)
  })

  test('holds at most 64', () => {
    const { one } = passing()
    const at = server(1000, 0)
    const offered = Array.from({ length: 70 }, (_, index) => one.offer(at, String(index), 0))
    expect(offered.filter((isTaken) => isTaken)).toHaveLength(64)
  })

  test('that leaves, or closes one of its servers, serves what was not sent', () => {
    const { one } = passing()
    const [at, other] = [server(6, 4), server(6, 4)]
    one.offer(at, 'x', 0)
    one.offer(at, 'y', 0)
    one.offer(other, 'z', 0)
    one.end(at)
    expect([at.entered, other.entered]).toEqual([['y'], []])
    one.end()
    expect(other.entered).toEqual(['z'])
    expect(one.offer(at, 'w', 0)).toBe(false)
    one.answered(0, false, 4, 1)
    expect(at.entered).toEqual(['y', 'x'])
  })

  test.each([true, false])('without a supervisor serves what was sent only where nobody can have it: %j', (isFree) => {
    const { one, close } = passing()
    const at = server(6, 4)
    one.offer(at, 'x', 0)
    one.lost(isFree)
    expect(at.entered).toEqual(isFree ? ['x'] : [])
    expect(close).toHaveBeenCalledTimes(isFree ? 0 : 1)
    expect(one.isWaiting).toBe(false)
  })
})
