// Hearing an emitter's events without being one of its listeners.
import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { hearEvents } from '../../src/node/emit-hook.js'

test('is heard before the listeners, may withhold, and leaves nothing behind', () => {
  const emitter = new EventEmitter()
  const hear = vi.fn((event: string) => (event === 'secret' ? ('withheld' as const) : undefined))
  const listener = vi.fn()
  emitter.on('open', listener).on('secret', listener)
  const stop = hearEvents(emitter as never, hear)
  emitter.emit('open', 1)
  emitter.emit('secret', 2)
  expect(hear.mock.calls).toEqual([
    ['open', [1]],
    ['secret', [2]],
  ])
  expect(listener.mock.calls).toEqual([[1]])
  stop()
  stop()
  expect(Object.keys(emitter)).not.toContain('emit')
})

test('a function of the program that covers it and is taken off later makes nobody deaf', () => {
  const emitter = new EventEmitter()
  const stop = hearEvents(emitter as never, () => undefined)
  emitter.emit = () => false
  stop()
  Reflect.deleteProperty(emitter, 'emit')
  const hear = vi.fn(() => undefined)
  const stopAgain = hearEvents(emitter as never, hear)
  emitter.emit('open')
  expect(hear).toHaveBeenCalledTimes(1)
  stopAgain()
  expect(Object.keys(emitter)).not.toContain('emit')
})
