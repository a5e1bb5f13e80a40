// The event 'close' of a server that a drain closes for its program.
import http from 'node:http'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { drain } from '../../src/index.js'
import {
  closeForDrain,
  closeOnceMore,
  isClosedForProgram,
  onceClosed,
  releaseClose,
  withholdClose,
} from '../../src/node/withheld-close.js'
import { closed, once } from '../support/listeners.js'

let server: http.Server
let heard: string[]

beforeEach(async () => {
  const events: string[] = []
  heard = events
  server = http.createServer().on('close', () => events.push('close'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return () => void server.close()
})

const turn = promisify(setImmediate)

/** As the drain does it. */
async function closeByDrain(): Promise<void> {
  withholdClose(server)
  const end = new Promise<void>((resolve) => onceClosed(server, resolve))
  closeForDrain(server, () => {
    expect(closeOnceMore(server, undefined)).toBe(false)
    server.close()
  })
  await end
}

describe('what the drain closes', () => {
  test('the program hears of when it closes the server itself, once', async () => {
    await closeByDrain()
    await turn()
    expect(heard).toEqual([])
    expect(isClosedForProgram(server)).toBe(true)
    const callback = vi.fn()
    expect(closeOnceMore(server, callback)).toBe(true)
    expect(callback).not.toHaveBeenCalled()
    await turn()
    expect(callback).toHaveBeenCalledWith()
    expect(heard).toEqual(['close'])
    expect(closeOnceMore(server, callback)).toBe(false)
    expect(isClosedForProgram(server)).toBe(false)
    expect(Object.hasOwn(server, 'emit')).toBe(false)
  })

  test('while its connections end: then it hears when they have', async () => {
    withholdClose(server)
    const drained = vi.fn()
    onceClosed(server, drained)
    closeForDrain(server, () => void server.close())
    // Node emits the event in a later tick.
    expect(closeOnceMore(server, undefined)).toBe(true)
    await turn()
    expect(heard).toEqual(['close'])
    expect(drained).toHaveBeenCalledTimes(1)
  })

  test('that listens again is as new', async () => {
    await closeByDrain()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    expect(closeOnceMore(server, undefined)).toBe(false)
    await closed(server)
    expect(heard).toEqual(['close'])
  })

  test('that the program drains is its own', async () => {
    withholdClose(server)
    const report = await drain(server)
    expect(heard).toEqual([])
    // The same drain: `draining` knows it.
    expect(await drain(server)).toBe(report)
    await turn()
    expect(heard).toEqual(['close'])
  })
})

test('a server that the program closes first is its own', async () => {
  withholdClose(server)
  withholdClose(server)
  const drained = vi.fn()
  onceClosed(server, drained)
  expect(closeOnceMore(server, undefined)).toBe(false)
  await closed(server)
  expect(heard).toEqual(['close'])
  expect(drained).toHaveBeenCalledTimes(1)
})

test('where the drain fails the event is the program’s again', async () => {
  withholdClose(server)
  releaseClose(server)
  releaseClose(server)
  await closed(server)
  expect(heard).toEqual(['close'])
})

test('what a program puts over the function of a server stays', async () => {
  const emit = vi.fn(http.Server.prototype.emit)
  Object.assign(server, { emit })
  withholdClose(server)
  expect(server.emit).not.toBe(emit)
  releaseClose(server)
  expect(server.emit).toBe(emit)
  withholdClose(server)
  const over = vi.fn(server.emit)
  Object.assign(server, { emit: over })
  releaseClose(server)
  expect(server.emit).toBe(over)
})
