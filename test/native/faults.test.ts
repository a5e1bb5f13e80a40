import { createServer } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { freePort, once, ours } from '../support/listeners.js'
import { openListener } from '../support/native.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
vi.mock('../../src/native/addon.js', () => ({ loadAddon: () => ({ loaded: true, addon: faulty }) }))

const { capabilities } = await import('../../src/system/capabilities.js')
const { openReusePortSocket } = await import('../../src/listen/open-socket.js')

const port = await freePort()
const request = { family: 6, address: '::1', port: 0 } as const

/** Each call in the path of one listen, in order, with how many of its name come before. */
const PATH: readonly (readonly [SystemCall, number, keyof typeof ERRNO])[] = [
  ['socket', 0, 'EMFILE'],
  ['setsockopt', 0, 'EPERM'],
  ['setsockopt', 1, 'ENOPROTOOPT'],
  ['setsockopt', 2, 'EINVAL'],
  ['fstat', 0, 'EOVERFLOW'],
  ['bind', 0, 'EACCES'],
  ['listen', 0, 'EADDRINUSE'],
]

function inject(call: SystemCall, code: keyof typeof ERRNO, after = 0, times = 1): void {
  faulty.injectFault(call, ERRNO[code], after, times)
}

test('the path is complete: a listen makes these calls and no other', () => {
  faulty.takeCalls()
  const fd = openListener(faulty, request)
  expect(faulty.takeCalls()).toEqual(PATH.map(([call]) => call))
  faulty.close(fd as number)
  expect(faulty.takeCalls()).toEqual(['fstat', 'close'])
})

describe.each(PATH)('%s (call %i) fails with %s', (call, after, code) => {
  test('the addon reports the call and closes the descriptor once', () => {
    const before = openSockets()
    inject(call, code, after)
    expect(openListener(faulty, request)).toEqual({ errno: -ERRNO[code], syscall: call })
    expect(openSockets()).toEqual(before)
    const closes = faulty.takeCalls().filter((name) => name === 'close')
    expect(closes).toHaveLength(call === 'socket' ? 0 : 1)
  })

  test("listenReusePort emits it in Node's shape, and the server can listen again", async () => {
    capabilities()
    const before = openSockets()
    inject(call, code, after)
    const server = createServer()
    ours(server, port, '::1')
    const error = await once(server, 'error')
    expect(Object.entries(error as object).slice(0, 5)).toEqual([
      ['code', code],
      ['errno', -ERRNO[code]],
      ['syscall', 'listen'],
      ['address', '::1'],
      ['port', port],
    ])
    expect(openSockets()).toEqual(before)
    faulty.takeCalls()
    ours(server, 0, '::1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    expect(openSockets()).toEqual(before)
  })

  test('openReusePortSocket throws it', () => {
    capabilities()
    inject(call, code, after)
    expect(() => openReusePortSocket({ port, host: '::1' })).toThrow(
      expect.objectContaining({ code, syscall: 'listen', address: '::1', port }),
    )
    faulty.takeCalls()
  })
})

test('EADDRINUSE of a port that no socket has is of unknown reason, also where nobody may look', async () => {
  capabilities()
  // Bound to another port, and not listening: Linux tells of all of those whichever port is asked for.
  const elsewhere = faulty.openSocket({ transport: 'tcp', family: 6, ipv6Only: false, multipath: false }) as number
  expect(faulty.bind(elsewhere, 6, '::', 0)).toBeUndefined()
  for (const call of ['bind', 'socket'] as const) {
    inject('bind', 'EADDRINUSE')
    // The socket by which the kernel is asked.
    if (call === 'socket') inject('socket', 'EPERM', 1)
    const server = createServer()
    ours(server, port, '::1')
    expect(await once(server, 'error')).toMatchObject({
      reason: 'unknown',
      holder: undefined,
      hint: expect.stringMatching(/^this process cannot see the socket that has the port: /),
    })
    faulty.takeCalls()
  }
  faulty.close(elsewhere)
  faulty.takeCalls()
})

describe('without a host', () => {
  test.each([
    ['socket', 'EAFNOSUPPORT'],
    ['bind', 'EACCES'],
    ['bind', 'EADDRNOTAVAIL'],
  ] as const)('%s failing with %s on :: falls back to 0.0.0.0', async (call, code) => {
    capabilities()
    inject(call, code)
    const server = createServer()
    ours(server, 0)
    await once(server, 'listening')
    expect(server.address()).toMatchObject({ address: '0.0.0.0', family: 'IPv4' })
    server.close()
    await once(server, 'close')
  })

  test.each([
    ['bind', 'EADDRINUSE'],
    ['listen', 'EADDRINUSE'],
    ['listen', 'EACCES'],
  ] as const)('%s failing with %s on :: does not', async (call, code) => {
    capabilities()
    inject(call, code)
    const server = createServer()
    ours(server, port)
    expect(await once(server, 'error')).toMatchObject({ code, address: '::' })
  })
})

test('close() that fails is reported, and the descriptor is not closed again', () => {
  const fd = openListener(faulty, request) as number
  inject('close', 'EIO')
  expect(faulty.close(fd)).toEqual({ errno: -ERRNO.EIO, syscall: 'close' })
  expect(faulty.close(fd)).toEqual({ errno: -ERRNO.EBADF, syscall: 'close' })
})

test('close() interrupted by a signal has closed', () => {
  const fd = openListener(faulty, request) as number
  inject('close', 'EINTR')
  expect(faulty.close(fd)).toBeUndefined()
})

test('getsockname() that fails is thrown by address()', () => {
  capabilities()
  using socket = openReusePortSocket({ host: '::1' })
  inject('getsockname', 'ENOBUFS')
  expect(() => socket.address()).toThrow(expect.objectContaining({ code: 'ENOBUFS' }))
  expect(socket.address()).toMatchObject({ address: '::1' })
})

describe('the probe of capabilities()', () => {
  async function fresh(): Promise<typeof capabilities> {
    vi.resetModules()
    return (await import('../../src/system/capabilities.js')).capabilities
  }

  // IPv4 is tried first and IPv6 after it, so that a fault has to be met twice to be the answer.
  test.each([
    ['setsockopt', 'ENOPROTOOPT', 0, 2],
    ['setsockopt', 'EINVAL', 0, 2],
    ['bind', 'EADDRINUSE', 1, 1],
  ] as const)('%s answering %s (after %i calls, %i times) means no', async (call, code, after, times) => {
    const before = openSockets()
    const probe = await fresh()
    inject(call, code, after, times)
    const answer = probe()
    expect(answer).toMatchObject({ supported: false, balanced: false, semantics: 'none', option: null, addon: true })
    expect(answer.reasons.supported).toContain(code)
    expect(answer.reasons.balanced).toContain(code)
    expect(probe()).toBe(answer)
    expect(openSockets()).toEqual(before)
  })

  test.each([
    ['socket', 'EMFILE', 2],
    ['socket', 'ENFILE', 2],
    ['setsockopt', 'ENOMEM', 2],
    ['bind', 'EADDRNOTAVAIL', 3],
    // No port is left for the first socket: that says nothing about a second one.
    ['bind', 'EADDRINUSE', 2],
    ['getsockname', 'ENOBUFS', 2],
  ] as const)('%s failing with %s %i times says nothing, and is not remembered', async (call, code, times) => {
    const before = openSockets()
    const probe = await fresh()
    inject(call, code, 0, times)
    const first = probe()
    expect(first).toMatchObject({ supported: true, balanced: true, semantics: 'hash' })
    expect(first.reasons.probe).toContain(code)
    const second = probe()
    expect(second.reasons).toEqual({})
    expect(probe()).toBe(second)
    expect(openSockets()).toEqual(before)
  })

  test('without a loopback address it tries the unspecified one', () => {
    inject('bind', 'EADDRNOTAVAIL', 0, 2)
    expect(faulty.probe()).toBe(true)
  })

  test.each(['socket', 'setsockopt', 'bind', 'getsockname'] as const)('%s failing on IPv4 tries IPv6', (call) => {
    const before = openSockets()
    inject(call, 'EACCES')
    expect(faulty.probe()).toBe(true)
    expect(openSockets()).toEqual(before)
  })
})
