// One worker, from its start to its end, and its place: what the supervisor makes of what it says.
import { PassThrough } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { describeExit, describeFailure, type SupervisorError } from '../../src/supervisor/errors.js'
import { type RestartOwner, restart } from '../../src/supervisor/restart.js'
import { RunningWorker, type WorkerEvents } from '../../src/supervisor/running-worker.js'
import { Slot, type SlotOwner } from '../../src/supervisor/slot.js'
import { EXIT, type FakeLaunch, type FakeWorker, fakeKept, fakeLaunch } from '../support/fake-worker.js'

const NEVER = new AbortController().signal

function noEvents(): { [Name in keyof WorkerEvents]: ReturnType<typeof vi.fn<WorkerEvents[Name]>> } {
  return {
    onListening: vi.fn(),
    onNested: vi.fn(),
    onClosed: vi.fn(),
    onRelieve: vi.fn(),
    onWant: vi.fn(),
    onLeft: vi.fn(),
    onOutput: vi.fn(),
    onRefusedMessage: vi.fn(),
    onProgramMessage: vi.fn(),
    onDisconnect: vi.fn(),
    onExit: vi.fn(),
  }
}

function running({ launch }: FakeLaunch, events: WorkerEvents = noEvents()): RunningWorker {
  const program = { script: 'a.js', args: [], execArgv: [], env: {}, cwd: '/', output: 'inherit' } as const
  const configuration = {
    worker: '1.1',
    ports: [],
    isShared: false,
    steering: undefined,
    ticketKeys: '',
    grace: 0,
    drainTimeout: 0,
  }
  return new RunningWorker(launch, { slot: 0, generation: 1, program, configuration, sockets: [] }, events)
}

describe('a worker', () => {
  test('is ready when it says so, and only by that word', async () => {
    const events = noEvents()
    const fake = fakeLaunch()
    const worker = running(fake, events)
    const ready = worker.ready(['old'], 60_000, NEVER)
    fake.workers[0]?.tell.onProgramMessage({ ready: true })
    const from = new PassThrough()
    fake.workers[0]?.tell.onOutput('stdout', 'text', from)
    expect(worker.state).toBe('starting')
    expect(worker.upTime).toBeUndefined()
    fake.workers[0]?.tell.onProgramMessage('ready')
    expect(await ready).toBe('ready')
    expect(worker.state).toBe('ready')
    expect(worker.upTime).toBeGreaterThanOrEqual(0)
    expect(events.onProgramMessage).toHaveBeenCalledTimes(2)
    expect(events.onOutput).toHaveBeenCalledWith(worker, 'stdout', 'text', from)
    // How long it was up does not grow after its end.
    fake.workers[0]?.exits()
    const upTime = worker.upTime
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(worker.upTime).toBe(upTime)
  })

  test('is ready too where it is late and listens on less than its predecessor', async () => {
    const fake = fakeLaunch((one) => one.listens())
    expect(await running(fake).ready(['old'], 50, NEVER)).toBe('ready')
  })

  test('is late where it does not listen at all', async () => {
    const fake = fakeLaunch()
    expect(await running(fake).ready([], 20, NEVER)).toEqual({ why: 'late', timeout: 20 })
  })

  test('is stopped, before and while it starts', async () => {
    expect(await running(fakeLaunch()).ready([], 60_000, AbortSignal.abort())).toEqual({ why: 'stopped' })
    const stop = new AbortController()
    const ready = running(fakeLaunch()).ready([], 60_000, stop.signal)
    stop.abort()
    expect(await ready).toEqual({ why: 'stopped' })
  })

  test('tells what else it does', async () => {
    const events = noEvents()
    const fake = fakeLaunch()
    const worker = running(fake, events)
    const { tell } = fake.workers[0] as FakeWorker
    const place = { address: '::', family: 'IPv6', port: 80 } as const
    const wish = { address: null, port: 80, ipv6Only: false, options: '' }
    tell.onMessage({ type: 'nested', ...place }, undefined)
    tell.onMessage({ type: 'want', want: 1, wish }, undefined)
    tell.onMessage({ type: 'not-opened', wish }, undefined)
    tell.onMessage({ type: 'left', lossless: true, reason: undefined }, undefined)
    tell.onDisconnect()
    expect(events.onNested).toHaveBeenCalledWith(worker, { type: 'nested', ...place })
    expect(events.onWant).toHaveBeenCalledTimes(2)
    expect(events.onLeft).toHaveBeenCalledTimes(1)
    expect(events.onDisconnect).toHaveBeenCalledTimes(1)
    expect(await worker.ready([], 60_000, NEVER)).toBe('ready')
  })

  test('is not told to leave once it has gone, nor anything else', async () => {
    const fake = fakeLaunch()
    const worker = running(fake)
    fake.workers[0]?.exits()
    expect(await worker.leave([], 10)).toBe(true)
    worker.send({ type: 'ticket-keys', keys: '' })
    worker.kill()
    expect(fake.workers[0]?.heard).toEqual([])
    expect(await worker.release(['a'])).toEqual(['a'])
  })

  test('that has closed its channel is told by a signal; one that stays is killed', async () => {
    const closed = fakeLaunch()
    const one = running(closed)
    ;(closed.workers[0] as FakeWorker).isConnected = false
    expect(await one.leave([], 10_000)).toBe(true)
    expect(closed.workers[0]?.heard).toEqual(['terminate'])
    const stubborn = fakeLaunch()
    const launch: FakeLaunch['launch'] = (...args) => ({ ...stubborn.launch(...args), send: () => {} })
    const other = running({ ...stubborn, launch })
    expect(await other.leave([], 10)).toBe(false)
    expect(stubborn.workers[0]?.heard).toEqual(['kill'])
  })
})

describe('the place of a worker', () => {
  function owner(fake: FakeLaunch, more: Partial<SlotOwner> = {}): SlotOwner {
    const base: SlotOwner = {
      readyTimeout: 60_000,
      leaveTimeout: 10_000,
      common: [],
      signal: NEVER,
      launch: () => running(fake),
      onReady: () => {},
    }
    return Object.assign(base, more)
  }

  test('that cannot even be started', async () => {
    const error = new Error('no room')
    const launch = (): never => {
      throw error
    }
    const slot = new Slot(0, owner(fakeLaunch(), { launch }))
    expect(await slot.start()).toEqual({ why: 'exited', exit: { code: null, signal: null, error } })
    expect(slot.current).toBeUndefined()
  })

  test('what a successor that failed has opened is closed; the old one and its sockets stay', async () => {
    const closed: string[] = []
    const fake = fakeLaunch((one, index) => {
      if (index === 0) one.listens()
      else {
        slot.keep(fakeKept('new', closed))
        one.exits({ code: 3 })
      }
    })
    const slot: Slot = new Slot(0, owner(fake))
    expect(await slot.start()).toBeUndefined()
    slot.keep(fakeKept('old', closed))
    const old = slot.current
    expect(await slot.replace()).toEqual({ why: 'exited', exit: { ...EXIT, code: 3 } })
    expect(slot.current).toBe(old)
    expect(closed).toEqual(['new'])
    expect(slot.kept.map(({ id }) => id)).toEqual(['old'])
  })

  test('a socket that comes again takes the place of the one before', () => {
    const closed: string[] = []
    const slot = new Slot(0, owner(fakeLaunch()))
    slot.keep(fakeKept('a', closed))
    slot.keep(fakeKept('a', closed))
    expect(closed).toEqual(['a'])
    slot.drop('a')
    slot.drop('a')
    expect(closed).toEqual(['a', 'a'])
  })

  test('a successor is given what the old one accepts from, and lets go of the rest', async () => {
    const closed: string[] = []
    const fake = fakeLaunch((one, index) => one.listens(80 + index))
    const slot = new Slot(0, owner(fake))
    await slot.start()
    slot.keep(fakeKept('unused', closed))
    expect(await slot.replace()).toBeUndefined()
    expect(closed).toEqual(['unused'])
    expect(fake.workers[0]?.heard).toEqual([{ type: 'leave', kept: ['1.1:0'], signal: 'SIGTERM' }])
    expect(fake.workers[1]?.heard).toEqual([{ type: 'release', ids: ['unused'] }])
    expect(await slot.end([])).toBe(true)
  })

  test('that has nobody is replaced by starting one, and ends at once', async () => {
    const fake = fakeLaunch((one) => one.listens())
    const slot = new Slot(0, owner(fake))
    expect(await slot.replace()).toBeUndefined()
    expect(slot.current?.state).toBe('ready')
    expect(await new Slot(1, owner(fake)).end([])).toBe(true)
  })

  describe('where a worker died', () => {
    interface Restarted {
      readonly told: unknown[]
      readonly gaveUp: SupervisorError[]
      readonly slot: Slot
      readonly owner: RestartOwner
    }

    function restarting(fake: FakeLaunch, maxRestarts: number, signal = NEVER): Restarted {
      const told: unknown[] = []
      const gaveUp: SupervisorError[] = []
      const slot = new Slot(4, owner(fake, { signal }))
      const settings = { maxRestarts } as RestartOwner['settings']
      const emit = ((...args: unknown[]) => told.push(args)) as unknown as RestartOwner['emit']
      return {
        told,
        gaveUp,
        slot,
        owner: { settings, emit, signal, giveUp: (error) => gaveUp.push(error) },
      }
    }

    test('early: after a delay', async () => {
      const {
        gaveUp,
        owner: by,
        slot,
        told,
      } = restarting(
        fakeLaunch((one) => one.listens()),
        1,
      )
      await restart(slot, { ...EXIT, code: 1 }, by)
      expect(told).toEqual([['worker:restart', 4, { delay: 100, earlyDeaths: 1 }]])
      expect(gaveUp).toEqual([])
      expect(slot.current?.state).toBe('ready')
    })

    test('not early: at once, and those before do not count any more', async () => {
      const {
        owner: by,
        slot,
        told,
      } = restarting(
        fakeLaunch((one) => one.listens()),
        1,
      )
      await slot.start()
      const now = performance.now()
      vi.spyOn(performance, 'now').mockReturnValue(now + 60_000)
      slot.earlyDeaths = 1
      await restart(slot, { ...EXIT, signal: 'SIGSEGV', code: null }, by)
      vi.restoreAllMocks()
      expect(told).toEqual([['worker:restart', 4, { delay: 0, earlyDeaths: 0 }]])
    })

    test('more often than it may: it gives up, and says how the last one ended', async () => {
      const once = restarting(fakeLaunch(), 0)
      await restart(once.slot, { ...EXIT, code: 9 }, once.owner)
      expect(once.gaveUp).toEqual([
        expect.objectContaining({
          code: 'ERR_REUSEPORT_GAVE_UP',
          message: 'worker 4 died early once; the last time it ended with exit code 9',
        }),
      ])
      const twice = restarting(
        fakeLaunch((one) => one.exits({ code: null, error: new Error('no such file') })),
        1,
      )
      await restart(twice.slot, undefined, twice.owner)
      expect(twice.gaveUp[0]?.message).toBe(
        'worker 4 died early 2 times in a row; the last time it could not be started (no such file) before it was ready',
      )
    })

    test('while all is stopped: nobody is started', async () => {
      const stop = new AbortController()
      const fake = fakeLaunch()
      const { owner: by, slot, told } = restarting(fake, 3, stop.signal)
      const done = restart(slot, EXIT, by)
      stop.abort()
      await done
      await restart(slot, EXIT, by)
      expect(told).toHaveLength(1)
      expect(fake.workers).toHaveLength(0)
    })

    test('while the next one starts all is stopped: it is not tried again', async () => {
      const stop = new AbortController()
      const fake = fakeLaunch(() => stop.abort())
      const { owner: by, slot, told } = restarting(fake, 3, stop.signal)
      await restart(slot, EXIT, by)
      expect(told).toHaveLength(1)
      expect(fake.workers[0]?.heard).toEqual(['kill'])
    })
  })
})

test.each([
  [{ code: 3, signal: null, error: undefined }, 'ended with exit code 3'],
  [{ code: null, signal: 'SIGKILL', error: undefined }, 'was ended by SIGKILL'],
  [{ code: null, signal: null, error: new Error('spawn EAGAIN') }, 'could not be started (spawn EAGAIN)'],
  [{ code: 1, signal: null, error: new TypeError('x is none') }, 'threw TypeError: x is none'],
] as const)('an end in words: %j', (exit, words) => {
  expect(describeExit(exit)).toBe(words)
})

test('a failure in words', () => {
  expect(describeFailure({ why: 'late', timeout: 1500 })).toBe('did not listen on a port within 1.5 s')
  expect(describeFailure({ why: 'stopped' })).toBe('was stopped before it listened')
})
