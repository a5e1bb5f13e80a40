// A drain hears what a server tells its listeners, and is none of them: a listener may change what a server does, and a
// program can count them.
import { EventEmitter } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { drain, listenReusePort } from '../../src/index.js'
import { hearEvents } from '../../src/node/emit-hook.js'
import { share } from '../support/group-of-servers.js'
import { closed, SERVER_KINDS } from '../support/listeners.js'

const opened: net.Server[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => (server.listening ? closed(server) : undefined)))
})

function listenersOf(emitter: EventEmitter): Readonly<Record<string, number>> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]))
}

describe.each(Object.keys(SERVER_KINDS))('%s', (kind) => {
  const create = SERVER_KINDS[kind] as () => net.Server

  test('no listener is there during a drain that was not there before, and none is left by drains that were aborted', async () => {
    const server = create()
    const staying = net.createServer()
    opened.push(server, staying)
    await share([server, staying])
    const before = listenersOf(server)
    const properties = Reflect.ownKeys(server)
    for (let turn = 0; turn < 3; turn++) {
      const abort = new AbortController()
      const draining = drain(server, { signal: abort.signal })
      expect(listenersOf(server)).toEqual(before)
      abort.abort()
      await expect(draining).rejects.toMatchObject({ name: 'AbortError' })
      expect(listenersOf(server)).toEqual(before)
      expect(Reflect.ownKeys(server)).toEqual(properties)
    }
    await drain(server)
    expect(listenersOf(server)).toEqual(before)
    expect(Object.hasOwn(server, 'emit')).toBe(false)
    // It is drained again once it listens again.
    await share([server])
    expect(await drain(server)).toMatchObject({ method: 'close', lossless: true })
  })
})

test('listening leaves at most one listener, on http2 servers of a Node that has no list of sessions', async () => {
  const counts = await Promise.all(
    [http.createServer(), net.createServer(), http2.createServer() as unknown as net.Server].map(async (server) => {
      opened.push(server)
      const before = listenersOf(server)
      const listening = new Promise((resolve) => server.once('listening', () => resolve(undefined)))
      listenReusePort(server, 0, '127.0.0.1')
      await listening
      const after = listenersOf(server)
      return Object.keys(after).filter((name) => after[name] !== before[name])
    }),
  )
  const hasList = Number(process.versions.node.split('.')[0]) >= 24
  expect(counts).toEqual([[], [], hasList ? [] : ['session']])
})

test('a server that listens again while its connections end keeps them', async () => {
  let finish: () => void = () => {}
  const server = http.createServer((_request, response) => {
    finish = () => response.end('done')
  })
  opened.push(server)
  const port = await share([server])
  const answer = new Promise<http.IncomingMessage>((resolve) => http.get({ port, host: '127.0.0.1' }, resolve))
  await new Promise((resolve) => server.once('request', resolve))
  const draining = drain(server, { grace: 0 })
  while (server.listening) await pause(5)
  await share([server])
  const report = await draining
  expect(report).toMatchObject({ lossless: true, connectionsClosed: 0, connectionsDestroyed: 0, connectionsLeft: 1 })
  expect(report.reason).toMatch(/^the program listens again, .*; the group has no other member/)
  finish()
  expect((await answer).statusCode).toBe(200)
  ;(await answer).resume()
})

describe('hearing events', () => {
  test('before the listeners, which get what is not withheld', () => {
    const heard: unknown[] = []
    const emitter = new EventEmitter().on('a', (...args) => heard.push(['listener', ...args]))
    const stop = hearEvents(emitter, (event, args) => {
      heard.push([event, ...args])
      return args[0] === 2 ? 'withheld' : undefined
    })
    expect([emitter.emit('a', 1), emitter.emit('a', 2), emitter.emit('b')]).toEqual([true, false, false])
    stop()
    emitter.emit('a', 3)
    expect(heard).toEqual([['a', 1], ['listener', 1], ['a', 2], ['b'], ['listener', 3]])
    expect(Object.hasOwn(emitter, 'emit')).toBe(false)
  })

  test('in any order of ends, also under a function that the program puts over it', () => {
    const emitter = new EventEmitter()
    const told: string[] = []
    const stops = ['first', 'second'].map((name) =>
      hearEvents(emitter, () => {
        told.push(name)
        return undefined
      }),
    )
    stops[0]?.()
    stops[0]?.()
    emitter.emit('x')
    const { emit } = emitter
    const own = (...args: [string]): boolean => Reflect.apply(emit, emitter, args)
    emitter.emit = own
    stops[1]?.()
    emitter.emit('x')
    expect(told).toEqual(['second'])
    expect(emitter.emit).toBe(own)
    // Heard again, although the one below is still there.
    const stop = hearEvents(emitter, () => {
      told.push('third')
      return undefined
    })
    emitter.emit('x')
    stop()
    expect(told).toEqual(['second', 'third'])
    expect(emitter.emit).toBe(own)
  })
})
