// Workers that are replaced for their age or their memory: with processes, under load; and when not.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { parseOptions } from '../../src/supervisor/options.js'
import { assertMeasurable } from '../../src/supervisor/preconditions.js'
import { memoryOf } from '../../src/supervisor/process-usage.js'
import { Queue } from '../../src/supervisor/queue.js'
import { readBounded } from '../../src/supervisor/read-bounded.js'
import { startRecycling } from '../../src/supervisor/recycler.js'
import { askText, load, script } from '../support/canaries.js'
import { freePort } from '../support/listeners.js'
import { event, supervise } from '../support/supervisors.js'

const MB = 1 << 20

describe.skipIf(process.platform !== 'linux')('processes (Linux tells their memory)', { timeout: 60_000 }, () => {
  test('one that has grown too large is replaced, the others stay, and no request fails', async () => {
    const port = await freePort()
    const maxMemory = 200 * MB
    await using one = supervise({ port }, { script, workers: 3, maxMemory })
    await one.supervisor.start()
    const before = one.supervisor.workers.map(({ pid }) => pid)
    const ended = load(port)
    const recycled = event(one.supervisor, 'worker:recycle')
    // On one connection, so that one worker has it all.
    const http = await import('node:http')
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let part = 0; part < 3; part++) await askText(port, agent, '/leak')
    agent.destroy()
    const [{ pid, slot }, reason] = await recycled
    expect(reason).toMatchObject({ why: 'memory', limit: maxMemory })
    expect(Reflect.get(reason, 'memory')).toBeGreaterThanOrEqual(maxMemory)
    await expect.poll(() => one.supervisor.workers.map((worker) => worker.pid), { timeout: 20_000 }).not.toContain(pid)
    const after = one.supervisor.workers.map((worker) => worker.pid)
    expect(after.filter((_, index) => index !== slot)).toEqual(before.filter((_, index) => index !== slot))
    expect((await ended()).failed).toEqual([])
    expect(one.told.filter(([name]) => name === 'worker:recycle')).toHaveLength(1)
    expect(one.told.find(([name]) => name === 'warning')?.[1]).toMatch(
      /^worker \d took only \d+ s to reach its limit of memory: its successor is not recycled for 10 s$/,
    )
  })

  test('old ones are replaced one at a time, and no request fails', async () => {
    const port = await freePort()
    await using one = supervise({ port }, { script, workers: 3, maxAge: 1000, maxAgeJitter: 0 })
    const others: string[][] = []
    const slots = new Set<number>()
    const all = new Promise<void>((resolve) => {
      one.supervisor.on('worker:recycle', (worker, reason) => {
        expect(reason).toMatchObject({ why: 'age', limit: 1000 })
        others.push(one.supervisor.workers.map(({ state }) => state))
        slots.add(worker.slot)
        if (slots.size === 3) resolve()
      })
    })
    await one.supervisor.start()
    const ended = load(port)
    await all
    expect((await ended()).failed).toEqual([])
    // Nobody starts or leaves when the next one is replaced.
    for (const states of others) expect(states).toEqual(['ready', 'ready', 'ready'])
    expect(one.supervisor.state).toBe('running')
  })

  test('the memory of a process is told, that of one which is not there is not', () => {
    const memory = memoryOf(process.pid, readBounded) ?? 0
    expect(memory).toBeGreaterThan(10 * MB)
    expect(memory).toBeLessThan(process.memoryUsage.rss() * 2)
    expect(memoryOf(0x7fffffff, readBounded)).toBeUndefined()
  })
})

test('a system that does not tell the memory of a process is an error of the option', () => {
  expect(() => assertMeasurable(() => undefined)).toThrow('the option maxMemory needs Linux')
})

describe('when nothing is recycled', () => {
  let stop = new AbortController()
  afterEach(() => {
    stop.abort()
    stop = new AbortController()
    vi.useRealTimers()
  })

  function recycling(options: object): {
    pool: { isMixed: boolean }
    replace: ReturnType<typeof vi.fn>
    told: unknown[][]
  } {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const current = { name: '1.1', state: 'ready', slot: 0, pid: process.pid, generation: 1 }
    Object.defineProperty(current, 'upTime', { get: () => performance.now() })
    const replace = vi.fn(async () => ({ failure: { why: 'late', timeout: 30_000 } }))
    const slot = { index: 0, isEnding: false, current, run: (work: () => unknown) => work(), replace }
    const pool = { slots: [slot], isMixed: false }
    const told: unknown[][] = []
    const owner = {
      settings: parseOptions({ script: '/a.js', ...options }),
      emit: (...args: unknown[]) => told.push(args),
      signal: stop.signal,
    }
    startRecycling(pool as never, new Queue(), owner as never)
    return { pool, replace, told }
  }
  test('without the options: there is no timer', () => {
    recycling({})
    expect(vi.getTimerCount()).toBe(0)
    recycling({ maxAge: 60_000 })
    expect(vi.getTimerCount()).toBe(1)
    stop.abort()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('after a reload that failed, until one succeeds', async () => {
    const { pool, replace } = recycling({ maxAge: 60_000, maxAgeJitter: 0 })
    pool.isMixed = true
    await vi.advanceTimersByTimeAsync(600_000)
    expect(replace).not.toHaveBeenCalled()
    pool.isMixed = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(replace).toHaveBeenCalledTimes(1)
  })

  test('by what throws: it is said, and the next look follows', async () => {
    const { replace, told } = recycling({ maxAge: 60_000, maxAgeJitter: 0 })
    replace.mockRejectedValueOnce(new Error('a listener throws'))
    await vi.advanceTimersByTimeAsync(62_000)
    expect(told.slice(1, 2)).toEqual([['warning', 'recycling failed: a listener throws']])
    expect(replace.mock.calls.length).toBeGreaterThan(1)
  })

  test('for a while after a successor has failed; it is said', async () => {
    const { replace, told } = recycling({ maxAge: 60_000, maxAgeJitter: 0 })
    await vi.advanceTimersByTimeAsync(69_000)
    expect(replace).toHaveBeenCalledTimes(1)
    expect(told.map(([name]) => name)).toEqual(['worker:recycle', 'warning'])
    expect(told[1]?.[1]).toBe(
      'the successor of worker 0 did not listen on a port within 30 s: worker 0 goes on, and is not recycled for 10 s',
    )
    await vi.advanceTimersByTimeAsync(2000)
    expect(replace).toHaveBeenCalledTimes(2)
  })
})

test.each([
  [{ health: 'healthz' }, "The option 'health' must be a path that begins with '/'"],
  [{ health: '/a b' }, "The option 'health' must be a path that begins with '/'"],
  [{ health: '/a\r\nX: y' }, "The option 'health' must be a path that begins with '/'"],
  [{ health: '/', threads: true }, "The option 'health' must be undefined where 'threads' is true, not '/'"],
  [{ maxMemory: 512 }, "The option 'maxMemory' must be a whole number of bytes from 1048576 on, not 512"],
  [{ maxMemory: 2 ** 30, threads: true }, "The option 'maxMemory' must be undefined where 'threads' is true"],
  [{ maxAge: 10 }, "The option 'maxAge' must be a number of milliseconds from 1000"],
  [{ maxAgeJitter: 10 }, "The option 'maxAgeJitter' must be undefined where 'maxAge' is undefined, not 10"],
  [{ soak: -1 }, "The option 'soak' must be a number of milliseconds from 0"],
])('%j is refused', (options, message) => {
  expect(() => parseOptions({ script: '/a.js', ...options })).toThrow(message)
})

test('the jitter is a tenth of the age, where it is not given', () => {
  expect(parseOptions({ script: '/a.js', maxAge: 60_000 })).toMatchObject({
    maxAge: 60_000,
    maxAgeJitter: 6000,
    soak: 0,
  })
  expect(parseOptions({ script: '/a.js' })).toMatchObject({
    health: undefined,
    maxAge: undefined,
    maxMemory: undefined,
  })
})
