// Workers whose event loop does not turn: who is found out, and when, and what becomes of them.
import process from 'node:process'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Hangs } from '../../src/supervisor/hangs.js'
import { freePort } from '../support/listeners.js'
import { get, supervise } from '../support/supervisors.js'

describe('who hangs', () => {
  /** Ticks from `from` on, each `interval`; the workers that answer do so between two ticks. */
  const run = (hangs: Hangs, from: number, ticks: number, answers: readonly string[], all: readonly string[]) =>
    Array.from({ length: ticks }, (_, index) => {
      const now = from + index * hangs.interval
      const { hung, ping } = hangs.tick(all, now)
      for (const name of answers) hangs.ponged(name)
      return { now, hung, ping }
    })

  test('a worker that does not answer for the whole time, once; it is pinged once', () => {
    const hangs = new Hangs(1000)
    const told = run(hangs, 0, 10, ['b'], ['a', 'b'])
    expect(told.filter(({ hung }) => hung.length > 0)).toEqual([{ now: 1000, hung: ['a'], ping: ['b'] }])
    expect(told.filter(({ ping }) => ping.includes('a')).length).toBe(1)
    expect(told.every(({ ping }) => ping.includes('b'))).toBe(true)
  })

  test('a worker that is late, but answers, does not', () => {
    const hangs = new Hangs(1000)
    for (let round = 0; round < 5; round++) {
      expect(run(hangs, round * 1000, 4, [], ['a']).flatMap(({ hung }) => hung)).toEqual([])
      hangs.ponged('a')
    }
  })

  test('a supervisor that stood still takes no worker for hung', () => {
    const hangs = new Hangs(1000)
    run(hangs, 0, 2, [], ['a'])
    expect(hangs.tick(['a'], 3_600_000).hung).toEqual([])
    hangs.ponged('a')
    expect(hangs.tick(['a'], 3_600_250).hung).toEqual([])
  })

  test('a worker that leaves and another of the same name begin anew', () => {
    const hangs = new Hangs(1000)
    run(hangs, 0, 4, [], ['a'])
    expect(hangs.tick([], 1000)).toEqual({ ping: [], hung: [] })
    expect(hangs.tick(['a'], 1250)).toEqual({ ping: ['a'], hung: [] })
  })

  test('whatever the delays of the timer: never before its time, and at most 1.5 times later', () => {
    const delays = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 40, maxLength: 40 })
    fc.assert(
      fc.property(delays, fc.double({ min: 0, max: 2000, noNaN: true }), (given, standsAt) => {
        const hangs = new Hangs(1000)
        let now = 0
        for (const delay of given) {
          now += hangs.interval + delay
          if (hangs.tick(['a'], now).hung.length > 0) {
            expect(now - standsAt).toBeGreaterThanOrEqual(1000)
            expect(now - standsAt).toBeLessThanOrEqual(1500 + 200)
            return
          }
          if (now < standsAt) hangs.ponged('a')
        }
        expect.unreachable()
      }),
    )
  })
})

describe.each([
  ['processes', false],
  ['threads', true],
])('%s', (_what, threads) => {
  test('one that computes for ever is ended and replaced; the idle one is not', { timeout: 60_000 }, async () => {
    const port = await freePort()
    await using one = supervise(
      { how: 'hangs when it is asked to', port },
      { threads, hangTimeout: 600, maxRestarts: Number.POSITIVE_INFINITY },
    )
    await one.supervisor.start()
    const before = one.supervisor.workers
    const { me } = await get(port, '127.0.0.1', '/hang')
    const idOf = ({ pid, threadId }: { pid: number; threadId: number | undefined }) => `${pid}.${threadId ?? 0}`
    await vi.waitFor(
      () => {
        const now = one.supervisor.workers
        expect(now.filter(({ state }) => state === 'ready').length).toBe(2)
        expect(now.map(idOf)).not.toContain(me)
      },
      { timeout: 30_000 },
    )
    const hung = before.find((worker) => idOf(worker) === me)
    expect(one.told.filter(([name]) => name === 'warning')).toEqual([
      ['warning', `worker ${hung?.slot} (${hung?.pid}) did not answer for 0.6 s and was ended`],
    ])
    const exits = one.told.flatMap((event) => (event[0] === 'worker:exit' ? [event[2]] : []))
    expect(exits).toMatchObject([{ isExpected: false, signal: threads ? null : 'SIGABRT' }])
    expect(one.supervisor.workers.map(idOf)).toEqual(expect.arrayContaining(before.map(idOf).filter((id) => id !== me)))
  })
})

test('a process that is stopped hangs, and is killed', { timeout: 60_000 }, async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port }, { hangTimeout: 600 })
  await one.supervisor.start()
  const [stopped] = one.supervisor.workers
  process.kill(stopped?.pid as number, 'SIGSTOP')
  await vi.waitFor(() => expect(one.told.some(([name]) => name === 'worker:exit')).toBe(true), { timeout: 30_000 })
  expect(one.told.flatMap((event) => (event[0] === 'worker:exit' ? [event[1].pid, event[2].isExpected] : []))).toEqual([
    stopped?.pid,
    false,
  ])
  await vi.waitFor(() => expect(one.supervisor.workers.filter(({ state }) => state === 'ready').length).toBe(2), {
    timeout: 30_000,
  })
})
