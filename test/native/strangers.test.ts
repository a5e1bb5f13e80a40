// Which user is at the other end, or has a name: of this user and of another, and where their numbers are the same.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, type TestContext, test } from 'vitest'
import { listenAbstract } from '../../src/native/abstract-socket.js'
import type { PeerRow } from '../../src/native/addon-contract.js'
import { connectionDescriptor } from '../../src/node/adopt.js'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { type Other, program } from '../support/processes.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
const STRANGER = 65_534
const ANOTHER = 65_533
const OWN = process.geteuid?.() ?? 0
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
let before: readonly string[]
let names = 0
let name: string

beforeEach(() => {
  name = `reuseport-strangers:${process.pid}:${names++}`
  faulty.takeCalls()
  before = openSockets()
})

afterEach(() => {
  faulty.takeCalls()
  expect(openSockets()).toEqual(before)
})

const failure = (code: keyof typeof ERRNO, syscall: string): object => ({ errno: -ERRNO[code], syscall })

type How = 'take' | 'bind' | 'fill' | 'connect' | 'linger'

const meddler = (uid: number, how: How): Promise<Other> =>
  program('python3', [fixture('stranger.py'), String(uid), how, name])

function needsRoot(context: TestContext): void {
  if (process.getuid?.() !== 0) context.skip('only root can start a process of another user')
}

function within<T>(fd: number, action: (fd: number) => T): T {
  try {
    return action(fd)
  } finally {
    faulty.close(fd)
  }
}

describe('of this user', () => {
  test('a peer', () => {
    const [one, other] = faulty.socketPair()
    expect(faulty.peerOf(one)).toEqual({ pid: process.pid, uid: OWN, isOwn: true })
    closeSync(one)
    closeSync(other)
  })

  test('nobody has the name', () => {
    expect(faulty.nameOwner(name)).toEqual(failure('ENOENT', 'bind'))
    // As many datagrams as the sockets of this machine take.
    const calls = faulty.takeCalls().filter((call, at, all) => call !== 'recvfrom' || all[at - 1] !== 'recvfrom')
    expect(calls).toEqual(['socket', 'connect', 'socket', 'sendto', 'recvfrom', 'close', 'close'])
    expect(faulty.connectToLock(name)).toEqual(failure('ECONNREFUSED', 'connect'))
  })

  test('a listener has it', () => {
    within(faulty.acquireLock(name, 0) as number, () => {
      faulty.takeCalls()
      expect(faulty.nameOwner(name)).toEqual({ uid: OWN, isOwn: true })
      expect(faulty.takeCalls()).toEqual(['socket', 'connect', 'getsockopt', 'read_file', 'close'])
    })
  })

  test.each(['bind', 'fill', 'connect'] as const)('a process has it: %s', async (how) => {
    await using _other = await meddler(OWN, how)
    expect(faulty.nameOwner(name)).toEqual({ uid: OWN, isOwn: true })
    expect(faulty.acquireLock(name, 50)).toEqual(failure('ETIMEDOUT', 'bind'))
    expect(faulty.connectToLock(name)).toEqual(failure(how === 'fill' ? 'EAGAIN' : 'ECONNREFUSED', 'connect'))
  })

  test('the name alone counts, not one that begins or ends like it, nor that of another type', async () => {
    await using _other = await program('python3', [
      '-c',
      `import socket, sys
sockets = [socket.socket(socket.AF_UNIX, kind) for kind in (1, 1, 1, 2, 5)]
names = ["${name}x", "x${name}", "${name}\\0", "${name}", "${name}"]
for one, name in zip(sockets, names): one.bind("\\0" + name)
print("bound", flush=True)
sys.stdin.read()`,
    ])
    expect(faulty.nameOwner(name)).toEqual(failure('ENOENT', 'bind'))
  })

  test('a lock is looked for at most every 20 ms', () => {
    within(faulty.acquireLock(name, 0) as number, () => {
      faulty.takeCalls()
      faulty.injectFault('connect', ERRNO.ECONNREFUSED, 0, 1_000_000)
      expect(faulty.acquireLock(name, 100)).toEqual(failure('ETIMEDOUT', 'bind'))
      const dumps = faulty.takeCalls().filter((call) => call === 'sendto').length
      expect(dumps).toBeGreaterThan(0)
      expect(dumps).toBeLessThanOrEqual(6)
    })
  })

  test('a name that is too long', () => {
    expect(faulty.nameOwner('x'.repeat(108))).toEqual(failure('ENAMETOOLONG', 'bind'))
  })
})

describe('of another user', () => {
  test.for(['take', 'bind', 'fill', 'connect'] as const)('he has the name: %s', async (how, context) => {
    needsRoot(context)
    await using _stranger = await meddler(STRANGER, how)
    expect(faulty.nameOwner(name)).toEqual({ uid: STRANGER, isOwn: false })
    expect(faulty.connectToLock(name)).toEqual(failure('EACCES', 'connect'))
    const began = performance.now()
    expect(faulty.acquireLock(name, 10_000)).toEqual(failure('EACCES', 'bind'))
    expect(faulty.acquireLock(name, 0)).toEqual(failure('EACCES', 'bind'))
    expect(performance.now() - began).toBeLessThan(5000)
  })

  test('what he accepted under the name does not keep it', async (context) => {
    needsRoot(context)
    await using _stranger = await meddler(STRANGER, 'linger')
    expect(faulty.nameOwner(name)).toEqual(failure('ENOENT', 'bind'))
    expect(faulty.connectToLock(name)).toEqual(failure('ECONNREFUSED', 'connect'))
    within(faulty.acquireLock(name, 0) as number, () => {
      expect(faulty.nameOwner(name)).toEqual({ uid: OWN, isOwn: true })
    })
  })

  test('he connects', async (context) => {
    needsRoot(context)
    const server = net.createServer()
    expect(listenAbstract(faulty, name, server)).toBe(undefined)
    const child = spawn('python3', [fixture('stranger.py'), String(STRANGER), 'speak', name])
    const [socket] = await new Promise<[net.Socket]>((resolve) => server.on('connection', (one) => resolve([one])))
    const peer = faulty.peerOf(connectionDescriptor(socket) as number) as PeerRow
    expect(peer).toEqual({ pid: child.pid, uid: STRANGER, isOwn: false })
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
    socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('system calls that fail', () => {
  const CASES: readonly (readonly [SystemCall, number])[] = [
    ['socket', 0],
    ['connect', 0],
    ['socket', 1],
    ['sendto', 0],
    ['recvfrom', 0],
    ['recvfrom', 1],
  ]
  test.each(CASES)('nameOwner: %s after %i', (call, after) => {
    faulty.injectFault(call, ERRNO.ENOMEM, after, 1)
    expect(faulty.nameOwner(name)).toEqual(failure('ENOMEM', call))
  })

  test('nameOwner: getsockopt', () => {
    within(faulty.acquireLock(name, 0) as number, () => {
      faulty.injectFault('getsockopt', ERRNO.ENOPROTOOPT, 0, 1)
      expect(faulty.nameOwner(name)).toEqual(failure('ENOPROTOOPT', 'getsockopt'))
    })
  })

  test('a name of another type', () => {
    faulty.injectFault('connect', ERRNO.EPROTOTYPE, 0, 1)
    expect(faulty.nameOwner(name)).toEqual(failure('ENOENT', 'bind'))
  })

  test.each([
    ['socket', 'EPROTONOSUPPORT', 1],
    ['recvfrom', 'ENOENT', 0],
  ] as const)('a kernel without the dump: %s gives %s', (call, code, after) => {
    faulty.injectFault(call, ERRNO[code], after, 1)
    expect(faulty.nameOwner(name)).toEqual(failure('ENOSYS', call))
  })

  test('a lock is waited for as before where there is no dump', () => {
    within(faulty.acquireLock(name, 0) as number, () => {
      faulty.takeCalls()
      faulty.injectFault('connect', ERRNO.EAGAIN, 0, 1_000_000)
      faulty.injectFault('sendto', ERRNO.EPERM, 0, 1_000_000)
      expect(faulty.acquireLock(name, 30)).toEqual(failure('ETIMEDOUT', 'bind'))
      expect(faulty.connectToLock(name)).toEqual(failure('EAGAIN', 'connect'))
    })
  })

  test('peerOf: getsockopt fails, or tells less', () => {
    const [one, other] = faulty.socketPair()
    faulty.injectFault('getsockopt', ERRNO.ENOPROTOOPT, 0, 1)
    expect(faulty.peerOf(one)).toEqual(failure('ENOPROTOOPT', 'getsockopt'))
    faulty.injectFault('short', 0, 0, 1)
    expect(faulty.peerOf(one)).toEqual(failure('EINVAL', 'getsockopt'))
    closeSync(one)
    closeSync(other)
    expect(faulty.peerOf(1_000_000)).toEqual(failure('EBADF', 'getsockopt'))
  })

  test('arguments that are none', () => {
    for (const args of [[], [1], [null]]) expect(() => Reflect.apply(faulty.nameOwner, faulty, args)).toThrow(TypeError)
    for (const args of [[], [-1], ['1']]) expect(() => Reflect.apply(faulty.peerOf, faulty, args)).toThrow(TypeError)
  })
})

describe('users that have the same number', () => {
  const ambiguous = (): void => {
    faulty.injectFault('overflowuid', 0, 0, 1)
    faulty.injectFault('uid_map', 0, 0, 1)
  }

  test('none here', () => {
    expect(faulty.isUidAmbiguous()).toBe(false)
    // All users are mapped: this one may well have the number that is elsewhere that of many.
    faulty.injectFault('overflowuid', 0, 0, 1)
    expect(faulty.isUidAmbiguous()).toBe(false)
    expect(faulty.takeCalls()).toEqual(['read_file', 'read_file', 'read_file'])
  })

  test('this user is not mapped', () => {
    ambiguous()
    expect(faulty.isUidAmbiguous()).toBe(true)
  })

  test.each([
    ['ENOENT', false],
    ['EACCES', true],
  ] as const)('the map cannot be read: %s', (code, expected) => {
    faulty.injectFault('overflowuid', 0, 0, 1)
    faulty.injectFault('read_file', ERRNO[code], 1, 1)
    expect(faulty.isUidAmbiguous()).toBe(expected)
  })

  test('the number cannot be read: it is the usual one', () => {
    faulty.injectFault('read_file', ERRNO.ENOENT, 0, 1)
    expect(faulty.isUidAmbiguous()).toBe(false)
  })

  test('a peer that may be signalled is of this user, another is not', () => {
    const [one, other] = faulty.socketPair()
    ambiguous()
    expect(faulty.peerOf(one)).toMatchObject({ isOwn: true })
    ambiguous()
    faulty.injectFault('kill', ERRNO.EPERM, 0, 1)
    expect(faulty.peerOf(one)).toEqual({ pid: process.pid, uid: OWN, isOwn: false })
    closeSync(one)
    closeSync(other)
  })
})

interface Asked {
  readonly uid: number
  readonly isAmbiguous: boolean
  readonly peer: unknown
  readonly owner: unknown
  readonly lock: unknown
}

describe('user namespaces', () => {
  function ask(context: TestContext, ...options: readonly string[]): Asked {
    needsRoot(context)
    const { status, stderr } = spawnSync('unshare', [...options, 'true'], { encoding: 'utf8' })
    if (status !== 0) context.skip(`no user namespace can be made here: ${stderr.trim()}`)
    const args = [...options, process.execPath, fixture('ask-about-name.mjs'), name]
    return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' })) as Asked
  }

  const EACCES = -ERRNO.EACCES

  test('that maps nobody: a process of this user is told from others that have the same number', async (context) => {
    const lock = faulty.acquireLock(name, 0) as number
    const asked = await within(lock, () => ask(context, '-U'))
    expect(asked).toMatchObject({
      uid: STRANGER,
      isAmbiguous: true,
      peer: { pid: process.pid, uid: STRANGER, isOwn: true },
      owner: { uid: STRANGER, isOwn: true },
      lock: { errno: -ERRNO.ETIMEDOUT },
    })
  })

  test.for(['take', 'bind', 'fill', 'connect'] as const)(
    'that maps nobody: a stranger has the name: %s',
    async (how, context) => {
      needsRoot(context)
      for (const uid of [STRANGER, ANOTHER]) {
        await using _stranger = await meddler(uid, how)
        expect(ask(context, '-U')).toMatchObject({
          uid: STRANGER,
          isAmbiguous: true,
          peer: { errno: EACCES },
          owner: { uid: STRANGER, isOwn: false },
          lock: { errno: EACCES },
        })
      }
    },
  )

  test.for(['take', 'bind', 'fill', 'connect'] as const)(
    'that maps this user alone: a stranger has the name: %s',
    async (how, context) => {
      needsRoot(context)
      await using _stranger = await meddler(ANOTHER, how)
      expect(ask(context, '-U', '-r')).toMatchObject({
        uid: 0,
        isAmbiguous: false,
        peer: { errno: EACCES },
        owner: { uid: STRANGER, isOwn: false },
        lock: { errno: EACCES },
      })
    },
  )

  test('that maps this user alone: it has the name', async (context) => {
    needsRoot(context)
    await using _own = await meddler(OWN, 'bind')
    expect(ask(context, '-U', '-r')).toMatchObject({
      uid: 0,
      isAmbiguous: false,
      owner: { uid: 0, isOwn: true },
      lock: { errno: -ERRNO.ETIMEDOUT },
    })
  })

  test('that maps nobody, in a pid namespace that does not see the peer: it is a stranger', (context) => {
    const lock = faulty.acquireLock(name, 0) as number
    const asked = within(lock, () => ask(context, '-U', '-p', '-f'))
    expect(asked).toMatchObject({ isAmbiguous: true, peer: { errno: EACCES }, owner: { uid: STRANGER, isOwn: false } })
  })
})
