// Replies about unix sockets as they come, and as they should never come. What they have in common with those about
// internet sockets is tested by dump-parser.test.ts.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ERRNO, loadFaultyAddon } from '../support/faults.js'
import { attribute, INTERRUPTED, MESSAGE, message, RECORDED_NAMES, unixSocket, words } from '../support/netlink.js'

const faulty = loadFaultyAddon()
const { SOCKET, DONE, ERROR } = MESSAGE
const done = message(DONE, words(0))
const NAME = attribute(0, Buffer.from('\0name'))
const UID = attribute(7, words(1000))
const row = { type: 1, state: 7, name: '\0name', uid: 1000 }

function parse(...messages: readonly Uint8Array[]): unknown {
  return faulty.parseUnixNames(Buffer.concat(messages), 1)
}

const named = (...attributes: readonly Buffer[]): Buffer => message(SOCKET, unixSocket({ attributes }))

describe('what the kernel sends', () => {
  test('as recorded', () => {
    expect(parse(RECORDED_NAMES, done)).toEqual({
      progress: 'done',
      rows: [
        { type: 1, state: 1, name: '\0reuseport-recorded-listener', uid: 0 },
        { type: 1, state: 7, name: '\0reuseport-recorded', uid: 0 },
        { type: 1, state: 10, name: '\0reuseport-recorded-listener', uid: 0 },
      ],
    })
    for (let length = 1; length < 0x50; length++) {
      expect(parse(RECORDED_NAMES.subarray(0, length))).toMatchObject({ progress: 'malformed' })
    }
  })

  test('attributes, known and unknown, in any order', () => {
    expect(parse(named(UID, attribute(6, words(0)), NAME))).toEqual({ progress: 'more', rows: [row] })
  })

  test('before Linux 5.3 the user is not told', () => {
    expect(parse(named(NAME))).toEqual({ progress: 'more', rows: [{ ...row, uid: null }] })
  })

  test('a user cut short is none', () => {
    expect(parse(named(NAME, attribute(7, Uint8Array.of(1, 2))))).toMatchObject({ rows: [{ uid: null }] })
  })

  test('a socket without a name is left out', () => {
    expect(parse(named(UID), named(), named(attribute(0, new Uint8Array())), done)).toEqual({
      progress: 'done',
      rows: [],
    })
  })

  test('the name is as long as the attribute says', () => {
    const names = ['\0', '\0a\0', '/run/a file', `\0${'x'.repeat(107)}`]
    const messages = names.map((name) => named(attribute(0, Buffer.from(name))))
    expect(parse(...messages)).toMatchObject({ rows: names.map((name) => ({ name })) })
  })

  test('types and states are told apart', () => {
    const datagram = message(SOCKET, unixSocket({ type: 2, state: 1, attributes: [NAME] }))
    expect(parse(datagram)).toMatchObject({ rows: [{ type: 2, state: 1 }] })
  })

  test('of another request, interrupted, an error', () => {
    expect(parse(message(SOCKET, unixSocket({ attributes: [NAME] }), { sequence: 2 }))).toEqual({
      progress: 'more',
      rows: [],
    })
    expect(parse(message(SOCKET, unixSocket(), { flags: 2 | INTERRUPTED }), done)).toMatchObject({
      progress: 'interrupted',
    })
    expect(parse(message(ERROR, words(-ERRNO.ENOENT)))).toEqual({ errno: -ERRNO.ENOENT, syscall: 'recvfrom' })
  })
})

describe('what it never should', () => {
  test.each([
    ['a socket that is cut', message(SOCKET, unixSocket().subarray(0, 15))],
    ['a socket of another family', message(SOCKET, unixSocket({ family: 2 }))],
    ['an attribute shorter than its header', named(attribute(0, Buffer.from('name'), 3))],
    ['an attribute longer than the message', named(attribute(0, Buffer.from('name'), 9))],
    ['an attribute of the greatest length', named(attribute(0, Buffer.from('name'), 0xffff))],
  ])('%s is malformed', (_what, datagram) => {
    expect(parse(datagram)).toMatchObject({ progress: 'malformed' })
    expect(parse(named(NAME), datagram)).toMatchObject({ progress: 'malformed' })
  })

  test('any bytes in any place of a good reply', () => {
    const whole = Buffer.concat([RECORDED_NAMES, done])
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
        const hostile = Uint8Array.from(whole)
        hostile.set(bytes.subarray(0, whole.length - at), at)
        expect(faulty.parseUnixNames(hostile, 1)).toBeTypeOf('object')
      }),
      { numRuns: 5000 },
    )
  })
})
