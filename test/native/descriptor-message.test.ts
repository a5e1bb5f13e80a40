// A descriptor and a line over a unix socket: what arrives, what is refused, and that nothing stays open.
import { closeSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRNO, loadFaultyAddon, type SystemCall } from '../support/faults.js'
import { openListener } from '../support/native.js'
import { openSockets } from '../support/sockets.js'

const faulty = loadFaultyAddon()
let before: readonly string[]
let sender: number
let receiver: number
let listener: number

beforeEach(() => {
  before = openSockets()
  const pair = faulty.socketPair()
  sender = pair[0]
  receiver = pair[1]
  listener = openListener(faulty, { family: 4, address: '127.0.0.1', port: 0 }) as number
  faulty.takeCalls()
})

afterEach(() => {
  faulty.takeCalls()
  faulty.close(listener)
  for (const fd of [sender, receiver]) if (fd >= 0) closeSync(fd)
  expect(openSockets()).toEqual(before)
})

const failure = (code: keyof typeof ERRNO, syscall = 'recvmsg'): object => ({ errno: -ERRNO[code], syscall })

const openCount = (): number => readdirSync('/proc/self/fd').length

/** What is received; the descriptor is closed and checked to be the listener under another number. */
function receive(): unknown {
  const received = faulty.receiveDescriptor(receiver)
  if ('errno' in received) return received
  expect(received.fd).not.toBe(listener)
  expect(statSync(`/proc/self/fd/${received.fd}`).ino).toBe(statSync(`/proc/self/fd/${listener}`).ino)
  expect(faulty.close(received.fd), 'the addon owns it').toBe(undefined)
  return received.text
}

function rest(): string {
  const bytes = Buffer.alloc(8192)
  try {
    return bytes.toString('utf8', 0, readSync(receiver, bytes))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code as string
  }
}

describe('what was sent arrives', () => {
  test.each([
    ['a word', 'join', 'join'],
    ['a line', '{"type":"join"}\n', '{"type":"join"}'],
    ['one byte', 'x', 'x'],
    ['the longest text', 'x'.repeat(4096), 'x'.repeat(4096)],
    ['the longest line', `${'x'.repeat(4096)}\n`, 'x'.repeat(4096)],
    ['what is not ASCII, and a NUL', 'ä€😀\0', 'ä€😀\0'],
  ])('%s', (_what, text, line) => {
    expect(faulty.sendDescriptor(sender, listener, text)).toBe(undefined)
    expect(receive()).toBe(line)
    expect(rest()).toBe('EAGAIN')
  })

  test('in these calls', () => {
    faulty.sendDescriptor(sender, listener, 'x')
    receive()
    expect(faulty.takeCalls()).toEqual(['sendmsg', 'recvmsg', 'recvmsg', 'fstat', 'fstat', 'close'])
  })

  test('several, one after the other', () => {
    for (const text of ['one', 'two', 'three']) faulty.sendDescriptor(sender, listener, text)
    expect([receive(), receive(), receive(), receive()]).toEqual(['one', 'two', 'three', failure('EAGAIN')])
  })

  test('what follows the line stays in the socket, also of the same message', () => {
    faulty.sendRaw(sender, 'line\nand ', [listener])
    faulty.sendRaw(sender, 'more\n', [])
    expect(receive()).toBe('line')
    expect(rest()).toBe('and more\n')
  })

  test('it is close-on-exec', () => {
    faulty.sendDescriptor(sender, listener, 'x')
    const { fd } = faulty.receiveDescriptor(receiver) as { fd: number }
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    faulty.close(fd)
    // O_CLOEXEC, proc(5)
    expect(Number.parseInt(String(flags), 8) & 0o2000000).toBe(0o2000000)
  })
})

describe('what is no message', () => {
  test('nothing yet, the half of a line, the end', () => {
    expect(receive()).toEqual(failure('EAGAIN'))
    faulty.sendRaw(sender, 'half', [])
    expect(receive()).toEqual(failure('EAGAIN'))
    expect(rest()).toBe('half')
    closeSync(sender)
    sender = -1
    expect(receive()).toEqual(failure('ECONNRESET'))
  })

  test.each([
    ['a line without a descriptor', () => [faulty.sendRaw(sender, 'x\n', [])]],
    ['two descriptors', () => [faulty.sendRaw(sender, 'x\n', [listener, listener])]],
    ['eight descriptors', () => [faulty.sendRaw(sender, 'x\n', Array(8).fill(listener))]],
    ['a text that is too long', () => [faulty.sendRaw(sender, `${'x'.repeat(4097)}\n`, [listener])]],
    ['a text that is too long, without a descriptor', () => [faulty.sendRaw(sender, 'x'.repeat(4097), [])]],
    ['a descriptor with the half of a line', () => [faulty.sendRaw(sender, 'x', [listener])]],
    [
      'a descriptor with each half of a line',
      () => [faulty.sendRaw(sender, 'x', [listener]), faulty.sendRaw(sender, 'y\n', [listener])],
    ],
  ])('%s', (_what, send) => {
    expect(Math.min(...send())).toBeGreaterThan(0)
    const open = openCount()
    expect(receive()).toEqual(failure('EBADMSG'))
    expect(openCount(), 'each descriptor that came is closed').toBe(open)
  })

  test.each([
    ['an empty text', '', 'EINVAL'],
    ['an empty line', '\n', 'EINVAL'],
    ['two lines', 'a\nb', 'EINVAL'],
    ['a text that is too long', 'x'.repeat(4097), 'EMSGSIZE'],
  ] as const)('%s is not sent', (_what, text, code) => {
    expect(faulty.sendDescriptor(sender, listener, text)).toEqual(failure(code, 'sendmsg'))
    expect(faulty.takeCalls()).toEqual([])
  })
})

describe('system calls that fail', () => {
  const CASES: readonly (readonly [SystemCall, number])[] = [
    ['recvmsg', 0],
    ['recvmsg', 1],
    ['fstat', 0],
  ]
  test.each(CASES)('%s after %i', (call, after) => {
    faulty.sendDescriptor(sender, listener, 'x')
    const open = openCount()
    faulty.injectFault(call, ERRNO.ENOMEM, after, 1)
    expect(receive()).toEqual(failure('ENOMEM', call))
    expect(openCount()).toBe(open)
  })

  test('sendmsg', () => {
    faulty.injectFault('sendmsg', ERRNO.ENOMEM, 0, 1)
    expect(faulty.sendDescriptor(sender, listener, 'x')).toEqual(failure('ENOMEM', 'sendmsg'))
    expect(receive()).toEqual(failure('EAGAIN'))
  })

  test('nobody receives: no signal', () => {
    closeSync(receiver)
    receiver = -1
    expect(faulty.sendDescriptor(sender, listener, 'x')).toEqual(failure('EPIPE', 'sendmsg'))
  })

  test('there is no room: it does not wait, and nothing is cut', () => {
    let sent = 0
    while (faulty.sendDescriptor(sender, listener, 'x'.repeat(4096)) === undefined) sent++
    expect(faulty.sendDescriptor(sender, listener, 'x'.repeat(4096))).toEqual(failure('EAGAIN', 'sendmsg'))
    for (let i = 0; i < sent; i++) expect(receive()).toBe('x'.repeat(4096))
    expect(receive()).toEqual(failure('EAGAIN'))
  })

  test('what is no descriptor, no socket, no connection', () => {
    expect(faulty.sendDescriptor(sender, 1_000_000, 'x')).toEqual(failure('EBADF', 'sendmsg'))
    expect(faulty.sendDescriptor(1_000_000, listener, 'x')).toEqual(failure('EBADF', 'sendmsg'))
    expect(faulty.receiveDescriptor(1_000_000)).toEqual(failure('EBADF'))
    expect(faulty.receiveDescriptor(listener)).toEqual(failure('ENOTCONN'))
  })

  test('arguments that are none', () => {
    for (const args of [[], [1, 1], [1, 1, 1], [-1, 1, 'x'], [1, -1, 'x'], ['1', 1, 'x']]) {
      expect(() => Reflect.apply(faulty.sendDescriptor, faulty, args)).toThrow(TypeError)
    }
    for (const args of [[], [-1], ['1']]) {
      expect(() => Reflect.apply(faulty.receiveDescriptor, faulty, args)).toThrow(TypeError)
    }
  })
})
