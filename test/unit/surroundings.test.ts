// What this process is told of its surroundings: the kernel, Node's permission model, other runtimes, other servers.
import net from 'node:net'
import os from 'node:os'
import process from 'node:process'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { chooseRoute, fallBack, refusalOf } from '../../src/listen/fallback.js'
import type { AddonState } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { joinCluster } from '../../src/node/cluster.js'
import { shareByCore } from '../../src/node/datagram-internals.js'
import type { BindableSocket } from '../../src/node/datagram-socket.js'
import type { ListenableServer } from '../../src/node/server.js'
import { ServerConnections } from '../../src/node/server-connections.js'
import { parsePolicy, toFlag } from '../../src/steering/policy.js'
import { answering, failure } from '../support/answering-addon.js'

const MISSING: AddonState = { loaded: false, reason: 'there is none', cause: new Error('none') }
const YES = { supported: true, reason: '', conclusive: true, steering: true } as const

afterEach(() => {
  vi.restoreAllMocks()
  vi.doUnmock('../../src/native/addon.js')
  vi.doUnmock('node:net')
  vi.resetModules()
})

/** As the module is where the addon is like this. */
async function withAddon(state: AddonState): Promise<typeof import('../../src/system/capabilities.js')> {
  vi.resetModules()
  vi.doMock('../../src/native/addon.js', () => ({ loadAddon: () => state }))
  return import('../../src/system/capabilities.js')
}

/** Node's permission model, with everything else allowed. */
async function denying(scope: string, work: () => Promise<void>): Promise<void> {
  Object.defineProperty(process, 'permission', { value: { has: (one: string) => one !== scope }, configurable: true })
  const flags = process.allowedNodeEnvironmentFlags
  Object.defineProperty(process, 'allowedNodeEnvironmentFlags', {
    value: new Set([...flags, '--allow-net']),
    configurable: true,
  })
  try {
    await work()
  } finally {
    Reflect.deleteProperty(process, 'permission')
    Object.defineProperty(process, 'allowedNodeEnvironmentFlags', { value: flags, configurable: true })
  }
}

describe('a kernel', () => {
  test.each([
    ['5.10.0-30-amd64', /^replacing the program of a group .* Linux 5\.10\.0-30-amd64 may lack the fix: ask/],
    [
      '6.12.92',
      /CVE-2026-52910; Linux 6\.12\.92 is older than the fix: ask your distribution whether its kernel has the fix$/,
    ],
    ['6.12.93', null],
  ])('%s and what may go wrong with steering there', async (release, risk) => {
    const { combine } = await import('../../src/system/capabilities.js')
    vi.spyOn(os, 'release').mockReturnValue(release)
    const { steeringRisk } = combine('linux', MISSING, YES)
    if (risk === null) expect(steeringRisk).toBeNull()
    else expect(steeringRisk).toMatch(risk)
  })

  test.each([
    [{ openSocket: () => failure('EMFILE', 'socket') }, 'steering could not be tried: socket EMFILE'],
    [
      { attachProgram: () => failure('ENOSYS', 'setsockopt') },
      'this system has no BPF programs that choose between the members of a group',
    ],
    [
      { attachProgram: () => failure('EPERM', 'setsockopt') },
      'the kernel or a seccomp filter refuses BPF programs that choose between the members of a group (setsockopt EPERM)',
    ],
  ] as const satisfies readonly (readonly [Partial<Addon>, string])[])(
    'that refuses programs',
    async (answers, reason) => {
      const { capabilities } = await withAddon({ loaded: true, addon: answering(answers) })
      expect(capabilities()).toMatchObject({
        balanced: true,
        steering: false,
        steeringRisk: null,
        reasons: { steering: reason },
      })
    },
  )

  test('without the addon: by Node, and why no steering', async () => {
    const { capabilities } = await withAddon(MISSING)
    expect(capabilities().reasons).toMatchObject({
      addon: 'there is none',
      steering: 'the native addon is missing: there is none',
    })
  })
})

describe('the permission model', () => {
  test('that denies the network: nothing is tried', async () => {
    const probe = vi.fn()
    const { capabilities } = await withAddon({ loaded: true, addon: answering({ probe }) })
    await denying('net', async () => {
      const reason = 'the permission model denies the network; add --allow-net'
      expect(capabilities()).toMatchObject({ supported: false, reasons: { supported: reason, steering: reason } })
    })
    expect(probe).not.toHaveBeenCalled()
  })

  test('that denies the network: there is no addon, and what needs it is refused as Node would', async () => {
    const { loadAddon } = await import('../../src/native/addon.js')
    const { inspectGroup, inspectGroups, repairGroup, steer } = await import('../../src/index.js')
    const denied = { code: 'ERR_ACCESS_DENIED', permission: 'Net', resource: '' }
    const group = { port: 1, host: '127.0.0.1' }
    await denying('net', async () => {
      expect(loadAddon()).toMatchObject({
        loaded: false,
        reason: expect.stringContaining('--allow-net'),
        cause: denied,
      })
      for (const act of [
        () => inspectGroup(group),
        () => inspectGroups(),
        () => repairGroup(group),
        () => steer(group, 'random'),
      ]) {
        await expect(act()).rejects.toMatchObject({ ...denied, message: expect.stringContaining('--allow-net') })
      }
      const reason = expect.stringContaining('--allow-net')
      expect(await steer(group, 'random', { optional: true })).toMatchObject({ policy: 'hash', reason })
    })
    expect(loadAddon().loaded).toBe(true)
  })

  test('a socket without a server is refused as Node would', async () => {
    const { openReusePortSocket } = await import('../../src/listen/open-socket.js')
    await denying('net', async () => {
      expect(() => openReusePortSocket()).toThrow(expect.objectContaining({ code: 'ERR_ACCESS_DENIED' }))
    })
  })

  test('that allows it', async () => {
    const { mayRead, networkDenied } = await import('../../src/node/permission.js')
    await denying('fs.read', async () => {
      expect(networkDenied()).toBe(false)
      expect(mayRead('/proc')).toBe(false)
    })
    expect(mayRead('/proc')).toBe(true)
  })
})

describe("Node's own reusePort", () => {
  async function tried(listen: (this: net.Server, options: object) => void, address: unknown): Promise<boolean> {
    vi.resetModules()
    const original = net.Server.prototype.listen
    net.Server.prototype.listen = listen as typeof original
    const of = vi.spyOn(net.Server.prototype, 'address').mockReturnValue(address as null)
    try {
      return (await import('../../src/node/core-reuse-port.js')).coreSharesPorts()
    } finally {
      net.Server.prototype.listen = original
      of.mockRestore()
    }
  }

  test('cannot be tried where the first does not listen, or at no port', async () => {
    expect(await tried(() => {}, null)).toBe(false)
    expect(await tried(() => {}, '/run/app.sock')).toBe(false)
    const denied = (): void => {
      throw new Error('Access to this API has been restricted')
    }
    expect(await tried(denied, null)).toBe(false)
  })

  test('of dgram, where there is none', () => {
    expect(shareByCore({} as BindableSocket)).toMatchObject({ code: 'ERR_REUSEPORT_UNSUPPORTED' })
    const state = { reusePort: false }
    const socket = { [Symbol('state symbol')]: state }
    const answer = shareByCore(socket as unknown as BindableSocket)
    if (answer === undefined) expect(state.reusePort).toBe(true)
    else expect(answer.code).toBe('ERR_REUSEPORT_UNSUPPORTED')
  })
})

describe('a fallback', () => {
  const system = { supported: true, balanced: false, addon: true, reasons: {} } as Parameters<typeof chooseRoute>[1]

  test('whose reason nobody knows', () => {
    expect(chooseRoute('exclusive', system)).toEqual({ by: 'exclusive', reason: 'this system cannot share a port' })
  })

  test('takes no options of a socket', () => {
    const options = { socketOptions: { mark: 1 } } as unknown as Parameters<typeof refusalOf>[2]
    const loaded: AddonState = { loaded: true, addon: answering({}) }
    const of = (by: 'core' | 'exclusive', state: AddonState): unknown =>
      refusalOf(by === 'core' ? { by } : { by, reason: 'Windows has none' }, state, options)
    expect(of('core', loaded)).toMatchObject({
      reason: expect.stringMatching(/but Node's own reusePort serves this call$/),
    })
    expect(of('exclusive', loaded)).toMatchObject({ reason: expect.stringMatching(/but Windows has none$/) })
    expect(of('core', MISSING)).toMatchObject({ code: 'ERR_REUSEPORT_ADDON_UNAVAILABLE' })
  })

  test('is told on its channel, with the reason where there is one', async () => {
    const { channel } = await import('node:diagnostics_channel')
    const told: unknown[] = []
    const hear = (message: unknown): unknown => told.push(message)
    channel('reuseport:fallback').subscribe(hear)
    const target = net.createServer() as unknown as ListenableServer
    fallBack({ by: 'core' }, MISSING, target)
    fallBack({ by: 'core' }, { loaded: true, addon: answering({}) }, target)
    channel('reuseport:fallback').unsubscribe(hear)
    expect(told).toEqual([
      { target, by: 'core', reason: 'there is none' },
      { target, by: 'core', reason: '' },
    ])
  })
})

describe('the connections of a server', () => {
  test('of something that is none', () => {
    for (const none of [{}, { on: () => {} }, { off: () => {} }]) {
      expect(() => new ServerConnections(none as ListenableServer)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      )
    }
  })

  test('of a runtime that tells little', async () => {
    const server = net.createServer()
    const of = (more: object): ServerConnections =>
      new ServerConnections(Object.assign(net.createServer(), more) as unknown as ListenableServer)
    expect(await of({ getConnections: undefined }).count()).toBe(0)
    const silent = (answer: (error: Error | null) => void): void => answer(new Error('closed'))
    expect(await of({ getConnections: silent }).count()).toBe(0)
    const handles = '_getActiveHandles' as const
    const own = Object.getOwnPropertyDescriptor(process, handles) as PropertyDescriptor
    Object.defineProperty(process, handles, { value: undefined, configurable: true })
    try {
      expect(() => of({}).destroyAll()).not.toThrow()
    } finally {
      Object.defineProperty(process, handles, own)
    }
    const told: number[] = []
    const one = new ServerConnections(server as unknown as ListenableServer)
    one.onAccepted((fd) => told.push(fd))
    for (const handle of [undefined, {}, { fd: -1 }, { fd: 5 }]) server.emit('connection', { _handle: handle } as never)
    expect(told).toEqual([5])
    one.forget()
  })

  test('a server whose closeIdleConnections is its own has it afterwards', () => {
    const closeIdleConnections = vi.fn()
    const server = Object.assign(net.createServer(), { closeIdleConnections, close: () => server })
    new ServerConnections(server as unknown as ListenableServer).stopListening()
    expect(server.closeIdleConnections).toBe(closeIdleConnections)
    expect(closeIdleConnections).not.toHaveBeenCalled()
  })

  test('sessions of http2 where the server keeps them', () => {
    const session = { destroy: vi.fn(), closed: false, close: vi.fn() }
    const server = Object.assign(net.createServer(), { [Symbol('sessions')]: new Set([session]) })
    const connections = new ServerConnections(server as unknown as ListenableServer)
    // One that has come shortly before has its time too.
    connections.closeIdle(90, 100, 0)
    connections.closeIdle(189, 100, 0)
    expect(session.close).not.toHaveBeenCalled()
    connections.closeIdle(190, 100, 0)
    connections.destroyAll()
    expect(session.close).toHaveBeenCalledTimes(1)
    expect(session.destroy).toHaveBeenCalledTimes(1)
  })
})

test('a process that is no worker of cluster is registered nowhere', () => {
  const emit = vi.spyOn(process, 'emit')
  joinCluster({} as ListenableServer, {}, { host: null, address: '::', family: 6, port: 1, backlog: 1 })
  expect(emit).not.toHaveBeenCalled()
})

describe('a program for a policy', () => {
  const RETURN = { code: 6, jt: 0, jf: 0, k: 0 }
  const of =
    (...program: object[]) =>
    () =>
      parsePolicy({ program } as never)

  test('may jump forward within itself', () => {
    expect(of({ code: 0x15, jt: 1, jf: 0, k: 5 }, RETURN, RETURN)).not.toThrow()
    expect(of({ code: 5, jt: 0, jf: 0, k: 0 }, RETURN)).not.toThrow()
  })

  test.each([
    [[{ code: 0x15, jt: 0, jf: 2, k: 5 }, RETURN, RETURN], /jumps beyond the end/],
    [[{ code: 5, jt: 0, jf: 0, k: 1 }, RETURN], /jumps beyond the end/],
    [[RETURN, { code: 0, jt: 0, jf: 0, k: 1 }], /must return: it is the last instruction/],
  ])('%#: refused', (program, message) => {
    expect(of(...program)).toThrow(message)
  })
})

test('a flag', () => {
  expect(toFlag('options.optional', undefined)).toBe(false)
  expect(() => toFlag('options.optional', 1)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
})
