// Who keeps a policy: what happens where others come, go, refuse or say something wrong, told without a kernel.
import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ReusePortSteeringError } from '../../src/common/errors.js'
import { Deadline } from '../../src/common/waiting.js'
import { ReusePortLockError } from '../../src/group/group-errors.js'
import type { Member } from '../../src/group/member.js'
import type { Addon } from '../../src/native/addon-contract.js'
import type { ListenableServer } from '../../src/node/server.js'
import type { Keeper } from '../../src/steering/keeper.js'
import type { Wish } from '../../src/steering/keeper-messages.js'
import type { KeeperEvents } from '../../src/steering/keeper-server.js'
import type { Steering } from '../../src/steering/steering-types.js'
import { boundSocket } from '../support/answering-addon.js'

interface FakeSocket extends EventEmitter {
  destroy(): void
}

const fakes = vi.hoisted(() => ({
  /** Whether somebody keeps a policy. */
  connect: (): unknown => undefined,
  ask: async (_wish: unknown): Promise<unknown> => undefined,
  put: async (_wish: unknown): Promise<unknown> => undefined,
  isFree: true,
  /** The descriptor by which the server listens. */
  listening: 7,
  events: undefined as unknown,
  onOther: (_message: unknown): void => {},
  told: [] as unknown[],
  closed: 0,
  forgotten: 0,
}))

vi.mock('../../src/group/member.js', () => ({ isStillMember: ({ fd }: Member) => fd === fakes.listening }))
vi.mock('../../src/steering/policy-in-force.js', async (load) => ({
  ...(await load<typeof import('../../src/steering/policy-in-force.js')>()),
  PolicyInForce: class {
    put(_member: unknown, wish: unknown): Promise<unknown> {
      return fakes.put(wish)
    }
    forget(): void {
      fakes.forgotten++
    }
  },
}))
vi.mock('../../src/steering/keeper-channel.js', async (load) => ({
  ...(await load<typeof import('../../src/steering/keeper-channel.js')>()),
  connectTo: () => fakes.connect(),
  ask: (_socket: unknown, wish: unknown, _deadline: unknown, onOther: (message: unknown) => void) => {
    fakes.onOther = onOther
    return fakes.ask(wish)
  },
}))
vi.mock('../../src/steering/keeper-server.js', () => ({
  KeeperServer: {
    open(_addon: unknown, _group: unknown, events: unknown): unknown {
      if (!fakes.isFree) return undefined
      fakes.events = events
      return { tellAll: (wish: Wish) => fakes.told.push(wish.policy), close: () => fakes.closed++ }
    },
  },
}))

const { keeperOf } = await import('../../src/steering/keeper.js')
const { stopKeeping } = await import('../../src/steering/known-keepers.js')
const { NameTakenError } = await import('../../src/steering/keeper-channel.js')

const THEIRS: Steering = { policy: 'random', method: 'program', members: 2, keeper: 99, reason: undefined }

const OTHER = { exclude: [{ pid: 1 }] } as const
/** It names no members, who are not there. */
const PROGRAM = { program: [{ code: 6, k: 1 }] } as const

let server: ListenableServer
let put: Wish[]

beforeEach(() => {
  vi.useFakeTimers()
  put = []
  server = new EventEmitter() as unknown as ListenableServer
  Object.assign(fakes, {
    connect: () => undefined,
    ask: async () => undefined,
    put: async (wish: Wish) => {
      put.push(wish)
      return { members: [1, 2], method: 'program', policy: wish.policy, reason: undefined }
    },
    isFree: true,
    listening: 7,
    events: undefined,
    told: [],
    closed: 0,
    forgotten: 0,
  })
})

afterEach(() => {
  stopKeeping(server)
  vi.useRealTimers()
})

function keeper(): Keeper {
  return keeperOf(server, { addon: {} as Addon, fd: fakes.listening, socket: boundSocket() })
}

const soon = (): Deadline => new Deadline(1000, undefined)
const events = (): KeeperEvents => fakes.events as KeeperEvents
const policies = (): unknown[] => put.map(({ policy }) => policy)

/** What a follower that says this hears. */
async function heard(message: Wish): Promise<unknown> {
  let answer: unknown
  const deadline = soon()
  const asking = {
    deadline,
    answer: (said: unknown) => {
      answer = said
    },
  }
  events().onWish(message, asking)
  await vi.advanceTimersByTimeAsync(0)
  return answer
}

function follow(): FakeSocket {
  const socket = Object.assign(new EventEmitter(), { destroy: vi.fn() })
  fakes.isFree = false
  fakes.connect = () => socket
  fakes.ask = async () => THEIRS
  return socket
}

describe('as the keeper', () => {
  test('the policy is put in force, looked after, and ended by hash', async () => {
    const one = keeper()
    expect(await one.steer('random', soon())).toMatchObject({ policy: 'random', members: 2, keeper: process.pid })
    expect(keeper()).toBe(one)
    await vi.advanceTimersByTimeAsync(1000)
    expect(policies()).toEqual(['random', 'random'])
    expect(await one.steer('hash', soon())).toMatchObject({ policy: 'hash', keeper: undefined })
    expect(fakes.closed).toBe(1)
    await vi.advanceTimersByTimeAsync(5000)
    expect(policies()).toEqual(['random', 'random', 'hash'])
  })

  test('hash, where nobody keeps anything', async () => {
    expect(await keeper().steer('hash', soon())).toMatchObject({ policy: 'hash' })
    expect(fakes.events).toBeUndefined()
  })

  test('what cannot be put in force is not kept', async () => {
    fakes.put = () => Promise.reject(new ReusePortSteeringError('no'))
    await expect(keeper().steer('random', soon())).rejects.toThrow('no')
    expect(fakes.closed).toBe(1)
  })

  test.each([
    ['random', PROGRAM],
    ['random', 'hash'],
  ] as const)('a change of %j to %j that is refused leaves the policy that there was', async (policy, refused) => {
    const one = keeper()
    await one.steer(policy, soon())
    const { put: granting } = fakes
    fakes.put = () => Promise.reject(new ReusePortLockError('@lock', 'others have it'))
    await expect(one.steer(refused, soon())).rejects.toThrow('others have it')
    expect(fakes.closed).toBe(0)
    fakes.put = granting
    await vi.advanceTimersByTimeAsync(20)
    expect(policies()).toEqual([policy, policy])
    expect(await heard({ policy, since: 1 })).toMatchObject({ steering: { policy } })
  })

  test('a wish that cannot be had takes back none that was granted meanwhile', async () => {
    await keeper().steer('random', soon())
    const { since } = put[0] as Wish
    const { put: granting } = fakes
    let refuse = (): void => {}
    fakes.put = (wish) => {
      fakes.put = granting
      put.push(wish as Wish)
      return new Promise((_, reject) => {
        refuse = () => reject(new ReusePortSteeringError('no'))
      })
    }
    const bad = heard({ policy: OTHER, since: since + 1 })
    const good = heard({ policy: { cpu: true }, since: since + 2 })
    await vi.advanceTimersByTimeAsync(0)
    refuse()
    await vi.advanceTimersByTimeAsync(20)
    expect(await bad).toBeUndefined()
    expect(await good).toBeUndefined()
    await vi.advanceTimersByTimeAsync(2000)
    expect(policies()).toEqual(['random', OTHER, ...Array(policies().length - 2).fill({ cpu: true })])
    expect(policies().length).toBeGreaterThan(3)
    expect(fakes.told).toEqual(['random', { cpu: true }])
  })

  test('a server that closes keeps nothing, and no listener stays at it', async () => {
    await keeper().steer('random', soon())
    await keeper().steer(PROGRAM, soon())
    const emitter = server as unknown as EventEmitter
    expect(emitter.listenerCount('close')).toBe(1)
    emitter.emit('close')
    expect(fakes.closed).toBe(1)
    expect(emitter.eventNames()).toEqual([])
  })

  test('a server that leaves while it waits for its turn', async () => {
    const one = keeper()
    await one.steer('random', soon())
    const next = one.steer('hash', soon())
    const last = one.steer('random', soon())
    expect(await next).toMatchObject({ policy: 'hash' })
    expect(await last).toMatchObject({ policy: 'random' })
  })

  test('news of members are gathered; a program that was taken away is put in force anew', async () => {
    await keeper().steer('random', soon())
    events().onGone()
    events().onTakenAway()
    events().onGone()
    expect(fakes.forgotten).toBe(1)
    await vi.advanceTimersByTimeAsync(20)
    expect(put).toHaveLength(2)
    fakes.listening = -1
    events().onGone()
    await vi.advanceTimersByTimeAsync(20)
    expect(fakes.closed).toBe(1)
  })

  test.each([
    [new ReusePortLockError('@lock', 'others have it'), 0],
    [new TypeError('a mistake'), 1],
  ])('a look that fails by %s is tried again, unless it is unknown', async (error, closed) => {
    await keeper().steer('random', soon())
    fakes.put = () => Promise.reject(error)
    await vi.advanceTimersByTimeAsync(1000)
    expect(fakes.closed).toBe(closed)
  })

  test('a server that listens elsewhere, or no more: whoever asks takes its place', async () => {
    const one = keeper()
    await one.steer('random', soon())
    fakes.listening = 8
    expect(await heard({ policy: OTHER, since: Number.MAX_SAFE_INTEGER })).toBeUndefined()
    expect([policies(), fakes.closed]).toEqual([['random'], 1])
    await expect(one.steer('random', soon())).rejects.toThrow('the server has left its group in the meantime')
    const next = keeper()
    expect(next).not.toBe(one)
    expect(await next.steer('random', soon())).toMatchObject({ keeper: process.pid })
    // What is left of the first takes nothing from the second.
    one.stop()
    expect(keeper()).toBe(next)
    fakes.listening = 9
    expect(keeper()).not.toBe(next)
    expect(fakes.closed).toBe(2)
  })

  test('a server that leaves while somebody asks says nothing', async () => {
    await keeper().steer('random', soon())
    fakes.put = async () => {
      fakes.listening = -1
      throw new ReusePortSteeringError('it has left')
    }
    expect(await heard({ policy: OTHER, since: Number.MAX_SAFE_INTEGER })).toBeUndefined()
    expect(fakes.closed).toBe(1)
  })

  test('one that was ended before its turn came is known again', async () => {
    const one = keeper()
    await one.steer('random', soon())
    await Promise.all([one.steer('hash', soon()), one.steer('random', soon())])
    expect(keeper()).toBe(one)
    stopKeeping(server)
    expect(fakes.closed).toBe(2)
  })

  test('a listener that breaks ends it', async () => {
    await keeper().steer('random', soon())
    events().onError()
    expect(fakes.closed).toBe(1)
  })

  test('the newer wish of a follower is the wish of all, an older one, and the same, is not', async () => {
    await keeper().steer('random', soon())
    const mine = put[0] as Wish
    expect(await heard({ policy: OTHER, since: mine.since - 1 })).toMatchObject({
      steering: { policy: 'random' },
    })
    expect(await heard({ policy: 'random', since: mine.since + 1 })).toMatchObject({ steering: { policy: 'random' } })
    expect(fakes.told).toEqual(['random'])
    expect(await heard({ policy: OTHER, since: mine.since + 1 })).toMatchObject({
      steering: { policy: OTHER },
    })
    expect(fakes.told).toEqual(['random', OTHER])
    expect(await heard({ policy: 'hash', since: mine.since + 2 })).toMatchObject({ steering: { policy: 'hash' } })
    expect(fakes.closed).toBe(1)
    // It keeps nothing any more, and says nothing.
    expect(await heard({ policy: 'random', since: mine.since + 3 })).toBeUndefined()
  })

  test('a wish that cannot be had changes nothing', async () => {
    await keeper().steer('random', soon())
    const { since } = put[0] as Wish
    fakes.put = () => Promise.reject('a text')
    expect(await heard({ policy: OTHER, since: since + 1 })).toEqual({ refused: 'a text' })
    // What the asker makes an error of says the rest.
    fakes.put = () => Promise.reject(new ReusePortSteeringError('no'))
    expect(await heard({ policy: OTHER, since: since + 1 })).toEqual({ refused: 'no' })
    fakes.put = async (wish) => ({ members: [], method: 'program', policy: (wish as Wish).policy, reason: undefined })
    expect(await heard({ policy: 'random', since })).toMatchObject({ steering: { policy: 'random' } })
  })
})

describe('as a follower', () => {
  test('the keeper’s answer; by hash it follows no longer', async () => {
    const socket = follow()
    expect(await keeper().steer('random', soon())).toBe(THEIRS)
    expect(put).toEqual([])
    await keeper().steer('hash', soon())
    expect(socket.destroy).toHaveBeenCalled()
  })

  test('a server that closes follows nobody, and no listener stays at it', async () => {
    const socket = follow()
    await keeper().steer('random', soon())
    await keeper().steer('random', soon())
    const emitter = server as unknown as EventEmitter
    expect(emitter.listenerCount('close')).toBe(1)
    emitter.emit('close')
    expect(socket.destroy).toHaveBeenCalled()
    expect(emitter.eventNames()).toEqual([])
  })

  test('a change that is refused: it follows as before, and would keep the policy that there was', async () => {
    const first = follow()
    await keeper().steer('random', soon())
    const second = follow()
    fakes.ask = () => Promise.reject(new ReusePortSteeringError('refused'))
    await expect(keeper().steer(PROGRAM, soon())).rejects.toThrow('refused')
    expect(first.destroy).not.toHaveBeenCalled()
    second.emit('close')
    expect(policies()).toEqual([])
    fakes.isFree = true
    first.emit('close')
    await vi.advanceTimersByTimeAsync(0)
    expect(policies()).toEqual(['random'])
  })

  test('a wish that is older than that of the keeper: the successor keeps the newer one', async () => {
    const socket = follow()
    await keeper().steer(PROGRAM, soon())
    fakes.isFree = true
    socket.emit('close')
    await vi.advanceTimersByTimeAsync(0)
    expect(policies()).toEqual(['random'])
  })

  test('a keeper that goes before it has answered is succeeded', async () => {
    let times = 0
    fakes.connect = () => (++times === 1 ? Object.assign(new EventEmitter(), { destroy: vi.fn() }) : undefined)
    expect(await keeper().steer('random', soon())).toMatchObject({ keeper: process.pid })
  })

  test('a name that somebody gets first is asked again', async () => {
    fakes.isFree = false
    let times = 0
    fakes.connect = () => {
      if (++times < 2) return undefined
      fakes.ask = async () => THEIRS
      return Object.assign(new EventEmitter(), { destroy: vi.fn() })
    }
    const steering = keeper().steer('random', soon())
    await vi.advanceTimersByTimeAsync(20)
    expect(await steering).toBe(THEIRS)
  })

  test('others change the policy; what is no change is passed over; by hash it is over', async () => {
    const socket = follow()
    await keeper().steer('random', soon())
    fakes.onOther({ policy: OTHER, since: 5 })
    expect(socket.destroy).not.toHaveBeenCalled()
    fakes.onOther({ policy: 'hash', since: 6 })
    expect(socket.destroy).toHaveBeenCalledTimes(1)
  })

  test('the keeper goes: this process takes its place', async () => {
    const socket = follow()
    await keeper().steer('random', soon())
    fakes.isFree = true
    socket.emit('close')
    await vi.advanceTimersByTimeAsync(0)
    expect(policies()).toEqual(['random'])
    // It has gone already.
    socket.emit('close')
    expect(fakes.events).toBeDefined()
  })

  test('the keeper goes: another one takes its place, after some tries, and is followed', async () => {
    const socket = follow()
    await keeper().steer('random', soon())
    fakes.isFree = false
    let times = 0
    const next = Object.assign(new EventEmitter(), { destroy: vi.fn() })
    fakes.connect = () => (++times < 3 ? undefined : next)
    socket.emit('close')
    await vi.advanceTimersByTimeAsync(20)
    expect(times).toBe(3)
    expect(put).toEqual([])
    stopKeeping(server)
    expect(next.destroy).toHaveBeenCalledTimes(1)
  })

  test('the keeper goes where there is nothing to do, or nobody to be found', async () => {
    const socket = follow()
    await keeper().steer('random', soon())
    fakes.listening = -1
    socket.emit('close')
    await vi.advanceTimersByTimeAsync(0)
    expect(fakes.events).toBeUndefined()
    fakes.listening = 8
    const other = follow()
    await keeper().steer('random', soon())
    fakes.isFree = false
    fakes.connect = () => {
      throw new ReusePortSteeringError('it refuses')
    }
    other.emit('close')
    await vi.advanceTimersByTimeAsync(3000)
    expect(put).toEqual([])
  })

  test('the keeper goes, and a stranger takes its name: this process tries again each second, and not more often', async () => {
    const socket = follow()
    await keeper().steer('random', soon())
    fakes.isFree = false
    let tries = 0
    fakes.connect = () => {
      tries++
      throw new NameTakenError('a process of uid 65534 has bound the name')
    }
    socket.emit('close')
    await vi.advanceTimersByTimeAsync(2500)
    expect(tries).toBe(3)
    fakes.isFree = true
    await vi.advanceTimersByTimeAsync(1000)
    expect(policies()).toEqual(['random'])
    stopKeeping(server)
    fakes.isFree = false
    await vi.advanceTimersByTimeAsync(3000)
    expect(tries).toBe(3)
  })

  test('a name that is bound, and that nobody answers by, is waited for until the deadline, with timers', async () => {
    fakes.isFree = false
    let tries = 0
    fakes.connect = () => void tries++
    const steering = keeper().steer('random', new Deadline(100, undefined))
    const rejected = expect(steering).rejects.toThrow(
      'the process that has bound the name of the policy keeper does not',
    )
    await vi.advanceTimersByTimeAsync(200)
    await rejected
    expect(tries).toBeLessThan(30)
  })
})
