// System calls that fail while a group is steered or left: a failure that names the call, nothing left open.
import { readlinkSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { openListener } from '../support/native.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
const RETURN_0 = Uint32Array.of(6, 0, 0, 0)
let before: readonly string[]
let fd: number

beforeEach(() => {
  before = openSockets()
  fd = openListener(faulty, { family: 4, address: '127.0.0.1', port: 0 }) as number
  faulty.takeCalls()
})

afterEach(() => {
  faulty.takeCalls()
  faulty.close(fd)
  expect(openSockets()).toEqual(before)
})

function inodeOf(descriptor: number): number {
  expect(readlinkSync(`/proc/self/fd/${descriptor}`)).toMatch(/^socket:/)
  return statSync(`/proc/self/fd/${descriptor}`).ino
}

const CALLS: readonly (readonly [string, () => unknown, readonly SystemCall[]])[] = [
  ['attachProgram', () => faulty.attachProgram(fd, RETURN_0), ['setsockopt']],
  ['detachProgram', () => faulty.detachProgram(fd), ['setsockopt']],
  ['acceptQueue', () => faulty.acceptQueue(fd), ['getsockopt']],
  ['deferNewConnections', () => faulty.deferNewConnections(fd, 4), ['getsockopt', 'setsockopt']],
  ['answerNewConnections', () => faulty.answerNewConnections(fd, 4, 0), ['setsockopt']],
  ['duplicate', () => faulty.duplicate(fd), ['duplicate', 'fstat']],
  ['takeSocket', () => faulty.takeSocket(process.pid, inodeOf(fd)), ['pidfd_open', 'pidfd_getfd', 'fstat']],
  [
    'dumpHandshakes',
    () => faulty.dumpHandshakes({ transport: 'tcp', family: 4, states: 8, port: 1 }),
    ['socket', 'sendto', 'recvfrom'],
  ],
]

describe.each(CALLS)('%s', (name, act, calls) => {
  test.each(calls)('%s fails', (call) => {
    faulty.injectFault(call, ERRNO.ENOMEM, 0, 1)
    const syscall = call === 'duplicate' ? 'fcntl' : call
    expect(act()).toEqual({ errno: -ERRNO.ENOMEM, syscall })
  })

  test('these are its calls, and what it gives', () => {
    const answer = act()
    const seen = new Set(faulty.takeCalls())
    seen.delete('close')
    expect([...seen].toSorted()).toEqual([...calls].toSorted())
    if (typeof answer === 'number' && (name === 'duplicate' || name === 'takeSocket')) faulty.close(answer)
    expect(answer).toSatisfy((value) => typeof value !== 'object' || Array.isArray(value))
  })
})

test('a listener of both families: what fails half way', () => {
  const six = openListener(faulty, { family: 6, address: '::', port: 0 }) as number
  faulty.takeCalls()
  for (const [call, after] of [
    ['getsockopt', 1],
    ['setsockopt', 1],
  ] as const) {
    faulty.injectFault(call, ERRNO.ENOPROTOOPT, after, 1)
    expect(faulty.deferNewConnections(six, 6)).toEqual({ errno: -ERRNO.ENOPROTOOPT, syscall: call })
  }
  expect(faulty.answerNewConnections(six, 6, 0)).toBe(undefined)
  expect(faulty.deferNewConnections(six, 6)).toBe(0)
  expect(faulty.deferNewConnections(six, 6)).toBe(256 * 255 + 255)
  faulty.close(six)
})

test('there is no program: done all the same', () => {
  expect(faulty.detachProgram(fd)).toBe(undefined)
})

describe('leaveGroup', () => {
  test('in one turn: deaf first, then the program, then out', () => {
    faulty.attachProgram(fd, RETURN_0)
    faulty.takeCalls()
    expect(faulty.leaveGroup(fd, 4, true)).toBe(undefined)
    expect(faulty.takeCalls()).toEqual(['setsockopt', 'setsockopt', 'shutdown'])
    expect(faulty.acceptQueue(fd), 'no listener any more').toEqual({
      errno: -ERRNO.EINVAL,
      syscall: 'getsockopt',
    })
  })

  test('a program that stays is told, and it leaves', () => {
    faulty.injectFault('setsockopt', ERRNO.EPERM, 1, 1)
    expect(faulty.leaveGroup(fd, 4, true)).toEqual({ errno: -ERRNO.EPERM, syscall: 'setsockopt' })
    expect(faulty.acceptQueue(fd)).toMatchObject({ errno: -ERRNO.EINVAL })
  })

  test('where it cannot be deaf it leaves', () => {
    faulty.injectFault('setsockopt', ERRNO.EPERM, 0, 1)
    expect(faulty.leaveGroup(fd, 4, true)).toBe(undefined)
  })

  test('shutdown fails', () => {
    faulty.injectFault('shutdown', ERRNO.ENOTCONN, 0, 1)
    expect(faulty.leaveGroup(fd, 4, false)).toEqual({ errno: -ERRNO.ENOTCONN, syscall: 'shutdown' })
  })
})

describe('takeSocket', () => {
  test('the same socket under another number', () => {
    const taken = faulty.takeSocket(process.pid, inodeOf(fd)) as number
    expect(taken).not.toBe(fd)
    expect(inodeOf(taken)).toBe(inodeOf(fd))
    faulty.close(taken)
  })

  test.each([
    ['a process that does not exist', 4_000_000, 1, { errno: -ERRNO.ESRCH, syscall: 'pidfd_open' }],
    ['a socket that the process does not hold', process.pid, 1, { errno: -ERRNO.ENOENT, syscall: 'opendir' }],
  ])('%s', (_what, pid, inode, failure) => {
    expect(faulty.takeSocket(pid, inode)).toEqual(failure)
  })

  test('arguments that are none', () => {
    for (const args of [[0, 1], [1.5, 1], [1, -1], ['1', 1], [1]]) {
      expect(() => Reflect.apply(faulty.takeSocket, undefined, args)).toThrow(TypeError)
    }
  })
})

test('arguments that are none', () => {
  const one = Float64Array.of(1)
  const wrong: readonly (readonly [(...args: never[]) => unknown, readonly unknown[]])[] = [
    [faulty.buildProgram, ['fair', one, one]],
    [faulty.buildProgram, ['uniform', [1], one]],
    [faulty.buildProgram, ['uniform', one, new Float64Array()]],
    [faulty.buildProgram, ['uniform', Float64Array.of(-1), one]],
    [faulty.buildProgram, ['uniform', Float64Array.of(2 ** 32), one]],
    [faulty.attachProgram, [-1, RETURN_0]],
    [faulty.attachProgram, [1, one]],
    [faulty.learnSlots, [[1], 4, '127.0.0.1', 1, 1, 0]],
    [faulty.learnSlots, [Float64Array.of(-1), 4, '127.0.0.1', 1, 1, 0]],
    [faulty.learnSlots, [one, 5, '127.0.0.1', 1, 1, 0]],
    [faulty.learnSlots, [one, 4, '127.0.0.1', 65_536, 1, 0]],
    [faulty.learnSlots, [one, 4, '127.0.0.1', 1, 0, 0]],
    [faulty.learnSlots, [one, 4, '127.0.0.1', 1, 1, -1]],
    [faulty.deferNewConnections, [1, 5]],
    [faulty.answerNewConnections, [1, 4, -1]],
    [faulty.leaveGroup, [1, 4]],
    [faulty.leaveGroup, [1, 0, true]],
    [faulty.acceptQueue, ['1']],
  ]
  for (const [call, args] of wrong) {
    expect(() => Reflect.apply(call, undefined, args), JSON.stringify(args)).toThrow(TypeError)
  }
  expect(faulty.learnSlots(one, 4, 'nowhere', 1, 1, 0)).toMatchObject({ errno: -ERRNO.EINVAL })
  expect(faulty.learnSlots(new Float64Array(), 4, '127.0.0.1', 1, 1, 0)).toEqual({
    errno: -ERRNO.EINVAL,
    syscall: 'probe',
  })
})
