// A listener learns its slot: exactly, unseen, and leaving everything as it was.
import { fchownSync, fstatSync } from 'node:fs'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { waitingConnections } from '../../src/native/accept-queue.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { hear } from '../support/group-of-servers.js'
import { once } from '../support/listeners.js'
import { openListener } from '../support/native.js'
import { openSockets } from '../support/sockets.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state
const faulty = loadFaultyAddon()

const SOL_SOCKET = 1
const SO_DETACH_REUSEPORT_BPF = 68

interface Where {
  readonly family: 4 | 6
  readonly address: string
  readonly target: string
}

const PLACES: readonly Where[] = [
  { family: 4, address: '127.0.0.7', target: '127.0.0.7' },
  { family: 4, address: '0.0.0.0', target: '127.0.0.1' },
  { family: 4, address: '0.0.0.0', target: '127.83.9.4' },
  { family: 6, address: '::1', target: '::1' },
  { family: 6, address: '::', target: '::1' },
  { family: 6, address: '::', target: '127.0.0.1' },
  { family: 6, address: '::ffff:127.0.0.7', target: '127.0.0.7' },
]

/** Listeners in the order of their slots; closed when they go out of scope. */
function group(by: Addon, { family, address }: Where, members: number): { fds: number[]; port: number } & Disposable {
  const fds: number[] = []
  let port = 0
  for (let member = 0; member < members; member++) {
    const fd = openListener(by, { family, address, port })
    if (typeof fd !== 'number') throw new Error(`${fd.syscall} ${fd.errno}`)
    fds.push(fd)
    const bound = by.localAddress(fd)
    if ('port' in bound) port = bound.port
  }
  return {
    fds,
    port,
    [Symbol.dispose]: () => {
      for (const fd of fds) by.close(fd)
    },
  }
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4
}

function learn(by: Addon, fds: readonly number[], target: string, port: number, members: number): unknown {
  return by.learnSlots(Float64Array.from(fds), familyOf(target), target, port, members, 0)
}

/** What the listener asks of the TTL of packets. */
function minimumTtl(fd: number, family: 4 | 6): unknown {
  const before = addon.deferNewConnections(fd, family)
  if (typeof before !== 'number') throw new Error(before.syscall)
  expect(addon.answerNewConnections(fd, family, before)).toBe(undefined)
  return before
}

/** How many packets each member has dropped. */
function drops(fds: readonly number[], family: 4 | 6, port: number): (number | null | undefined)[] {
  const rows = addon.dumpSockets({ transport: 'tcp', family, states: 1 << 10, port })
  if ('errno' in rows) throw new Error(rows.syscall)
  return fds.map((fd) => rows.find(({ inode }) => inode === fstatSync(fd).ino)?.drops)
}

function handshakes(family: 4 | 6, port: number): unknown {
  return addon.dumpHandshakes({ transport: 'tcp', family, states: 1 << 3, port })
}

describe.each(PLACES)('$address, asked for at $target', (place) => {
  test('each of 64 members, alone and all at once', () => {
    using members = group(addon, place, 64)
    const { fds, port } = members
    for (const slot of [0, 1, 31, 62, 63]) {
      expect(learn(addon, [fds[slot] as number], place.target, port, 64)).toEqual([slot])
    }
    for (const [slot, count] of drops(fds, place.family, port).entries()) {
      // More than one where this thread stood still in the middle of a probe.
      const isSought = [0, 1, 31, 62, 63].includes(slot)
      expect(count, `slot ${slot}`).toSatisfy((number) => (isSought ? number > 0 : number === 0))
    }
    expect(learn(addon, fds, place.target, port, 64)).toEqual([...fds.keys()])
    expect(handshakes(place.family, port), 'half open').toEqual([])
    for (const fd of fds) {
      expect(waitingConnections(addon, fd)).toBe(0)
      expect(minimumTtl(fd, place.family)).toBe(0)
    }
  })

  test('after members have left, the last of them in their place', () => {
    using members = group(addon, place, 5)
    const [first, second, third, fourth, fifth] = members.fds as [number, number, number, number, number]
    addon.close(second)
    const left = [first, third, fourth, fifth]
    expect(learn(addon, left, place.target, members.port, 4)).toEqual([0, 2, 3, 1])
    addon.close(first)
    expect(learn(addon, left.slice(1), place.target, members.port, 3)).toEqual([2, 0, 1])
  })

  test('no server hears of it, and all other connections go on', async () => {
    const heard: number[] = []
    const servers = await Promise.all(
      Array.from({ length: 4 }, async (_, member) => {
        const server = net.createServer((socket) => {
          heard.push(member)
          socket.on('error', () => {}).end('hello')
        })
        return server
      }),
    )
    using members = group(addon, place, 4)
    const handles = servers.map(async (server, member) => {
      server.listen({ fd: addon.duplicate(members.fds[member] as number) as number })
      await once(server, 'listening')
    })
    await Promise.all(handles)
    const clients = Array.from({ length: 40 }, () => hear(members.port, place.target))
    for (let round = 0; round < 20; round++) {
      expect(learn(addon, [members.fds[2] as number], place.target, members.port, 4)).toEqual([2])
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await Promise.all(clients)).toEqual(clients.map(() => 'hello'))
    expect(heard).toHaveLength(40)
    for (const server of servers) server.close()
  })
})

test('too few slots probed: unknown, never guessed', () => {
  const [place] = PLACES as [Where]
  using members = group(addon, place, 6)
  const { fds, port } = members
  expect(learn(addon, [fds[4] as number], place.target, port, 3)).toEqual([-1])
})

test('a listener that hardly anybody can join: its own minimum TTL is kept', () => {
  const [place] = PLACES as [Where]
  using members = group(addon, place, 3)
  const [fd = 0] = members.fds
  addon.answerNewConnections(fd, 4, 64)
  expect(learn(addon, [fd], place.target, members.port, 3)).toEqual([0])
  expect(minimumTtl(fd, 4)).toBe(64)
})

test('while the queue of each member is full and nobody accepts', async () => {
  const [place] = PLACES as [Where]
  using members = group(addon, place, 4)
  const { fds, port } = members
  for (const fd of fds) addon.listen(fd, 1)
  const clients = Array.from({ length: 30 }, () => net.connect(port, place.target).on('error', () => {}))
  while (fds.some((fd) => (waitingConnections(addon, fd) as number) < 2)) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(learn(addon, fds, place.target, port, 4)).toEqual([0, 1, 2, 3])
  for (const client of clients) client.destroy()
})

describe('a system call that fails', () => {
  const place: Where = { family: 4, address: '127.0.0.8', target: '127.0.0.8' }
  let before: readonly string[]

  beforeEach(() => {
    faulty.takeCalls()
    before = openSockets()
  })

  afterEach(() => {
    faulty.takeCalls()
    expect(openSockets()).toEqual(before)
  })

  const COUNTS = (() => {
    using members = group(faulty, place, 3)
    faulty.takeCalls()
    learn(faulty, [members.fds[1] as number], place.target, members.port, 3)
    const counts = new Map<SystemCall, number>()
    for (const call of faulty.takeCalls()) counts.set(call, (counts.get(call) ?? 0) + 1)
    return counts
  })()

  test('these are the calls', () => {
    expect([...COUNTS.keys()].toSorted()).toEqual([
      ...['accept', 'bind', 'close', 'connect', 'fstat', 'getsockname', 'getsockopt', 'listen', 'sendto', 'setsockopt'],
      'socket',
    ])
  })

  const CASES = [...COUNTS]
    .filter(([call]) => call !== 'close')
    .flatMap(([call, times]) => Array.from({ length: times }, (_, after) => [call, after] as const))

  test.each(CASES)('%s after %i that succeed: a failure or the truth, and nothing is left', (call, after) => {
    using members = group(faulty, place, 3)
    const [, fd = 0] = members.fds
    faulty.injectFault(call, ERRNO.ENOBUFS, after, 1)
    const answer = learn(faulty, [fd], place.target, members.port, 3)
    faulty.takeCalls()
    // The last of all give a setting back, or end a connection: that they fail there is nobody to tell.
    if (Array.isArray(answer)) expect(call).toBe('setsockopt')
    else expect(answer).toEqual({ errno: -ERRNO.ENOBUFS, syscall: call })
    if (!Array.isArray(answer)) {
      expect(minimumTtl(fd, 4)).toBe(0)
      expect(addon.setRawOption(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), 'no program').toEqual({
        errno: -ERRNO.ENOENT,
        syscall: 'setsockopt',
      })
    }
  })

  test('nobody connects to the probe in time: by SYNs instead', () => {
    using members = group(faulty, place, 3)
    faulty.takeCalls()
    faulty.injectFault('accept', ERRNO.EAGAIN, 0, 2)
    faulty.injectFault('poll', ERRNO.ENOMEM, 0, 1)
    expect(learn(faulty, [members.fds[2] as number], place.target, members.port, 3)).toEqual({
      errno: -ERRNO.ENOMEM,
      syscall: 'poll',
    })
    faulty.injectFault('accept', ERRNO.EAGAIN, 0, 1000)
    expect(learn(faulty, [members.fds[2] as number], place.target, members.port, 3)).toEqual([2])
  })
})

describe('what says nothing of the probe', () => {
  const place: Where = { family: 4, address: '127.0.0.9', target: '127.0.0.9' }

  test.each([
    [
      'a signal, while it waits',
      [
        ['accept', 'EAGAIN'],
        ['poll', 'EINTR'],
      ],
    ],
    ['a signal, while it accepts', [['accept', 'EINTR']]],
    ['a stranger that has gone by then', [['accept', 'ECONNABORTED']]],
  ] as const)('%s', (_what, faults) => {
    using members = group(faulty, place, 3)
    for (const [call, code] of faults) faulty.injectFault(call, ERRNO[code], 0, 1)
    expect(learn(faulty, [members.fds[2] as number], place.target, members.port, 3)).toEqual([2])
    expect(faulty.takeCalls()).toContain(faults[0][0])
  })

  test.skipIf(process.getuid?.() !== 0 /* only root gives a socket away */)(
    'an owner for whom this user namespace has no number',
    () => {
      using members = group(faulty, place, 3)
      for (const fd of members.fds) fchownSync(fd, 4711, 4711)
      faulty.takeCalls()
      faulty.injectFault('fchown', ERRNO.EINVAL, 0, 1000)
      expect(learn(faulty, [members.fds[2] as number], place.target, members.port, 3)).toEqual([2])
      expect(faulty.takeCalls()).toContain('fchown')
      faulty.injectFault('fchown', ERRNO.EINVAL, 0, 0)
    },
  )
})

describe('where no other socket can have the port of the group: by SYNs', () => {
  const place: Where = { family: 4, address: '127.0.0.9', target: '127.0.0.9' }

  /** As if the port were for root alone: the second bind is that of the connection's other end. */
  function learnBySyns(fds: readonly number[], port: number, members: number): unknown {
    faulty.takeCalls()
    faulty.injectFault('bind', ERRNO.EACCES, 1, 1)
    return learn(faulty, fds, place.target, port, members)
  }

  test('each of 64 members, and nothing is left', () => {
    using members = group(faulty, place, 64)
    const { fds, port } = members
    for (const slot of [0, 31, 63]) expect(learnBySyns([fds[slot] as number], port, 64)).toEqual([slot])
    expect(learnBySyns(fds, port, 64)).toEqual([...fds.keys()])
    expect(handshakes(4, port), 'half open').toEqual([])
    for (const fd of fds) {
      expect(waitingConnections(addon, fd)).toBe(0)
      expect(minimumTtl(fd, 4)).toBe(0)
    }
  })

  test('the answer to a SYN passes because of its TTL: that one is the last', () => {
    using members = group(faulty, place, 5)
    const { fds, port } = members
    const [IPPROTO_IP, IP_TTL] = [0, 2]
    for (const fd of fds) addon.setRawOption(fd, IPPROTO_IP, IP_TTL, 255)
    expect(learnBySyns([fds[4] as number], port, 5)).toEqual([-1])
    const waiting = fds.map((fd) => waitingConnections(addon, fd) as number)
    expect(waiting.reduce((sum, count) => sum + count)).toBe(1)
    expect(learn(faulty, [fds[4] as number], place.target, port, 5), 'by the other probe').toEqual([4])
  })

  test('a system call that fails: a failure or the truth, and nothing is left', () => {
    const before = openSockets()
    {
      using members = group(faulty, place, 3)
      const [, fd = 0] = members.fds
      learnBySyns([fd], members.port, 3)
      const calls = faulty.takeCalls()
      for (const call of ['socket', 'setsockopt', 'connect', 'getsockopt'] as const) {
        for (let after = 0; after < calls.filter((other) => other === call).length; after++) {
          faulty.takeCalls()
          faulty.injectFault('bind', ERRNO.EACCES, 1, 1)
          faulty.injectFault(call, ERRNO.ENOBUFS, after, 1)
          const answer = learn(faulty, [fd], place.target, members.port, 3)
          faulty.takeCalls()
          // The last of all gives a setting back: that it fails there is nobody to tell.
          if (Array.isArray(answer)) {
            expect([call, answer]).toEqual(['setsockopt', [1]])
            addon.answerNewConnections(fd, 4, 0)
          } else {
            expect(answer).toEqual({ errno: -ERRNO.ENOBUFS, syscall: call })
            expect(minimumTtl(fd, 4)).toBe(0)
          }
        }
      }
    }
    expect(openSockets()).toEqual(before)
  })

  test('a port that is taken is passed over', () => {
    using members = group(faulty, place, 3)
    faulty.takeCalls()
    faulty.injectFault('bind', ERRNO.EADDRINUSE, 1, 50)
    expect(learn(faulty, [members.fds[2] as number], place.target, members.port, 3)).toEqual([2])
  })
})
