// System calls that fail while a lock is taken.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
const name = `reuseport-faults:${process.pid}`
let before: readonly string[]

beforeEach(() => {
  faulty.takeCalls()
  before = openSockets()
})

afterEach(() => {
  faulty.takeCalls()
  expect(openSockets()).toEqual(before)
})

function inject(call: SystemCall, code: keyof typeof ERRNO, after = 0, times = 1): void {
  faulty.injectFault(call, ERRNO[code], after, times)
}

test('a free lock takes these calls and no other', () => {
  const lock = faulty.acquireLock(name, 0) as number
  expect(faulty.takeCalls()).toEqual(['socket', 'bind', 'listen', 'fstat'])
  faulty.close(lock)
})

test.each([
  ['socket', 'EMFILE'],
  ['bind', 'EPERM'],
  ['listen', 'ENOBUFS'],
  ['fstat', 'EOVERFLOW'],
] as const)('%s failing with %s is a failure', (call, code) => {
  inject(call, code)
  expect(faulty.acquireLock(name, 0)).toEqual({ errno: -ERRNO[code], syscall: call })
})

describe('while somebody has it', () => {
  function whileHeld<T>(action: () => T): T {
    const lock = faulty.acquireLock(name, 0) as number
    try {
      return action()
    } finally {
      faulty.takeCalls()
      faulty.close(lock)
    }
  }

  test.each([
    ['socket', 'EMFILE', 1],
    ['connect', 'EPERM', 0],
    ['poll', 'ENOMEM', 0],
  ] as const)('%s failing with %s is a failure', (call, code, after) => {
    const failure = whileHeld(() => {
      inject(call, code, after)
      return faulty.acquireLock(name, 1000)
    })
    expect(failure).toEqual({ errno: -ERRNO[code], syscall: call })
  })

  test('a peer that does not say who it is counts as a stranger', () => {
    const failure = whileHeld(() => {
      inject('getsockopt', 'ENOPROTOOPT')
      return faulty.acquireLock(name, 1000)
    })
    expect(failure).toEqual({ errno: -ERRNO.EACCES, syscall: 'bind' })
  })

  test.each(['ECONNREFUSED', 'EAGAIN'] as const)(
    'connect answering %s is tried again until the time is over',
    (code) => {
      const failure = whileHeld(() => {
        inject('connect', code, 0, 1_000_000)
        return faulty.acquireLock(name, 20)
      })
      expect(failure).toEqual({ errno: -ERRNO.ETIMEDOUT, syscall: 'bind' })
    },
  )

  test('poll interrupted by a signal goes on', () => {
    const failure = whileHeld(() => {
      inject('poll', 'EINTR', 0, 3)
      return faulty.acquireLock(name, 20)
    })
    expect(failure).toEqual({ errno: -ERRNO.ETIMEDOUT, syscall: 'bind' })
  })
})
