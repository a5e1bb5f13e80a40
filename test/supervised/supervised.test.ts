// What `reuseport run` adds to a worker's process, without a supervisor: what is told, taken, let go of and drained.
import { EventEmitter, once } from 'node:events'
import { closeSync, fstatSync, openSync } from 'node:fs'
import net from 'node:net'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { DrainReport, ListenableServer } from '../../src/index.js'
import type { AddonState } from '../../src/native/addon.js'
import { InheritedSockets } from '../../src/supervised/inherited.js'
import type { Link } from '../../src/supervised/link.js'
import type { Nested } from '../../src/supervised/nested.js'
import { OneSocket, type PortCall } from '../../src/supervised/one-socket.js'
import { placeOf } from '../../src/supervised/servers.js'
import { SupervisedWorker } from '../../src/supervised/worker.js'
import type { FromWorker, KeptSocket, ToWorker, WorkerConfiguration } from '../../src/supervisor/protocol.js'
import { answering, failure } from '../support/answering-addon.js'
import { closed, portOf } from '../support/listeners.js'

type Drain = (server: unknown, options: { handOver: boolean }) => Promise<DrainReport>

const fakes = vi.hoisted(() => ({
  state: undefined as unknown,
  drain: undefined as unknown,
  passed: [] as unknown[],
  onSignal: (_signal: string): void => {},
  onDisconnect: (): void => {},
}))

vi.mock('../../src/native/addon.js', async (load) => {
  const real = await load<typeof import('../../src/native/addon.js')>()
  return { ...real, loadAddon: () => fakes.state ?? real.loadAddon() }
})
vi.mock('../../src/index.js', () => ({ drain: (...args: Parameters<Drain>) => (fakes.drain as Drain)(...args) }))
vi.mock('../../src/supervised/signals.js', () => ({
  EndingSignals: class {
    constructor(onSignal: (signal: string) => void, onDisconnect: () => void) {
      Object.assign(fakes, { onSignal, onDisconnect })
    }
    pass(...args: unknown[]): void {
      fakes.passed.push(args)
    }
  },
}))
vi.mock('../../src/listen/supervision.js', () => ({ setSupervision: () => {} }))

const WISH = { address: null, port: 80, ipv6Only: false, options: '' }
const REPORT = { lossless: true, reason: undefined } as DrainReport

let sent: FromWorker[]
let isOpen: boolean
/** What the last message calls where it could not be sent with its handle. */
let failed: (() => void) | undefined
let say: (message: ToWorker, handle?: unknown) => void

beforeEach(() => {
  sent = []
  isOpen = true
  Object.assign(fakes, { state: undefined, passed: [], drain: async () => REPORT })
})

function link(more: Partial<WorkerConfiguration> = {}, isThread = false): Link {
  const configuration: WorkerConfiguration = {
    worker: '1.1',
    sockets: [],
    ports: [8000],
    datagramPorts: [],
    isShared: false,
    steering: undefined,
    balance: undefined,
    ticketKeys: '',
    grace: 0,
    drainTimeout: 0,
    ...more,
  }
  return {
    isThread,
    configuration,
    isOpen: () => isOpen,
    send: (message, _handle, onFailed) => {
      sent.push(message)
      failed = onFailed
    },
    onMessage: (listener) => {
      say = listener
    },
  }
}

const NESTED = { leave: async () => {} } as unknown as Nested

function kept(id: string, fd: number, isGiven = false): KeptSocket {
  return { id, fd, isGiven, wish: { ...WISH, port: Number(id) } }
}

function named(port: number | null): ListenableServer {
  const server = {
    listening: true,
    address: () => (port === null ? null : { address: '127.0.0.1', family: 'IPv4', port }),
    _handle: { fd: 44 },
  }
  return server as unknown as ListenableServer
}

describe('a worker', () => {
  test('tells where a server listens, with its handle where the supervisor does not have it', () => {
    const worker = new SupervisedWorker(link({ sockets: [kept('80', 9, true)], steering: 'cpu' }), NESTED)
    expect(worker.steering).toBe('cpu')
    worker.adopted(named(8080), WISH)
    worker.adopted(named(null), WISH)
    const wish = { ...WISH }
    expect(worker.take(wish)).toMatchObject({ fd: 9 })
    worker.take(wish)?.done(true)
    worker.adopted(named(80), wish)
    expect(sent.map((message) => message.type === 'listening' && message.id)).toEqual(['1.1:0', '80'])
  })

  test('where the handle could not be sent, tells without it, or that it does not listen any more', () => {
    const worker = new SupervisedWorker(link(), NESTED)
    const server = named(8080)
    worker.adopted(server, WISH)
    const [first] = sent
    failed?.()
    expect(sent).toEqual([first, first])
    expect(failed).toBeUndefined()
    worker.adopted(server, WISH)
    Object.defineProperty(server, 'listening', { value: false })
    failed?.()
    expect(sent.at(-1)).toEqual({ type: 'not-opened', wish: WISH })
  })

  test('a thread tells its descriptor', () => {
    new SupervisedWorker(link({}, true), NESTED).adopted(named(8080), WISH)
    expect(sent).toMatchObject([{ type: 'listening', fd: 44 }])
  })

  test('port 0 is the next of those that all have, then one of the kernel’s choice', () => {
    const worker = new SupervisedWorker(link(), NESTED)
    const zero = { ...WISH, port: 0 }
    const next = (): number => {
      worker.take(zero)
      return worker.portFor(zero)
    }
    expect([next(), next(), worker.portFor(WISH)]).toEqual([8000, 0, 80])
  })

  test('releases what no server has, a turn after it is asked', async () => {
    const [free, looks, taken] = ['80', '81', '82'].map((id) => kept(id, openSync('/dev/null', 'r')))
    const worker = new SupervisedWorker(link({ sockets: [free, looks, taken] as KeptSocket[] }), NESTED)
    const wishes = [81, 82].map((port) => ({ ...WISH, port }))
    const servers = wishes.map(({ port }) => named(port))
    for (const [index, wish] of wishes.entries()) {
      worker.take(wish)?.done(true)
      worker.adopted(servers[index] as ListenableServer, wish)
    }
    sent = []
    say({ type: 'release', ids: ['80', '81', '82', 'unknown'] })
    expect(sent).toEqual([])
    // A program that only looks whether its port is free closes its server in the same turn.
    worker.closing(servers[0] as ListenableServer)
    await vi.waitFor(() => expect(sent.at(-1)).toEqual({ type: 'released', ids: ['80', '81'] }))
    expect(sent).toHaveLength(2)
    expect(() => closeSync(free?.fd as number)).toThrow('EBADF')
    expect(() => closeSync(looks?.fd as number)).toThrow('EBADF')
    closeSync(taken?.fd as number)
  })

  test('a thread releases, and closes nothing', async () => {
    const fd = openSync('/dev/null', 'r')
    new SupervisedWorker(link({ sockets: [kept('80', fd)] }, true), NESTED)
    say({ type: 'release', ids: ['80'] })
    await vi.waitFor(() => expect(sent).toEqual([{ type: 'released', ids: ['80'] }]))
    closeSync(fd)
  })

  describe('can take a socket again', () => {
    const port80 = (): { worker: SupervisedWorker; take: () => ReturnType<SupervisedWorker['take']> } => {
      const worker = new SupervisedWorker(link({ sockets: [kept('80', 9)] }, true), NESTED)
      return { worker, take: () => worker.take({ ...WISH }) }
    }

    test('that could not be duplicated', () => {
      const { take } = port80()
      const first = take()
      expect(take()).toBeUndefined()
      first?.done(false)
      expect(take()).toMatchObject({ fd: 9 })
    })

    test('that is closed without a server', () => {
      const { take, worker } = port80()
      const wish = { ...WISH }
      worker.take(wish)?.done(true)
      expect(take()).toBeUndefined()
      worker.dropped({ ...WISH })
      expect(take()).toBeUndefined()
      expect(sent).toEqual([])
      worker.dropped(wish)
      worker.dropped(wish)
      // The supervisor may have asked for it, and got the answer that it is taken.
      expect(sent).toEqual([{ type: 'closed', id: '80' }])
      expect(take()).toMatchObject({ fd: 9 })
    })

    test('that another process has opened: its end changes nothing for the other servers', () => {
      const worker = new SupervisedWorker(link({ sockets: [kept('80', 9, true)] }, true), NESTED)
      const wish = { ...WISH }
      worker.take(wish)?.done(true)
      worker.dropped(wish)
      expect(sent).toEqual([])
    })

    test('whose server has closed: the supervisor has it still', () => {
      const { worker } = port80()
      for (const wish of [{ ...WISH }, { ...WISH }]) {
        expect(worker.take(wish)).toMatchObject({ fd: 9 })
        const server = named(80)
        worker.adopted(server, wish)
        worker.closing(server)
      }
      expect(sent.map((message) => 'id' in message && [message.type, message.id])).toEqual([
        ['listening', '80'],
        ['closed', '80'],
        ['listening', '80'],
        ['closed', '80'],
      ])
    })

    test('but none after it was told to leave', async () => {
      const { take } = port80()
      say({ type: 'leave', kept: [], signal: 'SIGTERM' })
      expect(take()).toBeUndefined()
      await vi.waitFor(() => expect(fakes.passed).toHaveLength(1))
    })
  })

  test('ticket keys that change are for the servers that have none of their own', () => {
    const worker = new SupervisedWorker(link(), NESTED)
    const [ours, theirs] = [1, 2].map((port) => Object.assign(named(port), { setTicketKeys: vi.fn() }))
    Object.assign(theirs as object, { ticketKeys: 'own' })
    for (const server of [ours, theirs, named(3)]) worker.adopted(server as ListenableServer, WISH)
    say({ type: 'ticket-keys', keys: 'YQ==' })
    expect(ours?.setTicketKeys).toHaveBeenLastCalledWith(Buffer.from('a'))
    expect(theirs?.setTicketKeys).not.toHaveBeenCalled()
  })

  test('an answer about one socket where there is none is nothing', () => {
    expect(new SupervisedWorker(link(), NESTED).oneSocket).toBeUndefined()
    expect(() => say({ type: 'open', want: 1 })).not.toThrow()
  })

  test('told to leave: it drains once, tells what was lost, and hears the signal', async () => {
    const worker = new SupervisedWorker(link(), NESTED)
    const [first, second, closing, broken] = [named(1), named(2), named(3), named(4)]
    for (const server of [first, second, closing, broken]) worker.adopted(server, WISH)
    worker.closing(closing)
    worker.closing(closing)
    expect(sent.at(-1)).toEqual({ type: 'closed', id: '1.1:2' })
    const drained: unknown[] = []
    fakes.drain = async (server: unknown, { handOver }: { handOver: boolean }) => {
      drained.push([server, handOver])
      if (server === broken) throw new Error('it cannot be')
      return server === first ? { ...REPORT, lossless: false, reason: 'what waited' } : REPORT
    }
    sent = []
    say({ type: 'leave', kept: ['1.1:1'], signal: 'SIGINT' })
    say({ type: 'leave', kept: [], signal: 'SIGTERM' })
    await vi.waitFor(() => expect(fakes.passed).toEqual([['SIGINT', false]]), 5000)
    expect(drained).toEqual([
      [first, false],
      [second, true],
      [broken, false],
    ])
    expect(sent).toEqual([{ type: 'left', lossless: false, reason: 'what waited' }])
  })

  test('a signal asks for a successor; a second one says the same, a third is for the program', () => {
    new SupervisedWorker(link(), NESTED)
    fakes.onSignal('SIGINT')
    expect(sent).toEqual([{ type: 'relieve', signal: 'SIGINT' }])
    fakes.onSignal('SIGTERM')
    expect(fakes.passed).toEqual([])
    fakes.onSignal('SIGTERM')
    expect(fakes.passed).toEqual([['SIGTERM', false]])
    expect(sent).toHaveLength(1)
  })

  test('a second signal a second later is for the program', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(5000)
    new SupervisedWorker(link(), NESTED)
    fakes.onSignal('SIGTERM')
    now.mockReturnValue(6000)
    fakes.onSignal('SIGINT')
    now.mockRestore()
    expect(fakes.passed).toEqual([['SIGINT', false]])
  })

  test('an order of the supervisor is no signal: the first one after it changes nothing', async () => {
    const worker = new SupervisedWorker(link(), NESTED)
    worker.adopted(named(1), WISH)
    let drained = (_report: DrainReport): void => {}
    fakes.drain = () =>
      new Promise((resolve) => {
        drained = resolve
      })
    sent = []
    say({ type: 'leave', kept: [], signal: 'SIGTERM' })
    fakes.onSignal('SIGTERM')
    expect(fakes.passed).toEqual([])
    drained(REPORT)
    await vi.waitFor(() => expect(fakes.passed).toHaveLength(1), 5000)
    expect(sent).toEqual([{ type: 'left', lossless: true, reason: undefined }])
  })

  test('that waits for its successor still tells what it closes: the successor need not accept there', () => {
    const worker = new SupervisedWorker(link(), NESTED)
    const server = named(80)
    worker.adopted(server, WISH)
    fakes.onSignal('SIGTERM')
    worker.closing(server)
    expect(sent.at(-1)).toEqual({ type: 'closed', id: '1.1:0' })
  })

  test('a signal where the supervisor has gone: it leaves what others accept from', async () => {
    const fd = openSync('/dev/null', 'r')
    const worker = new SupervisedWorker(link({ sockets: [kept('80', fd, true)] }), NESTED)
    const wish = { ...WISH }
    worker.take(wish)
    worker.adopted(named(80), wish)
    worker.adopted(named(81), WISH)
    const drained: boolean[] = []
    fakes.drain = async (_server: unknown, { handOver }: { handOver: boolean }) => {
      drained.push(handOver)
      return REPORT
    }
    isOpen = false
    fakes.onDisconnect()
    expect(drained).toEqual([])
    fakes.onSignal('SIGTERM')
    await vi.waitFor(() => expect(fakes.passed).toHaveLength(1), 5000)
    expect(drained).toEqual([true, false])
    // The duplicate of its server is the server's own.
    expect(() => closeSync(fd)).toThrow('EBADF')
  })

  test('the supervisor goes before it has sent a successor', async () => {
    new SupervisedWorker(link({ isShared: true }), NESTED)
    fakes.onSignal('SIGTERM')
    fakes.onDisconnect()
    await vi.waitFor(() => expect(fakes.passed).toHaveLength(1), 5000)
  })
})

test('a server at a path is at no port', () => {
  const at = (address: unknown): unknown => placeOf({ address: () => address } as unknown as ListenableServer)
  expect(at('/run/app.sock')).toBeUndefined()
  expect(at(null)).toBeUndefined()
  expect(at({ address: '::', family: 'IPv6', port: 1 })).toEqual({ address: '::', family: 'IPv6', port: 1 })
})

describe('one socket for all', () => {
  const core = vi.fn((_server: net.Server, ..._args: unknown[]) => {})
  const told = vi.fn()

  function call(more: Partial<PortCall> = {}): PortCall {
    const none = { host: undefined, backlog: undefined, ipv6Only: false, signal: undefined, callback: undefined }
    return { port: 80, ...none, ...more }
  }

  function oneSocket(configuration: Parameters<typeof link>[0] = {}): OneSocket {
    const to = link(configuration)
    return new OneSocket(to, new InheritedSockets(to.configuration.sockets, true), told)
  }

  beforeEach(() => {
    core.mockReset()
    told.mockReset()
  })

  test('who is told to open it does, and says where it could not', () => {
    const one = oneSocket()
    const server = net.createServer().on('error', () => {})
    const callback = vi.fn()
    one.listen(server, call({ callback, host: '127.0.0.1' }), core)
    one.listen(net.createServer(), call({ port: 0 }), core)
    expect(sent).toMatchObject([
      { type: 'want', want: 0, wish: { address: '127.0.0.1', port: 80, options: '' } },
      { type: 'want', want: 1, wish: { address: null, port: 0, options: 'call 0' } },
    ])
    one.answer({ type: 'open', want: 0 }, undefined)
    expect(core).toHaveBeenCalledWith(server, expect.objectContaining({ port: 80, host: '127.0.0.1' }))
    server.emit('error', new Error('EADDRINUSE'))
    expect(sent.at(-1)).toMatchObject({ type: 'not-opened', wish: { port: 80 } })
    // A program that tries again asks again.
    one.listen(server, call(), core)
    expect(sent.at(-1)).toMatchObject({ type: 'want', want: 2 })
    one.answer({ type: 'open', want: 2 }, undefined)
    server.emit('listening')
    expect(callback).toHaveBeenCalledTimes(1)
    expect(told).toHaveBeenCalledTimes(1)
    expect(told).toHaveBeenCalledWith(server, expect.objectContaining({ port: 80 }), undefined)
    // The other one still waits, and nobody waits for this.
    one.answer({ type: 'open', want: 0 }, undefined)
    one.answer({ type: 'open', want: 1 }, undefined)
    expect(core).toHaveBeenCalledTimes(3)
    expect(sent.filter(({ type }) => type === 'not-opened')).toHaveLength(1)
  })

  test('who closed meanwhile, or listens elsewhere, does not, and says so once', () => {
    const one = oneSocket()
    const [forgotten, again, elsewhere] = [net.createServer(), net.createServer(), net.createServer()]
    one.listen(forgotten, call(), core)
    one.forget(forgotten)
    one.listen(again, call(), core)
    one.listen(again, call({ port: 81 }), core)
    one.listen(elsewhere, call(), core)
    Object.defineProperty(elsewhere, 'listening', { value: true })
    const wants = sent.length
    for (const want of [0, 1, 3]) one.answer({ type: 'open', want }, undefined)
    expect(core).not.toHaveBeenCalled()
    expect(sent.slice(wants)).toEqual([0, 1, 3].map(() => ({ type: 'not-opened', wish: { ...WISH, port: 80 } })))
    one.answer({ type: 'open', want: 2 }, undefined)
    expect(core).toHaveBeenCalledTimes(1)
    // An answer that comes again is none.
    one.answer({ type: 'open', want: 0 }, undefined)
    expect(sent).toHaveLength(wants + 3)
  })

  test('who closed meanwhile takes no socket: its handle is closed, and that is said once', () => {
    const one = oneSocket()
    const [forgotten, elsewhere] = [net.createServer(), net.createServer()]
    for (const server of [forgotten, elsewhere]) one.listen(server, call(), core)
    one.forget(forgotten)
    one.forget(forgotten)
    Object.defineProperty(elsewhere, 'listening', { value: true })
    sent = []
    const close = vi.fn()
    one.answer({ type: 'take', id: 's', want: 0, local: undefined }, { close })
    one.answer({ type: 'take', id: 's', want: 1, local: { fd: 99, inode: 1 } }, undefined)
    expect(close).toHaveBeenCalledTimes(1)
    expect(sent).toEqual([0, 1].map(() => ({ type: 'closed', id: 's' })))
    expect(core).not.toHaveBeenCalled()
  })

  describe.each([
    ['opens', { type: 'open', want: 0 }, { type: 'not-opened', wish: WISH }],
    ['takes', { type: 'take', id: 's', want: 0, local: undefined }, { type: 'closed', id: 's' }],
  ] as const)('a server that %s it', (_what, answer, givesUp) => {
    // What `listen` of these tests does is to be told by the events of the server.
    function answered(): { one: OneSocket; server: net.Server } {
      const one = oneSocket()
      const server = net.createServer().on('error', () => {})
      one.listen(server, call(), core)
      sent = []
      one.answer(answer, {})
      expect(core).toHaveBeenCalledTimes(1)
      expect(sent).toEqual([])
      return { one, server }
    }

    test('and closes before it listens says so once, whatever happens then', () => {
      const { one, server } = answered()
      one.forget(server)
      expect(sent).toEqual([givesUp])
      one.forget(server)
      server.emit('error', new Error('EADDRINUSE'))
      server.emit('listening')
      expect(sent).toEqual([givesUp])
      expect(told).not.toHaveBeenCalled()
    })

    test('and fails says so once, also where the program closes it then', () => {
      const { one, server } = answered()
      server.emit('error', new Error('EADDRINUSE'))
      server.emit('error', new Error('again'))
      one.forget(server)
      expect(sent).toEqual([givesUp])
      expect(told).not.toHaveBeenCalled()
    })

    test('and listens says nothing more when it fails or closes: that is told elsewhere', () => {
      const { one, server } = answered()
      server.emit('listening')
      server.emit('listening')
      server.emit('error', new Error('EMFILE'))
      one.forget(server)
      expect(sent).toEqual([])
      expect(told).toHaveBeenCalledTimes(1)
    })

    test('leaves the errors that nobody handles to the program', () => {
      const one = oneSocket()
      const server = net.createServer()
      one.listen(server, call(), core)
      one.answer(answer, {})
      expect(() => server.emit('error', new Error('EADDRINUSE'))).toThrow('EADDRINUSE')
      expect(sent.at(-1)).toEqual(givesUp)
      expect(server.eventNames()).not.toContain('listening')
    })
  })

  test('who closes it between `listen` and the event has not opened it', async () => {
    const one = oneSocket()
    const listen = (server: net.Server, ...args: unknown[]): void => void Reflect.apply(server.listen, server, args)
    const server = net.createServer()
    one.listen(server, call({ port: 0, host: '127.0.0.1' }), listen)
    one.answer({ type: 'open', want: 0 }, undefined)
    const listens = vi.fn()
    server.on('listening', listens)
    one.forget(server)
    await closed(server)
    expect(sent.map(({ type }) => type)).toEqual(['want', 'not-opened'])
    // The same server listens again, and its answers are its own.
    one.listen(server, call({ host: '127.0.0.1', port: 0 }), listen)
    one.answer({ type: 'open', want: 1 }, undefined)
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1))
    expect(listens).toHaveBeenCalledTimes(1)
    expect(sent.map(({ type }) => type)).toEqual(['want', 'not-opened', 'want'])
    await closed(server)
  })

  test('the others take it by its handle, which ends with their signal', async () => {
    const one = oneSocket()
    const handle = {}
    const servers = [new EventEmitter(), new EventEmitter(), new EventEmitter()] as unknown as net.Server[]
    const abort = new AbortController()
    const signals = [undefined, AbortSignal.abort(), abort.signal]
    const close = vi.fn()
    for (const [want, server] of servers.entries()) {
      Object.assign(server, { close, listening: false })
      one.listen(server, call({ signal: signals[want], backlog: 7 }), core)
      one.answer({ type: 'take', id: 's', want, local: undefined }, handle)
      expect(core).toHaveBeenLastCalledWith(server, handle, 7)
    }
    await new Promise((resolve) => process.nextTick(resolve))
    expect(close).toHaveBeenCalledTimes(1)
    abort.abort()
    expect(close).toHaveBeenCalledTimes(2)
    servers[0]?.emit('listening')
    expect(told).toHaveBeenCalledWith(servers[0], expect.anything(), 's')
  })

  test('a thread, and what was given from the start: by a descriptor of its own, as long as there is one', async () => {
    const server = net.createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle
    const given = { ...kept('80', fd, true), wish: { ...WISH, port: portOf(server) } }
    const one = oneSocket({ sockets: [given, kept('81', 9)] })
    const listenAgain = async (): Promise<void> => {
      const other = net.createServer()
      one.listen(other, call({ port: portOf(server) }), (to, ...args) => Reflect.apply(to.listen, to, args))
      await once(other, 'listening')
      expect(portOf(other)).toBe(portOf(server))
      await closed(other)
    }
    await listenAgain()
    expect(told).toHaveBeenLastCalledWith(expect.anything(), expect.anything(), '80')
    expect(sent).toEqual([])
    const take = (number: number, inode: number): unknown => {
      sent = []
      const other = net.createServer().on('error', (error) => sent.push(error as never))
      one.listen(other, call({ port: 90 }), core)
      const { want } = sent[0] as FromWorker & { readonly type: 'want' }
      one.answer({ type: 'take', id: 's', want, local: { fd: number, inode } }, undefined)
      return core.mock.lastCall?.[1]
    }
    // What the supervisor has closed in the meantime is none, or another file: the server asks again.
    for (const [number, inode] of [
      [1_000_000, 1],
      [fd, fstatSync(fd).ino + 1],
    ] as const) {
      expect(take(number, inode)).toBeUndefined()
      expect(sent.map(({ type }) => type)).toEqual(['want', 'closed', 'want'])
    }
    const addon = answering({ duplicate: () => failure('EMFILE', 'fcntl') })
    fakes.state = { loaded: true, addon } as AddonState
    expect(take(fd, 1)).toBeUndefined()
    await vi.waitFor(() => expect(sent.at(-1)).toMatchObject({ code: 'EMFILE', syscall: 'listen', port: 90 }))
    expect(sent.map(({ type }) => type)).toEqual(['want', 'closed', undefined])
    fakes.state = { loaded: false, reason: 'there is none', cause: undefined } satisfies AddonState
    expect(take(1_000_000, 1)).toMatchObject({ fd: 1_000_000 })
    await closed(server)
  })

  test('where the supervisor has ended, who waits opens its own socket, and who comes later', () => {
    const one = oneSocket()
    const [first, second] = [net.createServer(), net.createServer()]
    one.listen(first, call(), core)
    expect(core).not.toHaveBeenCalled()
    isOpen = false
    one.openAll()
    expect(core).toHaveBeenLastCalledWith(first, expect.objectContaining({ port: 80 }))
    one.listen(second, call({ port: 81 }), core)
    expect(core).toHaveBeenLastCalledWith(second, expect.objectContaining({ port: 81 }))
    expect(core).toHaveBeenCalledTimes(2)
  })
})
