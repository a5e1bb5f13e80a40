// The sockets that a worker got when it started: which one a server takes, what may be taken again, who closes them.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { InheritedSockets } from '../../src/supervised/inherited.js'
import type { KeptSocket } from '../../src/supervisor/protocol.js'

const wish = (port: number): KeptSocket['wish'] => ({ address: null, port, ipv6Only: false, options: '' })

const opened: number[] = []

function socket(id: string, port: number, isGiven = false, address = '127.0.0.1'): KeptSocket {
  const fd = openSync('/dev/null', 'r')
  opened.push(fd)
  return { id, fd, wish: isGiven ? { ...wish(port), address } : wish(port), isGiven }
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

afterEach(() => {
  for (const fd of opened.splice(0)) if (isOpen(fd)) closeSync(fd)
})

describe('a server', () => {
  test('takes the socket of its wish, and no other server takes it meanwhile', () => {
    const [first, second] = [socket('a', 80), socket('b', 80)]
    const sockets = new InheritedSockets([socket('other', 81), first, second], false)
    expect(sockets.take({ ...wish(80), ipv6Only: true })).toBeUndefined()
    expect(sockets.take(wish(80))).toBe(first)
    expect(sockets.take(wish(80))).toBe(second)
    expect(sockets.take(wish(80))).toBeUndefined()
  })

  test('takes again what one has given back', () => {
    const first = socket('a', 80)
    const sockets = new InheritedSockets([first], false)
    expect(sockets.take(wish(80))).toBe(first)
    sockets.giveBack('unknown')
    expect(sockets.take(wish(80))).toBeUndefined()
    expect([sockets.giveBack('a'), sockets.giveBack('a')]).toEqual([true, false])
    expect(isOpen(first.fd)).toBe(true)
    expect(sockets.take(wish(80))).toBe(first)
    expect(sockets.take(wish(80))).toBeUndefined()
  })

  test('shares what another process has opened, whatever else it wishes for the port', () => {
    const given = socket('given:0', 80, true)
    const sockets = new InheritedSockets([given], false)
    expect(sockets.take(wish(80))).toBe(given)
    expect(sockets.take({ ...wish(80), ipv6Only: true, options: '[]' })).toBe(given)
    expect(sockets.take(wish(81))).toBeUndefined()
  })
})

test('of several given sockets with one port a server gets the one of its address, or else one that no server has', () => {
  const [local, every, third] = [
    socket('given:0', 80, true),
    socket('given:1', 80, true, '::'),
    socket('given:2', 80, true, '10.0.0.1'),
  ]
  const sockets = new InheritedSockets([local, every, third], false)
  expect(sockets.take({ ...wish(80), address: '10.0.0.1' })).toBe(third)
  expect(sockets.take({ ...wish(80), address: '10.0.0.1' })).toBe(third)
  expect(sockets.take(wish(80))).toBe(every)
  expect(sockets.take({ ...wish(80), address: '10.0.0.2' })).toBe(local)
  expect(sockets.take({ ...wish(80), address: '10.0.0.2' })).toBe(local)
  sockets.giveBack('given:1')
  expect(sockets.take({ ...wish(80), address: '10.0.0.2' })).toBe(every)
})

describe('a process', () => {
  test('closes of the sockets asked those that no server has', () => {
    const [taken, free, kept] = [socket('taken', 80), socket('free', 81), socket('kept', 82)]
    const sockets = new InheritedSockets([taken, free, kept], false)
    sockets.take(wish(80))
    expect(sockets.release(['taken', 'free', 'unknown'])).toEqual(['free'])
    expect([taken, free, kept].map(({ fd }) => isOpen(fd))).toEqual([true, false, true])
    // What is closed cannot be taken, nor be closed again: its number may be another file's.
    expect(sockets.take(wish(81))).toBeUndefined()
    expect(sockets.release(['free'])).toEqual([])
    sockets.giveBack('taken')
    expect(sockets.release(['taken'])).toEqual(['taken'])
    expect(isOpen(taken.fd)).toBe(false)
  })

  test('that leaves closes all, once: the duplicates of its servers are their own', () => {
    const [taken, free] = [socket('taken', 80), socket('free', 81)]
    const sockets = new InheritedSockets([taken, free], false)
    sockets.take(wish(80))
    sockets.releaseAll()
    expect([taken, free].map(({ fd }) => isOpen(fd))).toEqual([false, false])
    expect(() => sockets.releaseAll()).not.toThrow()
    sockets.giveBack('taken')
    expect([sockets.take(wish(80)), sockets.take(wish(81)), sockets.release(['taken', 'free'])]).toEqual([
      undefined,
      undefined,
      [],
    ])
  })
})

test('a thread closes nothing: the descriptors are the supervisor’s', () => {
  const [first, second] = [socket('a', 80), socket('b', 81)]
  const sockets = new InheritedSockets([first, second], true)
  expect(sockets.release(['a'])).toEqual(['a'])
  expect(sockets.take(wish(80))).toBeUndefined()
  sockets.releaseAll()
  expect(sockets.take(wish(81))).toBeUndefined()
  expect([first, second].map(({ fd }) => isOpen(fd))).toEqual([true, true])
})
