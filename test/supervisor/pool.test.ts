// The workers of a supervisor, without processes: who replaces whom, which sockets stay, what is told.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseOptions } from '../../src/supervisor/options.js'
import { Pool, type PoolOwner } from '../../src/supervisor/pool.js'
import type { Slot } from '../../src/supervisor/slot.js'
import { type FakeWorker, fakeKept, fakeLaunch } from '../support/fake-worker.js'

const fakes = vi.hoisted(() => ({ launch: undefined as unknown }))
// The handles of these tests are none: no addon can tell where they are bound.
vi.mock('../../src/native/addon.js', () => ({ loadAddon: () => ({ loaded: false, reason: 'none', cause: undefined }) }))
vi.mock('../../src/supervisor/launch.js', () => ({
  launchProcess: (...args: unknown[]) => (fakes.launch as (...all: unknown[]) => unknown)(...args),
}))
vi.mock('../../src/supervisor/launch-thread.js', () => ({
  launchThread: (...args: unknown[]) => (fakes.launch as (...all: unknown[]) => unknown)(...args),
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
    ports: undefined,
    ticketKeys: '',
    generation: 1,
    isShared: false,
    repair: async () => {},
    ...more,
  })
}

const names = (): unknown[] => told.map(([name]) => name)
const warnings = (): unknown[] => told.filter(([name]) => name === 'warning').map(([, text]) => text)
/** Also where this process stood still for longer than the timer: then its immediates are behind the timer. */
const turn = async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve))
}
const worker = (index: number): FakeWorker => workers[index] as FakeWorker
const kept = (all: Pool): readonly string[] => all.sockets.all.map(({ id }) => id)
const given = (index: number): readonly string[] => worker(index).sockets.map(({ id }) => id)
const leave = (...kept: readonly string[]): unknown => ({ type: 'leave', kept, signal: 'SIGTERM' })
const wish = { address: null, port: 80, ipv6Only: false, options: '' }
const want = (one: FakeWorker, number: number): void => {
  one.tell.onMessage({ type: 'want', want: number, wish }, undefined)
}
/** What a worker was told, but for the question that every worker gets before it is ready. */
const orders = (index: number): unknown[] =>
  worker(index).heard.filter((one) => !(typeof one === 'object' && one.type === 'release' && one.ids.length === 0))

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
    expect(orders(0)).toEqual([])
    expect(all.slots).toHaveLength(1)
    expect(all.sockets.all).toEqual([])
    await all.endAll()
  })

  test('in the lowest slots that are free', async () => {
    started = (one, index) => (index === 0 ? one.exits({ code: 5 }) : one.opens(`s${index}`))
    const all = pool()
    await expect(all.grow(3)).rejects.toThrow('worker 0 ended with exit code 5')
    expect(all.slots.map(({ index }) => index)).toEqual([1, 2])
    await all.grow(4)
    expect(all.slots.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    // A new slot has none of the sockets of another.
    expect(workers.map((_, index) => given(index))).toEqual([[], [], [], [], []])
    await all.shrink(2)
    expect(all.slots.map(({ index }) => index)).toEqual([0, 1])
    await all.grow(3)
    expect(all.slots.map(({ current, index }) => [index, current?.pid])).toEqual([
      [0, 1003],
      [1, 1001],
      [2, 1005],
    ])
    expect(given(5)).toEqual([])
    await all.endAll()
  })

  test('ready when they say so, and only by that word', async () => {
    started = (one) => one.tell.onProgramMessage({ ready: true })
    const all = pool()
    const grown = all.grow(1)
    await turn()
    expect(names()).toEqual(['worker:start', 'worker:message'])
    worker(0).tell.onProgramMessage('ready')
    await grown
    expect(names().slice(2)).toEqual(['worker:message', 'worker:ready'])
    await all.endAll()
  })

  test('ready when a thread or cluster worker of the program listens', async () => {
    started = (one) => one.tell.onMessage({ type: 'nested', address: '::', family: 'IPv6', port: 80 }, undefined)
    const all = pool()
    await all.grow(1)
    expect(told[1]).toMatchObject(['worker:listening', {}, { port: 80, isTakenOver: false }])
    await all.endAll()
  })

  test('one whose program only looks whether its port is free is not ready by that', async () => {
    const closed: string[] = []
    started = (one) => {
      one.releases = (ids) => {
        // Its server has closed before it answers.
        if (kept(all).includes('looks')) one.closes('looks')
        return ids
      }
      one.opens('looks', 80, closed)
    }
    const all = pool()
    const grown = all.grow(1)
    await turn()
    expect(names()).not.toContain('worker:ready')
    expect(closed).toEqual(['looks'])
    worker(0).opens('serves', 80)
    await grown
    expect(kept(all)).toEqual(['serves'])
    await all.endAll()
  })

  test('one that cannot be started leaves nothing behind', async () => {
    const all = pool({ settings: parseOptions({ script: '/a.js', envFile: '/nowhere/.env' }) })
    await expect(all.grow(1)).rejects.toMatchObject({ cause: expect.objectContaining({ code: 'ENOENT' }) })
    expect([all.slots, all.alive, names()]).toEqual([[], [], []])
  })

  test('a socket that could not be kept is told, and one that is known is no news', async () => {
    const all = pool()
    await all.grow(1)
    expect(warnings()).toEqual([
      'cannot keep the socket of worker 0 on port 80: its accept queue is lost if the worker dies',
    ])
    worker(0).opens('known', 81)
    expect(told.at(-1)).toMatchObject(['worker:listening', {}, { isTakenOver: false }])
    worker(0).takes('known', 81)
    expect(warnings()).toHaveLength(1)
    expect(told.at(-1)).toMatchObject(['worker:listening', {}, { isTakenOver: true }])
    await all.shrink(0)
    expect(all.alive).toEqual([])
  })

  test('a socket that comes again is kept once: the second handle is closed', async () => {
    const [first, second]: [string[], string[]] = [[], []]
    const all = pool()
    started = (one) => one.opens('a', 80, first)
    await all.grow(1)
    worker(0).opens('a', 80, second)
    expect([first, second]).toEqual([[], ['a']])
    expect(kept(all)).toEqual(['a'])
    // Two servers accept from it.
    worker(0).closes('a')
    expect(first).toEqual([])
    worker(0).closes('a')
    worker(0).closes('a')
    expect(first).toEqual(['a'])
    expect(kept(all)).toEqual([])
    await all.endAll()
  })

  test('what one opens whose place has gone is closed', async () => {
    const all = pool()
    await all.grow(1)
    const closed: string[] = []
    const shrunk = all.shrink(0)
    await new Promise((resolve) => setImmediate(resolve))
    worker(0).opens('late', 80, closed)
    await shrunk
    expect(closed).toEqual(['late'])
    worker(0).opens('gone', 80, closed)
    expect(closed).toEqual(['late', 'gone'])
    // What is not kept has no descriptor: nothing to close, nothing to keep.
    worker(0).takes('later')
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
    expect(orders(0)).toEqual([leave()])
    expect(all.slots[0]?.current?.pid).toBe(1001)
    expect(names()).not.toContain('worker:restart')
    await all.endAll()
  })

  test('that comes while it starts: it is told to leave, and no other is started for it', async () => {
    started = (one) => one.tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
    const all = pool()
    const grown = all.grow(1)
    await expect(grown).rejects.toThrow('worker 0 ended with exit code 0 before it was ready')
    expect(worker(0).heard).toEqual([leave()])
    expect(workers).toHaveLength(1)
    expect(all.sockets.all).toEqual([])
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
    const closed: string[] = []
    started = (one, index) => {
      if (index === 1) one.exits({ code: 2 })
      else if (index === 0) one.opens('a', 80, closed)
      else one.takes('a', 80)
    }
    const all = pool()
    await all.grow(1)
    worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGINT' }, undefined)
    await vi.waitFor(() => expect(all.slots[0]?.current?.pid).toBe(1002), 5000)
    // Its accept queue waits for the next worker.
    expect(orders(0)).toEqual([{ type: 'leave', kept: ['a'], signal: 'SIGINT' }])
    expect(given(2)).toEqual(['a'])
    expect(closed).toEqual([])
    expect(told).toContainEqual(['worker:restart', 0, { delay: 100, earlyDeaths: 1 }])
    await all.endAll()
  })
})

describe('a successor', () => {
  test('is given what the old one accepts from; the old one hands over what it took, and drains the rest', async () => {
    const closed: string[] = []
    started = (one, index) => {
      if (index === 0) {
        one.opens('a', 80, closed)
        one.opens('b', 81, closed)
      } else {
        one.takes('a', 80)
        one.opens('c', 81, closed)
      }
    }
    const all = pool()
    await all.grow(1)
    await all.replaceAll()
    expect(given(1)).toEqual(['a', 'b'])
    expect(orders(1)).toEqual([{ type: 'release', ids: ['b'] }])
    expect(orders(0)).toEqual([leave('a')])
    expect(closed).toEqual(['b'])
    expect(kept(all)).toEqual(['a', 'c'])
    await all.endAll()
    // The last that accepts drains.
    expect(orders(1).at(-1)).toEqual(leave())
    expect(closed).toEqual(['b', 'a', 'c'])
  })

  test('is ready when it accepts wherever the old one does', async () => {
    started = (one, index) => {
      one.opens(`a${index}`, 80)
      if (index === 0) one.opens('b', 81)
    }
    const all = pool()
    await all.grow(1)
    const replaced = all.replaceAll()
    await turn()
    expect(orders(0)).toEqual([])
    // What the old one does not accept from any more is not waited for.
    worker(0).closes('b')
    worker(1).tell.onProgramMessage('anything')
    await replaced
    expect(orders(0)).toEqual([leave()])
    await all.endAll()
  })

  test('that takes nothing, but says that it is ready: the old one drains all', async () => {
    const closed: string[] = []
    started = (one, index) => (index === 0 ? one.opens('a', 80, closed) : one.tell.onProgramMessage('ready'))
    const all = pool()
    await all.grow(1)
    await all.replaceAll()
    expect(orders(1)).toEqual([{ type: 'release', ids: ['a'] }])
    expect(orders(0)).toEqual([leave()])
    expect(closed).toEqual(['a'])
    await all.endAll()
  })

  test.each([
    ['listens', (one: FakeWorker) => one.takes('a', 80), [], ['a']],
    ['drops it', (one: FakeWorker) => one.closes('a'), ['a'], []],
  ])('that has taken a socket and does not listen yet is asked once, until it %s', async (_what, goOn, gone, stays) => {
    const closed: string[] = []
    started = (one, index) => {
      if (index === 0) return one.opens('a', 80, closed)
      one.releases = () => []
      one.tell.onProgramMessage('ready')
    }
    const all = pool()
    await all.grow(1)
    await all.replaceAll()
    await turn()
    expect(orders(0)).toEqual([leave('a')])
    expect(orders(1)).toEqual([{ type: 'release', ids: ['a'] }])
    expect([kept(all), closed]).toEqual([['a'], []])
    worker(1).releases = (ids) => ids
    goOn(worker(1))
    await turn()
    expect([kept(all), closed]).toEqual([stays, gone])
    await all.endAll()
    expect(closed).toEqual(['a'])
  })

  test('that fails: what it has opened is closed, the old one and its sockets stay', async () => {
    const closed: string[] = []
    started = (one, index) => {
      one.opens(index === 0 ? 'old' : 'new', 80 + index, closed)
      if (index === 1) one.exits({ code: 3 })
    }
    const all = pool()
    await all.grow(1)
    await expect(all.replaceAll()).rejects.toThrow('worker 0 ended with exit code 3 before it was ready')
    expect(closed).toEqual(['new'])
    expect(kept(all)).toEqual(['old'])
    expect(orders(0)).toEqual([])
    await all.endAll()
  })

  test('that dies while the old one drains: another starts at once, with the sockets that both had', async () => {
    const closed: string[] = []
    started = (one, index) => (index === 0 ? one.opens('a', 80, closed) : one.takes('a', 80))
    const all = pool()
    await all.grow(1)
    worker(0).leaves = false
    const replaced = all.replaceAll()
    await vi.waitFor(() => expect(orders(0)).toEqual([leave('a')]))
    worker(1).exits({ code: 1 })
    await vi.waitFor(() => expect(all.slots[0]?.current?.pid).toBe(1002))
    expect(all.alive.map(({ pid, state }) => [pid, state])).toEqual([
      [1000, 'leaving'],
      [1002, 'ready'],
    ])
    expect(given(2)).toEqual(['a'])
    expect(closed).toEqual([])
    worker(0).exits()
    await replaced
    expect(workers).toHaveLength(3)
    await all.endAll()
  })

  test('of one that has closed its channel gets none of its sockets', async () => {
    const closed: string[] = []
    started = (one, index) => one.opens(`a${index}`, 80, closed)
    const all = pool()
    await all.grow(1)
    worker(0).isConnected = false
    worker(0).tell.onDisconnect()
    await all.replaceAll()
    expect(given(1)).toEqual([])
    expect(orders(0)).toEqual(['terminate'])
    expect(closed).toEqual(['a0'])
    await all.endAll()
  })
})

describe('the end of all', () => {
  test('waits for those that a reload told to leave; then the last sockets are closed', async () => {
    const closed: string[] = []
    started = (one) => one.takes('given:0', 80)
    const all = pool()
    all.sockets.give(fakeKept('given:0', closed, true))
    await all.grow(1)
    worker(0).leaves = false
    const replaced = all.replaceAll()
    await vi.waitFor(() => expect(orders(0)).toHaveLength(1))
    const end = vi.fn()
    const ended = all.endAll().then(end)
    await vi.waitFor(() => expect(worker(1).isConnected).toBe(false))
    await turn()
    expect(end).not.toHaveBeenCalled()
    expect(closed).toEqual([])
    worker(0).exits()
    await Promise.all([replaced, ended])
    expect(closed).toEqual(['given:0'])
    expect([all.sockets.all, all.alive, all.slots]).toEqual([[], [], []])
    // What others have opened stays in use: nobody drains it.
    expect([orders(0), orders(1)]).toEqual(workers.map(() => [leave('given:0')]))
  })

  test('the last worker drains the socket of all', async () => {
    const closed: string[] = []
    started = (one, index) => {
      if (index === 0) return one.opens('s', 80, closed)
      want(one, 1)
      one.takes('s', 80)
    }
    const all = pool({ isShared: true })
    await all.grow(3)
    worker(2).leaves = false
    const ended = all.endAll()
    await vi.waitFor(() => expect(orders(2).at(-1)).toEqual(leave()))
    expect([orders(0).at(-1), orders(1).at(-1)]).toEqual([0, 1].map(() => leave('s')))
    // The supervisor holds it no longer than the worker that drains it.
    expect(closed).toEqual(['s'])
    worker(2).exits()
    await ended
    expect(closed).toEqual(['s'])
  })

  test('each is told the signal; one that asked for a successor is drained with the others', async () => {
    const all = pool()
    await all.grow(2)
    started = () => {}
    worker(0).tell.onMessage({ type: 'relieve', signal: 'SIGTERM' }, undefined)
    await vi.waitFor(() => expect(workers).toHaveLength(3), 5000)
    all.endingSignal = 'SIGINT'
    stop.abort()
    await all.endAll()
    const order = { type: 'leave', kept: [], signal: 'SIGINT' }
    expect([orders(0), orders(1), orders(2)]).toEqual([[order], [order], ['kill']])
    expect(names()).not.toContain('worker:restart')
  })
})

describe('a death', () => {
  test('in the middle of a drain: the groups of the worker are repaired', async () => {
    const repair = vi.fn<PoolOwner['repair']>(async () => {})
    started = (one, index) => one.opens(`s${index}`, 80)
    const all = pool({ repair })
    await all.grow(2)
    worker(1).leaves = false
    const shrunk = all.shrink(1)
    await vi.waitFor(() => expect(orders(1)).toHaveLength(1), 5000)
    worker(1).exits({ code: null, signal: 'SIGKILL' })
    await shrunk
    expect(repair.mock.calls).toMatchObject([[[{ id: 's1', port: 80 }]]])
    // One that says that it has drained leaves nothing behind.
    worker(0).leaves = false
    const last = all.shrink(0)
    await vi.waitFor(() => expect(orders(0)).toHaveLength(1), 5000)
    worker(0).tell.onMessage({ type: 'left', lossless: true, reason: undefined }, undefined)
    worker(0).exits()
    await last
    expect(repair).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['takes it', (one: FakeWorker) => one.takes('a', 80), [], ['a']],
    ['opens one of its own', (one: FakeWorker) => one.opens('b', 80), ['a'], ['b']],
  ])('what the dead one accepted from waits for the next, which %s', async (_what, next, gone, stays) => {
    const closed: string[] = []
    started = (one, index) => (index === 0 ? one.opens('a', 80, closed) : next(one))
    const all = pool()
    await all.grow(1)
    worker(0).exits({ code: 1 })
    expect(kept(all)).toEqual(['a'])
    await vi.waitFor(() => expect(all.slots[0]?.current?.pid).toBe(1001))
    expect(given(1)).toEqual(['a'])
    expect(closed).toEqual(gone)
    expect(kept(all)).toEqual(stays)
    await all.endAll()
    expect(all.sockets.all).toEqual([])
  })

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

test('a worker that drains its own socket is told that it has no guests; of others it hears nothing', async () => {
  started = (one, index) => one.opens(`s${index}`)
  const all = pool()
  await all.grow(2)
  for (const id of ['s0', 's1', 'none']) worker(0).tell.onMessage({ type: 'drains', id }, undefined)
  expect(worker(0).heard.filter((message) => typeof message === 'object' && message.type === 'yours')).toEqual([
    { type: 'yours', id: 's0' },
  ])
})

describe('one socket for all', () => {
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
    const closed: string[] = []
    worker(0).opens('s', 80, closed)
    expect(workers.slice(1).map((one) => one.heard)).toEqual([
      [{ type: 'take', id: 's', want: 1, fd: undefined }],
      [{ type: 'take', id: 's', want: 1, fd: undefined }],
    ])
    for (const one of workers.slice(1)) one.takes('s')
    await grown
    expect(kept(all)).toEqual(['s'])
    worker(0).closes('s')
    worker(1).closes('s')
    expect(closed).toEqual([])
    worker(2).closes('s')
    worker(2).closes('s')
    expect(closed).toEqual(['s'])
    expect(all.sockets.all).toEqual([])
    await all.endAll()
  })

  test('what is on its way to a worker stays until the worker has it, or does not want it', async () => {
    const closed: string[] = []
    started = (one, index) => (index === 0 ? one.opens('s', 80, closed) : one.tell.onProgramMessage('ready'))
    const all = pool({ isShared: true })
    await all.grow(2)
    want(worker(1), 1)
    worker(0).closes('s')
    expect(closed).toEqual([])
    worker(1).closes('s')
    expect(closed).toEqual(['s'])
    await all.endAll()
  })

  test('a worker that leaves hands over what was on its way to it', async () => {
    started = (one, index) => (index === 0 ? one.opens('s') : one.tell.onProgramMessage('ready'))
    const all = pool({ isShared: true })
    await all.grow(2)
    want(worker(1), 1)
    await all.shrink(1)
    expect(orders(1)).toEqual([{ type: 'take', id: 's', want: 1, fd: undefined }, leave('s')])
    expect(kept(all)).toEqual(['s'])
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
    worker(2).opens('s')
    await grown
    await all.endAll()
    expect(told1(worker(2))).toEqual(['open', 'release', 'leave'])
  })

  test('who was to open it and leaves may still open it; the next is told when it has not; it opens its own then', async () => {
    started = (one) => one.tell.onProgramMessage('ready')
    const all = pool({ isShared: true })
    await all.grow(2)
    want(worker(1), 1)
    want(worker(0), 1)
    expect([orders(0), orders(1)]).toEqual([[], [{ type: 'open', want: 1 }]])
    worker(1).leaves = false
    const shrunk = all.shrink(1)
    await turn()
    expect(orders(0)).toEqual([])
    worker(1).tell.onMessage({ type: 'not-opened', wish }, undefined)
    expect(orders(0)).toEqual([{ type: 'open', want: 1 }])
    worker(0).opens('s')
    want(worker(1), 2)
    worker(1).exits()
    await shrunk
    expect(orders(1)).toEqual([{ type: 'open', want: 1 }, leave(), { type: 'open', want: 2 }])
    await all.endAll()
  })

  test('a thread takes the descriptor of this process', async () => {
    const { launch, workers: threads } = fakeLaunch((one) => want(one, 1), true)
    fakes.launch = launch
    const settings = parseOptions({ script: '/a.js', drainTimeout: 10, threads: true })
    const all = pool({ isShared: true, settings })
    all.sockets.give(fakeKept('given:0', [], true))
    const grown = all.grow(1)
    await turn()
    expect(threads[0]?.heard).toEqual([{ type: 'take', id: 'given:0', want: 1, local: { fd: 99, inode: 1 } }])
    threads[0]?.takes('given:0')
    await grown
    await all.endAll()
  })

  test('what somebody else has opened is given to all, and stays theirs', async () => {
    const closed: string[] = []
    const all = pool()
    all.sockets.give(fakeKept('given:0', closed, true))
    await all.grow(1)
    expect(given(0)).toEqual(['given:0'])
    worker(0).takes('given:0')
    worker(0).closes('given:0')
    expect(kept(all)).toEqual(['given:0'])
    expect(closed).toEqual([])
    // One that others have opened does not have to be taken.
    started = (one) => one.listens()
    await all.replaceAll()
    expect(given(1)).toEqual(['given:0'])
    expect(orders(1)).toEqual([])
    await all.endAll()
  })
})
