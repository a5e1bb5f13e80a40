import module from 'node:module'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { withCompileCache } from '../../src/supervised/compile-cache.js'
import type { Link } from '../../src/supervised/link.js'

const ENABLED = 1
const steps: unknown[] = []
const enableCompileCache = vi.fn()
const names = ['enableCompileCache', 'flushCompileCache', 'constants'] as const
const original = names.map((name) => [name, Object.getOwnPropertyDescriptor(module, name)] as const)

beforeEach(() => {
  steps.length = 0
  enableCompileCache.mockReset().mockReturnValue({ status: ENABLED })
  const flushCompileCache = (): void => void steps.push('flush')
  const constants = { compileCacheStatus: { ENABLED } }
  for (const [name, value] of Object.entries({ enableCompileCache, flushCompileCache, constants })) replace(name, value)
})

afterEach(() => {
  for (const [name, descriptor] of original) {
    if (descriptor === undefined) replace(name, undefined)
    else Object.defineProperty(module, name, descriptor)
  }
})

function replace(name: string, value: unknown): void {
  Object.defineProperty(module, name, { value, configurable: true, writable: true, enumerable: true })
}

function link(compileCache?: string): Link {
  const send = (...message: unknown[]): void => void steps.push(message)
  return { isThread: false, configuration: { compileCache }, isOpen: () => true, send, onMessage() {} } as never
}

test('the cache is written after the worker has answered the last question before it is ready, never before', () => {
  const { send } = withCompileCache(link('/cache'))
  expect(enableCompileCache.mock.calls).toEqual([['/cache']])
  const then = (): void => {}
  send({ type: 'closed', id: 'a' }, 'handle', then)
  send({ type: 'released', ids: [] })
  expect(steps).toEqual([[{ type: 'closed', id: 'a' }, 'handle', then], [{ type: 'released', ids: [] }], 'flush'])
})

test.each([0, 2, 3])('a cache that is not ours is left alone: status %d', (status) => {
  enableCompileCache.mockReturnValue({ status })
  const given = link('/cache')
  expect(withCompileCache(given)).toBe(given)
})

test('none is asked for where the supervisor has none, and none where Node cannot write it', () => {
  withCompileCache(link())
  replace('flushCompileCache', undefined)
  withCompileCache(link('/cache'))
  replace('enableCompileCache', undefined)
  withCompileCache(link('/cache'))
  expect(enableCompileCache).not.toHaveBeenCalled()
})
