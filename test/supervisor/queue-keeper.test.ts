// What a keeper makes of what workers say: the workers are none, the sockets are real, and nobody accepts from them.
import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fstatSync } from 'node:fs'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nextTurn } from '../../src/common/waiting.js'
import { openReusePortSocket } from '../../src/index.js'
import { type Envelope, toEnvelope } from '../../src/supervisor/messages.js'
import type { FromWorker, ToWorker } from '../../src/supervisor/protocol.js'
import { QueueKeeper } from '../../src/supervisor/queue-keeper.js'

interface Handle {
  readonly fd: number
  isClosed: boolean
  close(): void
}

const open: { close(): void }[] = []
let keeper: QueueKeeper
let told: unknown[][]
let pids = 100

beforeEach(() => keep(new QueueKeeper()))

afterEach(() => {
  keeper.close()
  for (const one of open.splice(0)) one.close()
})

function keep(one: QueueKeeper): void {
  keeper = one
  told = []
  for (const name of ['queue:join', 'queue:part', 'warning'] as const)
    keeper.on(name, (...args: unknown[]) => told.push([name, ...args]))
}

/** A child process that is none. */
class FakeChild extends EventEmitter {
  readonly pid = pids++
  readonly exitCode = null
  connected = true
  fails = false
  readonly heard: ToWorker[] = []
  readonly handles: unknown[] = []
  readonly own: { readonly id: string; readonly port: number; readonly handle: Handle }[] = []

  send(envelope: Envelope, handle: unknown, then: (error: Error | null) => void): boolean {
    this.heard.push(JSON.parse(JSON.stringify(envelope.body)))
    this.handles.push(handle)
    then(this.fails ? new Error('EPIPE') : null)
    return true
  }

  says(message: FromWorker | object, handle?: unknown): void {
    this.emit('internalMessage', toEnvelope(message), handle)
  }

  /** Joins, parts and answers as a worker would. @param parts Whether it does so at once. */
  obeys(parts = true): this {
    this.send = (envelope, handle, then) => {
      const body = envelope.body as ToWorker
      FakeChild.prototype.send.call(this, envelope, handle, then)
      if (body.type === 'join') {
        this.says({ type: 'joined', id: body.id, isTaken: true })
        this.says({ type: 'visits', begun: [body.id], ended: [] })
      }
      if (body.type === 'part') this.says({ type: 'visits', begun: [], ended: [{ id: body.id, accepted: 3 }] })
      if (body.type === 'part' && parts) this.says({ type: 'parted', id: body.id })
      if (body.type === 'ping') this.says({ type: 'pong', ping: body.ping })
      return true
    }
    return this
  }

  listens(port: number, id = `${this.pid}:${this.own.length}`): Handle {
    const handle = listener(port)
    this.own.push({ id, port: handle.port, handle })
    this.says(listening(id, handle.port), handle)
    return handle
  }

  get port(): number {
    return this.own[0]?.port ?? 0
  }

  get id(): string {
    return this.own[0]?.id ?? ''
  }

  types(): readonly string[] {
    return this.heard.map(({ type }) => type)
  }
}

function listener(port: number): Handle & { readonly port: number } {
  const socket = openReusePortSocket({ port, host: '127.0.0.1' })
  open.push(socket)
  const handle = {
    fd: socket.fd,
    port: socket.address().port,
    isClosed: false,
    close: () => {
      handle.isClosed = true
    },
  }
  return handle
}

const wishOf = (port: number): object => ({ address: '127.0.0.1', port, ipv6Only: false, options: '' })
const listening = (id: string, port: number): object => ({
  type: 'listening',
  id,
  address: '127.0.0.1',
  family: 'IPv4',
  port,
  wish: wishOf(port),
})

function start(): FakeChild {
  const child = new FakeChild()
  keeper.add(child as unknown as ChildProcess)
  return child
}

/** Two workers at one place; connections wait in the queue of the first one. */
async function standing(parts = true): Promise<readonly [FakeChild, FakeChild]> {
  const [busy, idle] = [start(), start().obeys(parts)]
  busy.listens(0)
  for (let clients = 0; clients < 3; clients++) {
    const client = net.connect(busy.port, '127.0.0.1').on('error', () => {})
    open.push({ close: () => client.destroy() })
    // Before another socket of the port is there.
    await once(client, 'connect')
  }
  return [busy, idle]
}

const inodeOf = ({ fd }: Handle): number => fstatSync(fd).ino
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5000, interval: 2 })

describe('a queue that stands', () => {
  test('is joined by a worker of the same place, which parts when it leaves', async () => {
    const [busy, idle] = await standing()
    const other = start().obeys()
    other.listens(0)
    idle.listens(busy.port)
    await until(() => expect(idle.types()).toEqual(['join']))
    expect(idle.handles).toEqual([busy.own[0]?.handle])
    expect(other.heard).toEqual([])
    const queue = { of: busy.pid, address: '127.0.0.1', family: 'IPv4', port: busy.port }
    expect(told).toEqual([['queue:join', idle.pid, queue]])
    busy.says({ type: 'closed', id: busy.id })
    await until(() => expect(busy.own[0]?.handle.isClosed).toBe(true))
    expect(idle.types()).toEqual(['join', 'part'])
    expect(told.at(-1)).toEqual(['queue:part', idle.pid, { ...queue, accepted: 3 }])
    const [numbers] = keeper.status().workers.filter(({ pid }) => pid === idle.pid)
    expect(numbers).toMatchObject({ joins: 1, acceptedAsGuest: 3 })
  })

  test('is the own worker`s alone before it is drained', async () => {
    const [busy, idle] = await standing(false)
    idle.listens(busy.port)
    await until(() => expect(idle.types()).toContain('join'))
    busy.says({ type: 'drains', id: busy.id })
    await until(() => expect(idle.types()).toContain('part'))
    await nextTurn()
    expect(busy.types()).not.toContain('yours')
    expect(busy.own[0]?.handle.isClosed).toBe(false)
    idle.says({ type: 'parted', id: busy.id })
    await until(() => expect(busy.types()).toContain('yours'))
    expect(idle.types()).toEqual(['join', 'part'])
    expect(busy.own[0]?.handle.isClosed).toBe(true)
    expect(keeper.status().workers.map(({ pid }) => pid)).toEqual([idle.pid])
  })
})

describe('a worker that has died', () => {
  test('has its queue joined at once, without a client', async () => {
    const [dead, idle] = [start(), start().obeys()]
    dead.listens(0)
    idle.listens(dead.port)
    await until(() => expect(keeper.status().workers.length).toBe(2))
    dead.emit('exit')
    await until(() => expect(idle.types()).toEqual(['join']))
    const [inode] = dead.own.map(({ handle }) => inodeOf(handle))
    expect(keeper.status().waiting).toEqual([{ address: '127.0.0.1', family: 'IPv4', port: dead.port, inode }])
  })

  test('leaves its socket to the first that wants one of that place', () => {
    const dead = start()
    const handle = dead.listens(0)
    const [other, first, second] = [start(), start(), start()]
    first.says({ type: 'want', want: 0, wish: wishOf(dead.port) })
    dead.emit('exit')
    other.says({ type: 'want', want: 4, wish: { ...wishOf(dead.port), options: 'others' } })
    first.says({ type: 'want', want: 1, wish: wishOf(dead.port) })
    second.says({ type: 'want', want: 7, wish: wishOf(dead.port) })
    expect(other.heard).toEqual([{ type: 'open', want: 4 }])
    expect(first.heard).toEqual([
      { type: 'open', want: 0 },
      { type: 'take', id: dead.id, want: 1 },
    ])
    expect(first.handles).toEqual([undefined, handle])
    expect(second.heard).toEqual([{ type: 'open', want: 7 }])
    first.says(listening(dead.id, dead.port))
    expect(keeper.status()).toMatchObject({ workers: [{ pid: first.pid, sockets: [inodeOf(handle)] }], waiting: [] })
    expect(told).toEqual([])
    expect(handle.isClosed).toBe(false)
  })

  test('leaves it to the next one where the first dies, gives it back, or is not reached', () => {
    const dead = start()
    dead.listens(0)
    dead.emit('exit')
    for (const fails of ['exit', 'released', 'not reached']) {
      const child = start()
      child.fails = fails === 'not reached'
      child.says({ type: 'want', want: 1, wish: wishOf(dead.port) })
      expect(child.types()).toEqual(['take'])
      if (fails === 'exit') child.emit('exit')
      if (fails === 'released') child.says({ type: 'released', ids: [dead.id] })
      expect(keeper.status()).toMatchObject({ workers: [], waiting: [{ port: dead.port }] })
    }
  })

  test('has said that its server has closed, which is heard after its end', async () => {
    const dead = start()
    const handle = dead.listens(0)
    dead.emit('exit')
    const late = dead.listens(0)
    dead.says({ type: 'closed', id: dead.id })
    await until(() => expect(handle.isClosed).toBe(true))
    expect(keeper.status()).toMatchObject({ workers: [], waiting: [{ inode: inodeOf(late) }] })
  })

  test('has its queue emptied where nobody comes: new clients are not answered, the guests part, and it is closed', async () => {
    keeper.close()
    keep(new QueueKeeper({ keepTimeout: 1 }))
    const [dead, idle] = [start(), start().obeys()]
    const handle = dead.listens(0)
    idle.listens(dead.port)
    await until(() => expect(keeper.status().workers.length).toBe(2))
    dead.emit('exit')
    await until(() => expect(handle.isClosed).toBe(true))
    expect(idle.types()).toEqual(['join', 'part'])
    expect(keeper.status().waiting).toEqual([])
    idle.says({ type: 'want', want: 1, wish: wishOf(dead.port) })
    expect(idle.heard.at(-1)).toEqual({ type: 'open', want: 1 })
  })
})

describe('what a process should not send', () => {
  test('is refused with one warning, and its handle is closed', () => {
    const child = start()
    const handle = listener(0)
    for (const body of [undefined, 7, 'x', {}, { type: 'listening' }, { type: 'leave' }, { type: 'want', want: -1 }])
      child.says(body as object, handle)
    expect(handle.isClosed).toBe(true)
    expect(child.heard).toEqual([])
    expect(told).toEqual([['warning', expect.stringMatching(`process ${child.pid} sent a message that is refused`)]])
  })

  test.each([
    { type: 'relieve', signal: 'SIGTERM' },
    { type: 'left', lossless: true },
    { type: 'pass', address: '::', family: 'IPv6', port: 1, pass: 1, open: 1 },
  ])('of another supervisor: $type', (message) => {
    const child = start()
    const handle = listener(0)
    child.says(message, handle)
    expect(handle.isClosed).toBe(true)
    expect(told.length).toBe(1)
  })

  test('the socket of another worker', async () => {
    const [own, other] = [start(), start()]
    const handle = own.listens(0)
    const false_ = listener(0)
    other.says(listening(own.id, own.port), false_)
    other.says({ type: 'closed', id: own.id })
    other.says({ type: 'released', ids: [own.id] })
    other.says({ type: 'drains', id: own.id })
    await until(() => expect(other.types()).toEqual(['yours']))
    expect([handle.isClosed, false_.isClosed]).toEqual([false, true])
    expect(keeper.status()).toMatchObject({ workers: [{ pid: own.pid }], waiting: [] })
  })

  test('a socket at another port, and one that is missing', () => {
    const child = start()
    const handle = listener(0)
    child.says(listening('1', 1), handle)
    child.says(listening('2', 1))
    expect(handle.isClosed).toBe(true)
    expect(keeper.status().workers).toEqual([])
    expect(told.length).toBe(1)
  })

  test('sockets without end', () => {
    const child = start()
    const { port, fd } = listener(0)
    const handles = Array.from({ length: 300 }, () => ({ fd, close: vi.fn() }))
    for (const [index, handle] of handles.entries()) child.says(listening(`${index}`, port), handle)
    expect(handles.filter(({ close }) => close.mock.calls.length === 0).length).toBe(256)
    keeper.close()
    for (const { close } of handles) expect(close).toHaveBeenCalledTimes(1)
  })

  test('messages that are not ours are not touched', () => {
    const child = start()
    const handle = listener(0)
    child.emit('internalMessage', { cmd: 'NODE_CLUSTER', act: 'listening' }, handle)
    expect(handle.isClosed).toBe(false)
    expect(told).toEqual([])
  })
})

describe('close', () => {
  test('parts the guests, closes each socket once, and keeps nothing more', async () => {
    const [busy, idle] = await standing()
    idle.listens(busy.port)
    await until(() => expect(idle.types()).toContain('join'))
    keeper.close()
    keeper[Symbol.dispose]()
    expect(idle.types()).toEqual(['join', 'part'])
    for (const { handle } of [...busy.own, ...idle.own]) expect(handle.isClosed).toBe(true)
    expect(busy.listens(0).isClosed).toBe(true)
    busy.says({ type: 'want', want: 3, wish: wishOf(busy.port) })
    expect(busy.heard.at(-1)).toEqual({ type: 'open', want: 3 })
    busy.emit('exit')
    expect(keeper.status()).toEqual({ workers: [], waiting: [] })
  })
})

test('a worker without a channel is refused, one that was not started is not, and none is added twice', () => {
  const child = start()
  keeper.add(child as unknown as ChildProcess)
  expect(child.listenerCount('internalMessage')).toBe(1)
  keeper.add({ process: child } as unknown as ChildProcess)
  expect(child.listenerCount('internalMessage')).toBe(1)
  const refused = { pid: 1, send: undefined } as unknown as ChildProcess
  expect(() => keeper.add(refused)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
  const missing = Object.assign(new FakeChild(), { pid: undefined }) as unknown as ChildProcess
  keeper.add(missing)
  expect(missing.listenerCount('exit')).toBe(0)
})

test('options', () => {
  for (const keepTimeout of [-1, Number.NaN, 'x' as never, 2 ** 31])
    expect(() => new QueueKeeper({ keepTimeout })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  expect(() => new QueueKeeper({ keepTimeOut: 1 } as never)).toThrow(/keepTimeout/)
})
