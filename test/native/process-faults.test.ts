// CPUs and unix datagrams: what they do, and system calls that fail.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRNO, loadFaultyAddon } from '../support/faults.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
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
