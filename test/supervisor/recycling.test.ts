// Which workers are replaced for their age or their memory, and when: the decisions, and the same with processes.
import { describe, expect, test } from 'vitest'
import { type Measured, Recycling, type RecyclingLimits } from '../../src/supervisor/recycling.js'

const MB = 1 << 20
const HOUR = 3_600_000

interface Life {
  readonly slot: number
  name: string
  born: number
}

interface Replacement {
  readonly at: number
  readonly slot: number
  readonly age: number
}

interface World {
  /** Bytes of memory of a worker of this age. */
  readonly memory?: (age: number, slot: number) => number
  /** ms that a replacement takes, with the drain of the old worker. */
  readonly takes?: number
  /** Whether the successor fails. */
  readonly fails?: (at: number) => boolean
  readonly random?: () => number
}

/** Runs the decisions until `end`, as the supervisor does: one look, then a wait; no look during a replacement. */
function simulate(limits: Partial<RecyclingLimits>, count: number, end: number, world: World = {}): Replacement[] {
  const { fails = () => false, memory = () => 0, random = Math.random, takes = 500 } = world
  const recycling = new Recycling({ maxAge: undefined, maxAgeJitter: 0, maxMemory: undefined, ...limits }, random)
  const lives: Life[] = Array.from({ length: count }, (_, slot) => ({ slot, name: `${slot}.0`, born: 0 }))
  const replacements: Replacement[] = []
  const measured = (now: number): Measured[] =>
    lives.map(({ born, name, slot }) => ({ name, slot, age: now - born, memory: memory(now - born, slot) }))
  for (let now = 0; now < end; now += recycling.wait(measured(now), now)) {
    const due = recycling.due(measured(now), now)
    if (due === undefined) continue
    now += takes
    if (fails(now)) {
      recycling.failed(due, now)
      continue
    }
    const life = lives[due.worker.slot] as Life
    replacements.push({ at: now, slot: life.slot, age: due.worker.age })
    recycling.replaced(due, now)
    life.name = `${life.slot}.${replacements.length}`
    life.born = now
  }
  return replacements
}

const gaps = (all: readonly { readonly at: number }[]): number[] =>
  all.slice(1).map(({ at }, index) => at - (all[index]?.at ?? 0))

describe('age', () => {
  test('each worker is replaced when it is old enough, one after the other', () => {
    const all = simulate({ maxAge: HOUR }, 4, HOUR * 1.5)
    expect(all.map(({ slot }) => slot).sort()).toEqual([0, 1, 2, 3])
    expect(Math.min(...all.map(({ age }) => age))).toBeGreaterThanOrEqual(HOUR)
    expect(Math.min(...gaps(all))).toBeGreaterThanOrEqual(500)
  })

  test('the jitter spreads them, and nobody gets more than that', () => {
    let seed = 1
    // Evenly from 0 to 1, the same in each run.
    const random = (): number => {
      seed = (seed * 48_271) % 0x7fffffff
      return seed / 0x7fffffff
    }
    const all = simulate({ maxAge: HOUR, maxAgeJitter: HOUR / 2 }, 16, HOUR * 1.6, { random })
    expect(all).toHaveLength(16)
    for (const { age } of all) expect(age).toBeGreaterThanOrEqual(HOUR)
    for (const { age } of all) expect(age).toBeLessThanOrEqual(HOUR * 1.5 + 16 * 500 + 16_000)
    // In the same minute as few as chance has it.
    const minutes = all.map(({ at }) => Math.floor(at / 60_000))
    expect(Math.max(...minutes.map((minute) => minutes.filter((one) => one === minute).length))).toBeLessThanOrEqual(4)
  })

  test('nothing is looked at before somebody can be old', () => {
    const recycling = new Recycling({ maxAge: HOUR, maxAgeJitter: 0, maxMemory: undefined }, () => 0)
    const worker = { name: 'a', slot: 0, age: 60_000, memory: undefined }
    expect(recycling.wait([worker], 0)).toBe(HOUR - 60_000)
    expect(recycling.wait([], 0)).toBe(HOUR)
    expect(recycling.due([worker], 0)).toBeUndefined()
    // An age beyond what a timer can wait is waited for in parts.
    const long = new Recycling({ maxAge: 0x7fffffff, maxAgeJitter: 0x7fffffff, maxMemory: undefined }, () => 1)
    expect(long.wait([worker], 0)).toBe(0x7fffffff)
  })

  test('says why', () => {
    const recycling = new Recycling({ maxAge: HOUR, maxAgeJitter: 1000, maxMemory: undefined }, () => 1)
    const worker = (age: number): Measured => ({ name: 'a', slot: 0, age, memory: undefined })
    expect(recycling.due([worker(HOUR + 999)], 0)).toBeUndefined()
    expect(recycling.due([worker(HOUR + 1000)], 0)?.reason).toEqual({ why: 'age', age: HOUR + 1000, limit: HOUR })
  })
})

describe('memory', () => {
  const leak = (perSecond: number) => (age: number) => 50 * MB + (age / 1000) * perSecond

  test('a slow leak: each worker is replaced when it has reached the limit, within two looks', () => {
    // 250 MB in some 41 minutes.
    const all = simulate({ maxMemory: 300 * MB }, 3, HOUR * 2, { memory: leak(0.1 * MB) })
    expect(all.map(({ slot }) => slot).sort()).toEqual([0, 0, 1, 1, 2, 2])
    for (const { age } of all) expect(age).toBeGreaterThanOrEqual(2_500_000)
    for (const { age } of all) expect(age).toBeLessThan(2_530_000)
  })

  test('the largest first', () => {
    const recycling = new Recycling({ maxAge: HOUR, maxAgeJitter: 0, maxMemory: 100 * MB }, () => 0)
    const workers = [
      { name: 'a', slot: 0, age: 2 * HOUR, memory: 90 * MB },
      { name: 'b', slot: 1, age: HOUR, memory: 110 * MB },
      { name: 'c', slot: 2, age: 1000, memory: 120 * MB },
      { name: 'd', slot: 3, age: 1000, memory: undefined },
    ]
    expect(recycling.due(workers, 0)).toEqual({
      worker: workers[2],
      reason: { why: 'memory', memory: 120 * MB, limit: 100 * MB },
    })
    expect(recycling.due([workers[0], workers[3]] as Measured[], 0)?.worker.name).toBe('a')
    expect(recycling.wait(workers, 0)).toBeLessThanOrEqual(5000)
  })

  test('a limit below what a worker has from its beginning: ever fewer replacements, down to one in five minutes', () => {
    const all = simulate({ maxMemory: 40 * MB }, 1, 2 * HOUR, { memory: () => 50 * MB })
    const between = gaps(all)
    expect(between.slice(0, 5).map((gap) => Math.floor(gap / 10_000))).toEqual([1, 2, 4, 8, 16])
    expect(Math.min(...between.slice(5))).toBeGreaterThanOrEqual(300_000)
    expect(Math.max(...between)).toBeLessThan(310_000)
  })

  test('each slot rests for itself', () => {
    const memory = (_age: number, slot: number): number => (slot === 0 ? 500 * MB : 50 * MB)
    const all = simulate({ maxMemory: 400 * MB, maxAge: HOUR }, 2, HOUR * 1.1, { memory })
    expect(all.filter(({ slot }) => slot === 1)).toHaveLength(1)
    expect(all.filter(({ slot }) => slot === 0).length).toBeGreaterThan(5)
  })

  test('a worker that has grown slowly again is as good as new', () => {
    let leaks = true
    const memory = (age: number): number => 50 * MB + (age / 1000) * (leaks ? 30 : 0.1) * MB
    const recycling = new Recycling({ maxAge: undefined, maxAgeJitter: 0, maxMemory: 300 * MB }, () => 0)
    const at = (age: number): Measured => ({ name: 'a', slot: 0, age, memory: memory(age) })
    const fast = recycling.due([at(9000)], 9000)
    expect(fast && recycling.replaced(fast, 9000)).toBe(10_000)
    expect(recycling.due([at(9000)], 18_999)).toBeUndefined()
    const again = recycling.due([at(10_000)], 19_000)
    expect(again && recycling.replaced(again, 19_000)).toBe(20_000)
    leaks = false
    const slow = recycling.due([at(2_500_000)], 2_600_000)
    expect(slow && recycling.replaced(slow, 2_600_000)).toBeUndefined()
    expect(recycling.due([{ ...at(9000), memory: 400 * MB }], 2_609_000)).toBeDefined()
  })
})

test('a successor that fails: the worker goes on, and is tried ever less often, until one does not fail', () => {
  const attempts: number[] = []
  const fails = (at: number): boolean => {
    attempts.push(at)
    return at < HOUR * 2
  }
  const all = simulate({ maxAge: HOUR }, 1, HOUR * 2.5, { fails })
  const between = gaps(attempts.map((at) => ({ at })))
  expect(between.slice(0, 5).map((gap) => Math.floor(gap / 10_000))).toEqual([1, 2, 4, 8, 16])
  expect(Math.max(...between)).toBeLessThan(310_000)
  expect(all).toHaveLength(1)
  expect(all[0]?.age).toBeGreaterThanOrEqual(HOUR * 2 - HOUR)
})
