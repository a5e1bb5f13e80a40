// When WebSockets and event streams are told to end: pure.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dueNow, spreadOver } from '../../src/drain/spread.js'

test('each is told once, in equal times, and all by the end', () => {
  fc.assert(
    fc.property(
      fc.nat(500),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 400 }),
      (count, total, step) => {
        let told = 0
        for (let elapsed = 0; ; elapsed += step) {
          const due = dueNow(elapsed, total, told, count - told)
          told += due
          expect(told).toBeLessThanOrEqual(count)
          if (elapsed >= total) break
          // Not one more than its share of the time, and not one less.
          expect(told).toBe(Math.floor(count * (elapsed / total)))
        }
        expect(told).toBe(count)
      },
    ),
  )
})

test('those that come meanwhile join, those that have gone are not waited for', () => {
  expect(dueNow(500, 1000, 5, 5)).toBe(0)
  expect(dueNow(500, 1000, 5, 15)).toBe(5)
  expect(dueNow(500, 1000, 5, 0)).toBe(0)
  expect(dueNow(0, 0, 0, 7)).toBe(7)
  expect(dueNow(1e9, Number.POSITIVE_INFINITY, 0, 7)).toBe(0)
})

test('a moment of connectionTimeout is left for the answers', () => {
  expect(spreadOver({ websocketTimeout: 10_000, connectionTimeout: 10_000 })).toBe(9000)
  expect(spreadOver({ websocketTimeout: 1000, connectionTimeout: 1000 })).toBe(800)
  expect(spreadOver({ websocketTimeout: 300, connectionTimeout: 1000 })).toBe(300)
  expect(spreadOver({ websocketTimeout: 0, connectionTimeout: 0 })).toBe(0)
  const forever = Number.POSITIVE_INFINITY
  expect(spreadOver({ websocketTimeout: 300, connectionTimeout: forever })).toBe(300)
  expect(spreadOver({ websocketTimeout: forever, connectionTimeout: forever })).toBe(forever)
  expect(spreadOver({ websocketTimeout: forever, connectionTimeout: 1000 })).toBe(800)
})
