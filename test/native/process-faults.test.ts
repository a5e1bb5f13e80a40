// CPUs and unix datagrams: what they do, and system calls that fail.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRNO, loadFaultyAddon } from '../support/faults.js'
import { program } from '../support/processes.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
const { SIGKILL, SIGTERM } = constants.signals
let before: readonly string[]

beforeEach(() => {
  faulty.takeCalls()
  before = openSockets()
})

afterEach(() => {
  faulty.takeCalls()
  expect(openSockets()).toEqual(before)
})

describe('CPUs', () => {
  test('one, then all again', () => {
    const all = faulty.getCpus() as Float64Array
    const last = all.at(-1) as number
    expect(faulty.setCpus(Float64Array.of(last))).toBeUndefined()
    expect(faulty.getCpus()).toEqual(Float64Array.of(last))
    expect(faulty.setCpus(all)).toBeUndefined()
    expect(faulty.getCpus()).toEqual(all)
    expect(faulty.takeCalls()).toEqual(['get_cpus', 'set_cpus', 'get_cpus', 'set_cpus', 'get_cpus'])
  })

  test.each([[[]], [[8192]], [[4_294_967_295]]])('none that there is: %j', (cpus) => {
    expect(faulty.setCpus(Float64Array.from(cpus))).toEqual({ errno: -ERRNO.EINVAL, syscall: 'sched_setaffinity' })
  })

  test.each([[Float64Array.of(-1)], [Float64Array.of(Number.NaN)], [[0]], [undefined]])(
    'what is no list of CPUs: %j',
    (cpus) => {
      expect(() => faulty.setCpus(cpus as Float64Array)).toThrow(TypeError)
    },
  )

  test.each(['EPERM', 'ENOSYS'] as const)('refused with %s', (code) => {
    faulty.injectFault('get_cpus', ERRNO[code], 0, 1)
    expect(faulty.getCpus()).toEqual({ errno: -ERRNO[code], syscall: 'sched_getaffinity' })
    faulty.injectFault('set_cpus', ERRNO[code], 0, 1)
    expect(faulty.setCpus(Float64Array.of(0))).toEqual({ errno: -ERRNO[code], syscall: 'sched_setaffinity' })
  })
})

describe('a datagram to a unix socket', () => {
  const to = `@reuseport-nobody-${process.pid}`

  test('takes these calls', () => {
    expect(faulty.sendToUnix(to, 'x')).toEqual({ errno: -ERRNO.ECONNREFUSED, syscall: 'sendto' })
    expect(faulty.takeCalls()).toEqual(['socket', 'sendto', 'close'])
  })

  test.each([
    ['socket', 'EMFILE'],
    ['sendto', 'EAGAIN'],
  ] as const)('%s failing with %s is a failure', (call, code) => {
    faulty.injectFault(call, ERRNO[code], 0, 1)
    expect(faulty.sendToUnix(to, 'x')).toEqual({ errno: -ERRNO[code], syscall: call })
  })

  test.each(['', 'x'.repeat(108)])('a name that is none: %j', (name) => {
    expect(faulty.sendToUnix(name, 'x')).toEqual({ errno: -ERRNO.ENAMETOOLONG, syscall: 'sendto' })
  })

  test.each([[1, 'x'], ['x', 1], []])('what is no text: %j', (...args) => {
    expect(() => faulty.sendToUnix(...(args as unknown as [string, string]))).toThrow(TypeError)
  })
})

test.each(['EPERM', 'EACCES'] as const)('a process group that cannot be led: %s', (code) => {
  faulty.injectFault('setpgid', ERRNO[code], 0, 1)
  expect(faulty.leadProcessGroup()).toEqual({ errno: -ERRNO[code], syscall: 'setpgid' })
})

describe('a process', () => {
  const openPidfds = (): number =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).includes('pidfd')
      } catch {
        return false
      }
    }).length

  function within(pid: number, action: (fd: number) => void): void {
    const fd = faulty.openProcess(pid) as number
    try {
      action(fd)
    } finally {
      expect(faulty.close(fd)).toBe(undefined)
      expect(openPidfds()).toBe(0)
    }
  }

  test('lives, is told to end, has ended, is gone', async () => {
    const child = spawn('sleep', ['60'])
    const ended = once(child, 'close')
    const fd = faulty.openProcess(child.pid as number) as number
    expect(faulty.hasProcessEnded(fd)).toBe(false)
    expect(faulty.signalProcess(fd, 0)).toBe(undefined)
    expect(faulty.signalProcess(fd, SIGTERM)).toBe(undefined)
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(faulty.hasProcessEnded(fd)).toBe(true)
    expect(faulty.signalProcess(fd, SIGTERM)).toEqual({ errno: -ERRNO.ESRCH, syscall: 'pidfd_send_signal' })
    expect(faulty.openProcess(child.pid as number)).toEqual({ errno: -ERRNO.ESRCH, syscall: 'pidfd_open' })
    expect(faulty.close(fd)).toBe(undefined)
    expect(openPidfds()).toBe(0)
  })

  test('has ended when nobody has waited for it', async () => {
    // It never waits for its child.
    await using parent = await program('python3', [
      '-c',
      'import os, sys, time\npid = os.fork()\nif pid == 0: time.sleep(60)\nprint(pid, flush=True)\nsys.stdin.read()',
    ])
    within(Number(parent.said), (fd) => {
      expect(faulty.hasProcessEnded(fd)).toBe(false)
      faulty.signalProcess(fd, SIGKILL)
      const end = performance.now() + 10_000
      while (faulty.hasProcessEnded(fd) === false && performance.now() < end);
      expect(faulty.hasProcessEnded(fd)).toBe(true)
      expect(readFileSync(`/proc/${parent.said.trim()}/stat`, 'utf8')).toContain(' Z ')
    })
  })

  test('takes these calls', () => {
    within(process.pid, (fd) => {
      faulty.hasProcessEnded(fd)
      faulty.signalProcess(fd, 0)
      expect(faulty.takeCalls()).toEqual(['pidfd_open', 'fstat', 'poll', 'pidfd_send_signal'])
    })
  })

  test.each([
    ['pidfd_open', 'ENOSYS'],
    ['pidfd_open', 'EPERM'],
    ['fstat', 'ENOMEM'],
  ] as const)('%s failing with %s is a failure, and nothing stays open', (call, code) => {
    faulty.injectFault(call, ERRNO[code], 0, 1)
    expect(faulty.openProcess(process.pid)).toEqual({ errno: -ERRNO[code], syscall: call })
    expect(openPidfds()).toBe(0)
  })

  test('calls on it that fail', () => {
    within(process.pid, (fd) => {
      faulty.injectFault('poll', ERRNO.ENOMEM, 0, 1)
      expect(faulty.hasProcessEnded(fd)).toEqual({ errno: -ERRNO.ENOMEM, syscall: 'poll' })
      faulty.injectFault('poll', ERRNO.EINTR, 0, 3)
      expect(faulty.hasProcessEnded(fd)).toBe(false)
      faulty.injectFault('pidfd_send_signal', ERRNO.ENOSYS, 0, 1)
      expect(faulty.signalProcess(fd, 0)).toEqual({ errno: -ERRNO.ENOSYS, syscall: 'pidfd_send_signal' })
      expect(faulty.signalProcess(fd, 1000)).toEqual({ errno: -ERRNO.EINVAL, syscall: 'pidfd_send_signal' })
    })
  })

  test('what is no process, and no descriptor for one', () => {
    expect(faulty.openProcess(2 ** 31 - 1)).toEqual({ errno: -ERRNO.ESRCH, syscall: 'pidfd_open' })
    expect(faulty.hasProcessEnded(1_000_000)).toEqual({ errno: -ERRNO.EBADF, syscall: 'poll' })
    expect(faulty.signalProcess(1_000_000, 0)).toEqual({ errno: -ERRNO.EBADF, syscall: 'pidfd_send_signal' })
  })

  test('arguments that are none', () => {
    for (const args of [[], [0], [-1], [1.5], ['1']]) {
      expect(() => Reflect.apply(faulty.openProcess, faulty, args)).toThrow(TypeError)
    }
    for (const args of [[], [1], [1, -1], [-1, 1], [1, '1']]) {
      expect(() => Reflect.apply(faulty.signalProcess, faulty, args)).toThrow(TypeError)
    }
    for (const args of [[], [-1], ['1']]) {
      expect(() => Reflect.apply(faulty.hasProcessEnded, faulty, args)).toThrow(TypeError)
    }
  })
})
