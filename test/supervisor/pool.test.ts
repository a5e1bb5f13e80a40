// The workers of a supervisor, without processes: who replaces whom, which sockets stay, what is told.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseOptions } from '../../src/supervisor/options.js'
import { Pool, type PoolOwner } from '../../src/supervisor/pool.js'
import type { Slot } from '../../src/supervisor/slot.js'
import { type FakeWorker, fakeKept, fakeLaunch, listening } from '../support/fake-worker.js'

const fakes = vi.hoisted(() => ({ launch: undefined as unknown }))
// The handles of these tests are none: no addon can tell where they are bound.
vi.mock('../../src/native/addon.js', () => ({ loadAddon: () => ({ loaded: false, reason: 'none', cause: undefined }) }))
vi.mock('../../src/supervisor/launch.js', () => ({
  launchProcess: (...args: unknown[]) => (fakes.launch as (...all: unknown[]) => unknown)(...args),
}))

let workers: FakeWorker[]
let started: (worker: FakeWorker, index: number) => void
let told: unknown[][]
let stop: AbortController

beforeEach(() => {
  started = (worker) => worker.listens()
  const fake = fakeLaunch((worker, index) => started(worker, index))
  fakes.launch = fake.launch
  workers = fake.workers
  told = []
  stop = new AbortController()
})

afterEach(() => vi.restoreAllMocks())

function pool(more: Partial<PoolOwner> = {}): Pool {
  return new Pool({
    settings: parseOptions({ script: '/a.js', grace: 0, drainTimeout: 10, maxRestarts: 1 }),
    emit: ((...args: unknown[]) => told.push(args)) as unknown as PoolOwner['emit'],
    signal: stop.signal,
    giveUp: (error) => told.push(['gave up', error.message]),
    ports: [],
    ticketKeys: '',
    generation: 1,
    isShared: false,
    ...more,
  })
}

const names = (): unknown[] => told.map(([name]) => name)
const warnings = (): unknown[] => told.filter(([name]) => name === 'warning').map(([, text]) => text)
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))
const worker = (index: number): FakeWorker => workers[index] as FakeWorker

describe('workers come up', () => {
  test('all or none: one that does not ends the others', async () => {
    started = (one, index) => (index === 0 ? one.listens() : one.exits({ code: 5 }))
    const all = pool()
    await expect(all.grow(2, 'all or none')).rejects.toMatchObject({
      code: 'ERR_REUSEPORT_WORKER_FAILED',
      message: 'worker 1 ended with exit code 5 before it was ready',
    })
    expect(worker(0).heard).toContain('kill')
  })

  test('as many as do: the others go on', async () => {
    started = (one, index) => (index === 0 ? one.listens() : one.exits({ code: null, error: new Error('EAGAIN') }))
    const all = pool()
    await expect(all.grow(2)).rejects.toMatchObject({ cause: expect.objectContaining({ message: 'EAGAIN' }) })
    expect(worker(0).heard).toEqual([])
    expect(all.slots).toHaveLength(1)
    expect(all.kept).toEqual([])
    await all.endAll()
  })

  test('a socket that could not be kept is told, and one that is known is no news', async () => {
    const all = pool()
    await all.grow(1)
    expect(warnings()).toEqual([
      'cannot keep the socket of worker 0 on port 80: its accept queue is lost if the worker dies',
    ])
    ;(all.slots[0] as Slot).keep(fakeKept('known'))
    worker(0).tell.onMessage(listening('known'), undefined)
    expect(warnings()).toHaveLength(1)
    expect(told.at(-1)).toMatchObject(['worker:listening', {}, { isTakenOver: true }])
    await all.shrink(0)
    expect(all.alive).toEqual([])
  })

  test('what one opens whose place has gone is closed', async () => {
    const all = pool()
    await all.grow(1)
    const close = vi.fn()
    started = () => {}
    const shrunk = all.shrink(0)
    worker(0).tell.onMessage(listening('late'), { fd: 7, close })
    await shrunk
    expect(close).toHaveBeenCalledTimes(1)
    // What is not kept has no descriptor: nothing to close, nothing to keep.
    worker(0).tell.onMessage(listening('later'), undefined)
    expect(warnings().at(-1)).toBe(
      'cannot keep the socket of worker 0 on port 80: its accept queue is lost if the worker dies',
    )
  })
})

describe('a signal to a worker', () => {
  test('has it replaced', async () => {
    const all = pool()
    await all.grow(1)
    worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
    await turn()
    expect(warnings()).toContain('worker 0 (1000) got SIGTERM and is replaced')
    expect(worker(0).heard).toEqual([{ type: 'leave', kept: expect.anything(), signal: 'SIGTERM' }])
    expect(all.slots[0]?.current?.pid).toBe(1001)
    expect(names()).not.toContain('worker:restart')
    await all.endAll()
  })

  test('that comes while it starts: it is told to leave, and no other is started for it', async () => {
    started = (one) => one.tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
    const all = pool()
    const grown = all.grow(1)
    await expect(grown).rejects.toThrow('worker 0 ended with exit code 0 before it was ready')
    expect(worker(0).heard).toEqual([{ type: 'leave', kept: [], signal: 'SIGTERM' }])
    expect(workers).toHaveLength(1)
  })

  test('on its way out it changes nothing', async () => {
    const all = pool()
    await all.grow(1)
    const ended = all.shrink(0)
    worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
    await ended
    expect(worker(0).heard.filter((one) => typeof one === 'object' && one.type === 'leave')).toHaveLength(1)
    expect(workers).toHaveLength(1)
  })

  test('where the place ends before its turn comes, nobody is started', async () => {
    const all = pool()
    await all.grow(1)
    const slot = all.slots[0] as Slot
    let go = (): void => {}
    const busy = slot.run(
      () =>
        new Promise<void>((resolve) => {
          go = resolve
        }),
    )
    worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
    slot.isEnding = true
    await turn()
    go()
    await busy
    await turn()
    expect(workers).toHaveLength(1)
    slot.isEnding = false
    await all.endAll()
  })

  test('where the next does not come up it goes all the same, and another is tried', async () => {
    started = (one, index) => (index === 1 ? one.exits({ code: 2 }) : one.listens())
    const all = pool()
    await all.grow(1)
    worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGINT' }, undefined)
    await vi.waitFor(() => expect(all.slots[0]?.current?.pid).toBe(1002), 5000)
    expect(worker(0).heard).toEqual([{ type: 'leave', kept: expect.anything(), signal: 'SIGTERM' }])
    expect(told).toContainEqual(['worker:restart', 0, { delay: 100, earlyDeaths: 1 }])
    await all.endAll()
  })
})

test('the end: each is told the signal; one that asked for a successor is drained with the others', async () => {
  const all = pool()
  await all.grow(2)
  started = () => {}
  worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
  await vi.waitFor(() => expect(workers).toHaveLength(3), 5000)
  stop.abort()
  await all.endAll('SIGINT')
  const order = { type: 'leave', kept: [], signal: 'SIGINT' }
  expect([worker(0).heard, worker(1).heard, worker(2).heard]).toEqual([[order], [order], ['kill']])
  expect(names()).not.toContain('worker:restart')
})

describe('a death', () => {
  test('while it is replaced already brings nobody more', async () => {
    const all = pool()
    await all.grow(1)
    const slot = all.slots[0] as Slot
    const replaced = slot.run(() => slot.replace())
    worker(0).exits({ code: 1 })
    await replaced
    await turn()
    expect(workers).toHaveLength(2)
    expect(names()).not.toContain('worker:restart')
    await all.endAll()
  })

  test('after a reload that failed', async () => {
    started = (one, index) => (index === 1 ? one.exits({ code: 2 }) : one.listens())
    const all = pool()
    await all.grow(1)
    await expect(all.replaceAll()).rejects.toThrow('worker 0 ended with exit code 2 before it was ready')
    expect(all.slots[0]?.current?.pid).toBe(1000)
    await all.endAll()
  })

  test('a channel that is closed on the way out is no news', async () => {
    const all = pool()
    await all.grow(1)
    worker(0).tell.onDisconnect()
    expect(warnings().at(-1)).toBe('worker 0 (1000) has closed its IPC channel: only SIGTERM can make it drain')
    const count = warnings().length
    const ended = all.endAll()
    await new Promise((resolve) => setImmediate(resolve))
    worker(0).tell.onDisconnect()
    await ended
    expect(warnings()).toHaveLength(count)
  })
})

describe('one socket for all', () => {
  const wish = { address: null, port: 80, ipv6Only: false, options: '' }
  const want = (one: FakeWorker, number: number): void => {
    one.tell.onMessage({ type: 'want', want: number, wish }, undefined)
  }
  const told1 = (one: FakeWorker): unknown[] =>
    one.heard.map((message) => (typeof message === 'object' ? message.type : message))

  test('the first opens it, the others take it; what all have closed is gone', async () => {
    started = (one) => want(one, 1)
    const all = pool({ isShared: true })
    const grown = all.grow(3)
    await turn()
    expect(workers.map(told1)).toEqual([['open'], [], []])
    // A second one says that it could not: it was not asked.
    worker(1).tell.onMessage({ type: 'not-opened', wish }, undefined)
    expect(told1(worker(2))).toEqual([])
    const close = vi.fn()
    worker(0).tell.onMessage(listening('s'), { fd: 7, close })
    expect(workers.slice(1).map((one) => one.heard)).toEqual([
      [{ type: 'take', id: 's', want: 1, fd: undefined }],
      [{ type: 'take', id: 's', want: 1, fd: undefined }],
    ])
    for (const one of workers.slice(1)) one.tell.onMessage(listening('s'), undefined)
    await grown
    expect(all.kept.map(({ id }) => id)).toEqual(['s'])
    worker(0).tell.onMessage({ type: 'closed', id: 's' }, undefined)
    worker(1).tell.onMessage({ type: 'closed', id: 's' }, undefined)
    expect(close).not.toHaveBeenCalled()
    worker(2).tell.onMessage({ type: 'closed', id: 's' }, undefined)
    worker(2).tell.onMessage({ type: 'closed', id: 's' }, undefined)
    expect(close).toHaveBeenCalledTimes(1)
    expect(all.kept).toEqual([])
    await all.endAll()
  })

  test('who was to open it and dies leaves it to the next, as does who cannot', async () => {
    started = (one) => want(one, 1)
    const all = pool({ isShared: true, settings: parseOptions({ script: '/a.js', maxRestarts: 0, drainTimeout: 10 }) })
    const grown = all.grow(3).catch(() => {})
    await turn()
    worker(0).exits({ code: 1 })
    expect(told1(worker(1))).toEqual(['open'])
    worker(1).tell.onMessage({ type: 'not-opened', wish }, undefined)
    expect(told1(worker(2))).toEqual(['open'])
    worker(1).exits({ code: 1 })
    worker(2).tell.onMessage(listening('s'), { fd: 7, close() {} })
    await grown
    await all.endAll()
    expect(told1(worker(2))).toEqual(['open', 'leave'])
  })

  test('what somebody else has opened is given to all, and stays theirs', async () => {
    const closed: string[] = []
    const all = pool()
    all.give(fakeKept('given:0', closed, true))
    await all.grow(1)
    expect(worker(0).sockets.map(({ id }) => id)).toEqual(['given:0'])
    worker(0).tell.onMessage({ type: 'closed', id: 'given:0' }, undefined)
    expect(all.kept.map(({ id }) => id)).toEqual(['given:0'])
    expect(closed).toEqual([])
    await all.endAll()
  })
})
