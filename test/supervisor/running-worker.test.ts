// One worker, from its start to its end, and its place: what the supervisor makes of what it says.
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { describeExit, describeFailure, type SupervisorError } from '../../src/supervisor/errors.js'
import { type RestartOwner, restart } from '../../src/supervisor/restart.js'
import { RunningWorker } from '../../src/supervisor/running-worker.js'
import { Slot, type SlotOwner } from '../../src/supervisor/slot.js'
import type { Readiness, WorkerEvents } from '../../src/supervisor/worker-events.js'
import { lateText } from '../../src/supervisor/worker-info.js'
import { EXIT, type FakeLaunch, type FakeWorker, fakeLaunch } from '../support/fake-worker.js'

type Events = WorkerEvents<RunningWorker>

const NEVER = new AbortController().signal

afterEach(() => vi.useRealTimers())

function noEvents(): { [Name in keyof Events]: ReturnType<typeof vi.fn<Events[Name]>> } {
  return {
    onListening: vi.fn(),
    onNested: vi.fn(),
    onAboutSocket: vi.fn(),
    onRelieve: vi.fn(),
    onBalance: vi.fn(),
    onLeft: vi.fn(),
    onOutput: vi.fn(),
    onRefusedMessage: vi.fn(),
    onProgramMessage: vi.fn(),
    onDisconnect: vi.fn(),
    onExit: vi.fn(),
  }
}

function running({ launch }: FakeLaunch, events: Events = noEvents()): RunningWorker {
  const program = { script: 'a.js', args: [], execArgv: [], env: {}, cwd: '/', output: 'inherit' } as const
  const configuration = {
    worker: '1.1',
    ports: [],
    datagramPorts: [],
    isShared: false,
    steering: undefined,
    balance: undefined,
    ticketKeys: '',
    grace: 0,
    drainTimeout: 0,
  }
  return new RunningWorker(launch, { slot: 0, generation: 1, program, configuration, sockets: [] }, events)
}

/** What the register would say of a worker. */
function look(more: Partial<Readiness> = {}): Readiness {
  return { isReady: () => false, accepts: () => false, confirm: async () => {}, ...more }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('why it was killed when it was to leave', () => {
  const at = performance.now() - 13_500
  const text = (hasLeft: boolean, isConnected: boolean) => lateText({ pid: 7, slot: 1, hasLeft }, { at, isConnected })
  expect(text(false, true)).toMatch(
    /^worker 1 \(7\) hung: told to leave, it did not answer for 13\.\d s, and was killed/,
  )
  // It has drained, or could not be told by a message.
  for (const late of [text(true, true), text(false, false)])
    expect(late).toMatch(/^worker 1 \(7\) did not end within 13\.\d s and was killed$/)
})

test('a failed start says what the last call of listen met', () => {
  const listen = { code: 'EACCES', address: '0.0.0.0', port: 80, hint: undefined }
  const timeout = 500
  expect(describeFailure({ why: 'exited', exit: { ...EXIT, code: 1 }, listen })).toBe(
    'could not listen on 0.0.0.0:80 (EACCES)',
  )
  expect(describeFailure({ why: 'exited', exit: { ...EXIT, code: null, signal: 'SIGKILL' }, listen })).toBe(
    'was ended by SIGKILL before it was ready',
  )
  expect(describeFailure({ why: 'late', timeout, listen: { ...listen, address: '\0app', port: undefined } })).toBe(
    'did not listen on a port within 0.5 s: it could not listen on @app (EACCES)',
  )
})

describe('a worker', () => {
  test('is ready when the register says so, and looks again at each message', async () => {
    const events = noEvents()
    const fake = fakeLaunch()
    const worker = running(fake, events)
    const isReady = (): boolean => events.onProgramMessage.mock.calls.length === 2
    const ready = worker.ready(look({ isReady }), 60_000, NEVER)
    fake.workers[0]?.tell.onProgramMessage({ ready: true })
    const from = new PassThrough()
    fake.workers[0]?.tell.onOutput('stdout', 'text', from)
    await turn()
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
    expect(await running(fake).ready(look({ accepts: () => true }), 50, NEVER)).toBe('ready')
  })

  test('is late where it does not listen at all', async () => {
    const fake = fakeLaunch()
    expect(await running(fake).ready(look(), 20, NEVER)).toEqual({ why: 'late', timeout: 20 })
  })

  test('is stopped, before and while it starts', async () => {
    expect(await running(fakeLaunch()).ready(look(), 60_000, AbortSignal.abort())).toEqual({ why: 'stopped' })
    const stop = new AbortController()
    const ready = running(fakeLaunch()).ready(look(), 60_000, stop.signal)
    stop.abort()
    expect(await ready).toEqual({ why: 'stopped' })
  })

  test('that is ready, is asked, and is not ready any more waits on', async () => {
    let isReady = true
    const answers: (() => void)[] = []
    const confirm = (): Promise<void> => new Promise((resolve) => answers.push(resolve))
    const fake = fakeLaunch()
    const worker = running(fake)
    const ready = worker.ready(look({ isReady: () => isReady, confirm }), 60_000, NEVER)
    await turn()
    expect(answers).toHaveLength(1)
    // Its program has closed the server with which it looked whether its port is free.
    isReady = false
    fake.workers[0]?.closes('a')
    answers[0]?.()
    await turn()
    expect(worker.state).toBe('starting')
    // What it says is heard again, and it is asked again.
    isReady = true
    fake.workers[0]?.listens()
    await turn()
    expect(worker.state).toBe('starting')
    expect(answers).toHaveLength(2)
    answers[1]?.()
    expect(await ready).toBe('ready')
  })

  test('that closes and listens again before it answers is ready', async () => {
    let isReady = true
    const confirm = async (): Promise<void> => {
      isReady = false
      fake.workers[0]?.closes('a')
      await turn()
      isReady = true
      fake.workers[0]?.listens()
    }
    const fake = fakeLaunch()
    expect(await running(fake).ready(look({ isReady: () => isReady, confirm }), 60_000, NEVER)).toBe('ready')
  })

  describe('that is asked and does not answer', () => {
    const asked = (more: Partial<Readiness> = {}): Readiness => look({ confirm: () => new Promise(() => {}), ...more })

    test('is ready when its time is over', async () => {
      const isReady = (): boolean => true
      expect(await running(fakeLaunch()).ready(asked({ isReady }), 20, NEVER)).toBe('ready')
    })

    test.each([
      [true, 'ready'],
      [false, { why: 'late', timeout: 20 }],
    ])('and is not ready any more when its time is over, but accepts somewhere: %j', async (accepts, outcome) => {
      const confirm = vi.fn(() => new Promise<void>(() => {}))
      const isReady = (): boolean => confirm.mock.calls.length === 0
      const readiness = look({ isReady, accepts: () => accepts, confirm })
      expect(await running(fakeLaunch()).ready(readiness, 20, NEVER)).toEqual(outcome)
      expect(confirm).toHaveBeenCalledTimes(1)
    })

    test('but ends, or is stopped', async () => {
      const isReady = (): boolean => true
      const fake = fakeLaunch((one) => one.exits({ code: 4 }))
      expect(await running(fake).ready(asked({ isReady }), 60_000, NEVER)).toEqual({
        why: 'exited',
        exit: { ...EXIT, code: 4 },
      })
      const stop = new AbortController()
      const ready = running(fakeLaunch()).ready(asked({ isReady }), 60_000, stop.signal)
      await turn()
      stop.abort()
      expect(await ready).toEqual({ why: 'stopped' })
    })
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
    expect(events.onAboutSocket).toHaveBeenCalledTimes(2)
    expect(events.onLeft).toHaveBeenCalledTimes(1)
    expect(events.onDisconnect).toHaveBeenCalledTimes(1)
    tell.onMessage({ type: 'closed', id: 'a' }, undefined)
    tell.onMessage({ type: 'relieve', signal: 'SIGINT' }, undefined)
    tell.onRefusedMessage('it is none')
    for (const message of [
      { type: 'closed', id: 'a' },
      { type: 'joined', id: 'a', isTaken: true },
      { type: 'parted', id: 'a', accepted: 2 },
      { type: 'pong', ping: 1 },
    ] as const) {
      if (message.type !== 'closed') tell.onMessage(message, undefined)
      expect(events.onAboutSocket).toHaveBeenCalledWith(worker, message)
    }
    expect(events.onRelieve).toHaveBeenCalledWith(worker, 'SIGINT')
    expect(events.onRefusedMessage).toHaveBeenCalledWith(worker, 'it is none')
  })

  test('is not told to leave once it has gone, nor anything else', async () => {
    const fake = fakeLaunch()
    const worker = running(fake)
    fake.workers[0]?.exits()
    expect(await worker.leave([], 10)).toBe(true)
    worker.send({ type: 'ticket-keys', keys: '' })
    worker.kill()
    expect(fake.workers[0]?.heard).toEqual([])
    expect(await worker.questions.release(['a'])).toEqual(['a'])
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

describe('a worker that is asked to release sockets', () => {
  const released = (one: FakeWorker | undefined, ids: readonly string[]): void => {
    one?.tell.onMessage({ type: 'released', ids }, undefined)
  }

  function silent(isThread = false): { readonly fake: FakeWorker; readonly worker: RunningWorker } {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const launch = fakeLaunch(undefined, isThread)
    const worker = running(launch)
    const fake = launch.workers[0] as FakeWorker
    fake.releases = () => undefined
    return { fake, worker }
  }

  test('answers in the order of the questions, and only for what was asked', async () => {
    const { fake, worker } = silent()
    const [first, second] = [worker.questions.release(['a', 'b']), worker.questions.release(['b', 'c'])]
    expect(fake.heard).toEqual([
      { type: 'release', ids: ['a', 'b'] },
      { type: 'release', ids: ['b', 'c'] },
    ])
    released(fake, ['b', 'of another question'])
    released(fake, [])
    // Nobody has asked any more.
    released(fake, ['c'])
    expect(await first).toEqual(['b'])
    expect(await second).toEqual([])
  })

  test('a process that does not answer within 1 s has released all; its late answer is for no other question', async () => {
    const { fake, worker } = silent()
    const settled = vi.fn()
    void worker.questions.release(['a', 'b']).then(settled)
    await vi.advanceTimersByTimeAsync(999)
    expect(settled).not.toHaveBeenCalled()
    const second = worker.questions.release(['c', 'd'])
    await vi.advanceTimersByTimeAsync(1)
    expect(settled).toHaveBeenCalledWith(['a', 'b'])
    released(fake, [])
    released(fake, ['d'])
    expect(await second).toEqual(['d'])
    // Its timer has gone with the answer.
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a thread is waited for: its answer, or its end', async () => {
    const { fake, worker } = silent(true)
    const settled = vi.fn()
    void worker.questions.release(['a']).then(settled)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(settled).not.toHaveBeenCalled()
    released(fake, ['a'])
    await vi.advanceTimersByTimeAsync(0)
    expect(settled).toHaveBeenCalledWith(['a'])
    const second = worker.questions.release(['b'])
    fake.exits()
    expect(await second).toEqual([])
  })

  test('that has closed its channel is not asked', async () => {
    const { fake, worker } = silent()
    fake.isConnected = false
    expect(await worker.questions.release(['a'])).toEqual(['a'])
    expect(fake.heard).toEqual([])
  })
})

describe('the place of a worker', () => {
  interface Times {
    readonly readyTimeout?: number
    readonly signal?: AbortSignal
  }

  function owner(
    fake: FakeLaunch,
    { readyTimeout = 60_000, signal = NEVER, ...more }: Partial<SlotOwner> & Times = {},
  ): SlotOwner {
    const listens = new WeakSet<RunningWorker>()
    const isReady = (worker: RunningWorker) => (): boolean => listens.has(worker)
    const base: SlotOwner = {
      launch: () => running(fake, { ...noEvents(), onListening: (worker) => listens.add(worker) }),
      untilReady: (worker) => worker.ready(look({ isReady: isReady(worker) }), readyTimeout, signal),
      accepts: (worker) => listens.has(worker),
      onReady: () => {},
      leave: (worker) => worker.leave([], 60_000),
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

  test('where a successor fails, the old one stays and is not told to leave', async () => {
    const fake = fakeLaunch((one, index) => (index === 0 ? one.listens() : one.exits({ code: 3 })))
    const onReady = vi.fn()
    const slot = new Slot(0, owner(fake, { onReady }))
    expect(await slot.start()).toBeUndefined()
    const old = slot.current
    expect(await slot.replace()).toEqual({ failure: { why: 'exited', exit: { ...EXIT, code: 3 } } })
    expect(slot.current).toBe(old)
    expect(fake.workers[0]?.heard).toEqual([])
    expect(onReady).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['that listens drains', (one: FakeWorker) => one.listens(), [{ type: 'leave', kept: [], signal: 'SIGTERM' }]],
    ['that does not is killed', () => {}, ['kill']],
  ])('a worker that is stopped before it is ready and %s', async (_how, act, heard) => {
    const stop = new AbortController()
    const fake = fakeLaunch((one) => {
      act(one)
      stop.abort()
    })
    // It never becomes ready.
    const untilReady = (worker: RunningWorker) => worker.ready(look({ isReady: () => false }), 60_000, stop.signal)
    const slot = new Slot(0, owner(fake, { untilReady }))
    expect(await slot.start()).toEqual({ why: 'stopped' })
    expect(fake.workers[0]?.heard).toEqual(heard)
    expect(slot.current).toBeUndefined()
  })

  test('a successor that is late is killed, and has ended before the slot is free', async () => {
    const fake = fakeLaunch()
    const slot = new Slot(0, owner(fake, { readyTimeout: 20 }))
    expect(await slot.start()).toEqual({ why: 'late', timeout: 20 })
    expect(fake.workers[0]?.heard).toEqual(['kill'])
    expect(fake.workers[0]?.isConnected).toBe(false)
  })

  test('the old one is told to leave when the successor is the one of the slot', async () => {
    const steps: unknown[] = []
    const fake = fakeLaunch((one) => one.listens())
    const slot: Slot = new Slot(
      0,
      owner(fake, {
        onReady: (worker) => steps.push(['ready', worker.pid]),
        leave: async (worker) => {
          steps.push(['leave', worker.pid, slot.current?.pid])
          return true
        },
      }),
    )
    await slot.start()
    const outcome = await slot.replace()
    expect(await ('left' in outcome ? outcome.left : outcome.failure)).toBe(true)
    expect(steps).toEqual([
      ['ready', 1000],
      ['ready', 1001],
      ['leave', 1000, 1001],
    ])
  })

  test('is free before the old one has ended: where the successor dies, another starts at once', async () => {
    const fake = fakeLaunch((one) => {
      one.leaves = false
      one.listens()
    })
    const slot = new Slot(0, owner(fake))
    await slot.start()
    const old = slot.current
    const outcome = await slot.run(() => slot.replace())
    const left = vi.fn()
    if ('left' in outcome) void outcome.left.then(left)
    fake.workers[1]?.exits({ code: 1 })
    expect(await slot.run(() => slot.start())).toBeUndefined()
    expect(slot.current?.pid).toBe(1002)
    expect(old?.state).toBe('leaving')
    expect(left).not.toHaveBeenCalled()
    fake.workers[0]?.exits()
    await turn()
    expect(left).toHaveBeenCalledWith(true)
  })

  test('that has nobody is replaced by starting one, and ends at once', async () => {
    const fake = fakeLaunch((one) => one.listens())
    const slot = new Slot(0, owner(fake))
    const outcome = await slot.replace()
    expect(await ('left' in outcome ? outcome.left : outcome.failure)).toBeUndefined()
    expect(slot.current?.state).toBe('ready')
    expect(slot.isEnding).toBe(false)
    expect(await slot.end()).toBe(true)
    expect(fake.workers[0]?.heard).toEqual([{ type: 'leave', kept: [], signal: 'SIGTERM' }])
    const nobody = new Slot(1, owner(fake))
    expect(await nobody.end()).toBe(true)
    expect(nobody.isEnding).toBe(true)
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
  expect(describeFailure({ why: 'stopped' })).toBe('was stopped before it was ready')
})
