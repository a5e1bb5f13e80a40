// Watches whose system calls fail, and numbers that come in pieces.
import { closeSync, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs'
import net from 'node:net'
import { endianness } from 'node:os'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Addon } from '../../src/native/addon-contract.js'
import { QueueWatch } from '../../src/native/queue-watch.js'
import { ERRNO, loadFaultyAddon } from '../support/faults.js'
import { openListener } from '../support/native.js'

const fakes = vi.hoisted(() => ({ state: undefined as unknown }))
vi.mock('../../src/native/addon.js', async (load) => {
  const real = await load<typeof import('../../src/native/addon.js')>()
  return { ...real, loadAddon: () => fakes.state ?? real.loadAddon() }
})

const faulty = loadFaultyAddon()
let before: readonly string[]

/** Of this process: all but what reads the folder. */
function descriptors(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return []
    }
  })
}

function use(answers: Partial<Addon>): void {
  fakes.state = { loaded: true, addon: { ...faulty, ...answers } }
}

beforeEach(() => {
  faulty.takeCalls()
  before = descriptors()
})

afterEach(async () => {
  fakes.state = undefined
  faulty.takeCalls()
  await expect.poll(descriptors).toEqual(before)
})

describe('open', () => {
  test('takes these calls', () => {
    const watch = faulty.openQueueWatch() as number
    expect(faulty.takeCalls()).toEqual(['epoll_create1', 'socketpair', 'epoll_ctl', 'pthread_create', 'fstat'])
    faulty.endQueueWatch(watch)
    expect(faulty.takeCalls()).toEqual(['close', 'close'])
    expect(faulty.close(watch)).toBeUndefined()
  })

  test.each([
    ['epoll_create1', 'EMFILE'],
    ['socketpair', 'ENFILE'],
    ['epoll_ctl', 'ENOSPC'],
    ['pthread_create', 'EAGAIN'],
    ['fstat', 'ENOMEM'],
  ] as const)('%s failing with %s is a failure, and nothing stays open', (call, code) => {
    const threads = readdirSync('/proc/self/task').length
    const failure = { errno: -ERRNO[code], syscall: call }
    faulty.injectFault(call, ERRNO[code], 0, 1)
    expect(faulty.openQueueWatch()).toEqual(failure)
    expect(descriptors()).toEqual(before)
    expect(readdirSync('/proc/self/task')).toHaveLength(threads)
    use({})
    faulty.injectFault(call, ERRNO[code], 0, 1)
    expect(QueueWatch.open(() => {})).toEqual(failure)
  })

  test('there is none without the addon, and where the system has no such thing', () => {
    use({ openQueueWatch: () => ({ errno: -ERRNO.ENOSYS, syscall: 'epoll_create1' }) })
    expect(QueueWatch.open(() => {})).toBeUndefined()
    fakes.state = { loaded: false, reason: 'there is none', cause: undefined }
    expect(QueueWatch.open(() => {})).toBeUndefined()
  })
})

test('calls on a watch that fail', () => {
  const fd = openListener(faulty, { family: 4, address: '127.0.0.1', port: 0 }) as number
  const watch = faulty.openQueueWatch() as number
  faulty.injectFault('epoll_ctl', ERRNO.ENOMEM, 0, 1)
  expect(faulty.setArmed(watch, fd, 1)).toEqual({ errno: -ERRNO.ENOMEM, syscall: 'epoll_ctl' })
  expect(faulty.setArmed(watch, fd, 0)).toEqual({ errno: -ERRNO.ENOENT, syscall: 'epoll_ctl' })
  expect(faulty.setArmed(watch, fd, 1)).toBeUndefined()
  faulty.injectFault('epoll_ctl', ERRNO.ENOMEM, 1, 1)
  expect(faulty.setArmed(watch, fd, 1)).toEqual({ errno: -ERRNO.ENOMEM, syscall: 'epoll_ctl' })
  expect(faulty.setArmed(watch, fd, 1)).toBeUndefined()
  const none = { errno: -ERRNO.EBADF, syscall: 'epoll_ctl' }
  for (const patience of [1, 0]) expect(faulty.setArmed(1_000_000, fd, patience)).toEqual(none)
  expect(faulty.endQueueWatch(1_000_000)).toBeUndefined()
  faulty.endQueueWatch(watch)
  expect(faulty.setArmed(watch, fd, 1)).toEqual(none)
  faulty.close(watch)
  faulty.close(fd)
})

test('accept that fails opens nothing', () => {
  const fd = openListener(faulty, { family: 4, address: '127.0.0.1', port: 0 }) as number
  faulty.injectFault('accept', ERRNO.EMFILE, 0, 1)
  expect(faulty.accept(fd)).toEqual({ errno: -ERRNO.EMFILE, syscall: 'accept' })
  expect(faulty.accept(fd)).toEqual({ errno: -ERRNO.EAGAIN, syscall: 'accept' })
  faulty.close(fd)
})

test('a watch whose descriptor other code has closed gives its number free', () => {
  // The number that the next watch needs before it needs this one.
  const filler = openSync('/dev/null', 'r')
  const first = faulty.openQueueWatch() as number
  expect(faulty.close(first)).toBeUndefined()
  closeSync(filler)
  expect(faulty.openQueueWatch()).toBe(first)
  faulty.endQueueWatch(first)
  faulty.close(first)
})

test('arguments that are none', () => {
  for (const args of [[], [1], [1, 1], [1, -1, 1], [-1, 1, 1], ['1', 1, 1]]) {
    expect(() => Reflect.apply(faulty.setArmed, faulty, args)).toThrow(TypeError)
  }
  for (const patience of [-1, 1001, 1.5, '1', true, Number.NaN]) {
    expect(() => Reflect.apply(faulty.setArmed, faulty, [1, 1, patience])).toThrow(TypeError)
  }
  for (const args of [[], [-1], ['1']]) {
    expect(() => Reflect.apply(faulty.endQueueWatch, faulty, args)).toThrow(TypeError)
  }
})

test('a queue that cannot be told because too much is unread is told when there is room', async () => {
  const open = new Set(readdirSync('/proc/self/fd'))
  const watch = faulty.openQueueWatch() as number
  const ends = readdirSync('/proc/self/fd').filter((fd) => !open.has(fd) && Number(fd) !== watch)
  const written = ends.find((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  })
  const full = Buffer.alloc(1024)
  expect(() => {
    for (;;) writeSync(Number(written), full)
  }).toThrow('EAGAIN')
  const fd = openListener(faulty, { family: 4, address: '127.0.0.1', port: 0 }) as number
  expect(faulty.setArmed(watch, fd, 1)).toBeUndefined()
  const client = net.connect((faulty.localAddress(fd) as { port: number }).port, '127.0.0.1')
  await new Promise((resolve) => client.once('connect', resolve))
  // Longer than the patience: the thread has looked, or will find room at once.
  await new Promise((resolve) => setTimeout(resolve, 20))
  const told: number[] = []
  const numbers = new net.Socket({ fd: watch, readable: true, writable: false })
  faulty.release(watch)
  numbers.on('data', (bytes) => told.push(...new Int32Array(Uint8Array.from(bytes).buffer).filter((one) => one !== 0)))
  await expect.poll(() => told).toEqual([fd])
  faulty.endQueueWatch(watch)
  numbers.destroy()
  client.destroy()
  faulty.close(fd)
})

describe('what is read', () => {
  function bytesOf(...fds: readonly number[]): string {
    const bytes = Buffer.alloc(4 * fds.length)
    for (const [index, fd] of fds.entries()) {
      if (endianness() === 'LE') bytes.writeInt32LE(fd, 4 * index)
      else bytes.writeInt32BE(fd, 4 * index)
    }
    return bytes.toString('latin1')
  }

  /** A watch without a thread: what it reads is written by the test. */
  function within(
    answers: Partial<Addon>,
    stands: (fd: number, watch: QueueWatch) => void,
  ): { watch: QueueWatch; write: (text: string) => void; armed: (readonly [number, number])[] } & AsyncDisposable {
    const [read, written] = faulty.socketPair()
    const armed: (readonly [number, number])[] = []
    use({
      openQueueWatch: () => read,
      setArmed: (_watch, fd, patience) => void armed.push([fd, patience]),
      endQueueWatch: () => undefined,
      acceptQueue: () => 2 ** 33 + 1,
      ...answers,
    })
    const watch = QueueWatch.open((fd) => stands(fd, watch)) as QueueWatch
    const writer = new net.Socket({ fd: written })
    return {
      watch,
      armed,
      write: (text) => void writer.write(text, 'latin1'),
      async [Symbol.asyncDispose]() {
        watch.close()
        writer.destroy()
      },
    }
  }

  test('a number in pieces, and several at once', async () => {
    const told: number[] = []
    await using fake = within({}, (fd) => told.push(fd))
    for (const fd of [1, 70_000, 3, 4]) fake.watch.arm(fd, 1)
    const text = bytesOf(1, 70_000, 3)
    for (const piece of [text.slice(0, 5), text.slice(5, 7), text.slice(7)]) {
      fake.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await expect.poll(() => told).toEqual([1, 70_000, 3])
    fake.write(bytesOf(4))
    await expect.poll(() => told).toEqual([1, 70_000, 3, 4])
  })

  test('only what is armed, and once', async () => {
    const told: number[] = []
    await using fake = within({}, (fd) => told.push(fd))
    for (const fd of [5, 6, 7]) fake.watch.arm(fd, 1)
    fake.watch.disarm(6)
    fake.write(bytesOf(5, 5, 6, 9, 7))
    await expect.poll(() => told).toEqual([5, 7])
    expect(fake.armed.slice(3)).toEqual([[6, 0]])
  })

  test('a queue is told once, until it is armed again; what was disarmed since is not told', async () => {
    const told: number[] = []
    await using fake = within({}, (fd) => told.push(fd))
    for (const fd of [5, 6, 7]) fake.watch.arm(fd, 1)
    fake.watch.disarm(6)
    fake.write(bytesOf(5, 6, 7, 5))
    await expect.poll(() => told).toEqual([5, 7])
    fake.watch.arm(5, 1)
    fake.write(bytesOf(6, 5))
    await expect.poll(() => told).toEqual([5, 7, 5])
  })

  test('nothing after it was closed, also of what was read at once', async () => {
    const told: number[] = []
    await using fake = within({}, (fd, watch) => {
      told.push(fd)
      watch.close()
    })
    for (const fd of [5, 6]) fake.watch.arm(fd, 1)
    fake.write(bytesOf(5, 6))
    await expect.poll(() => told).toEqual([5])
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(told).toEqual([5])
  })
})
