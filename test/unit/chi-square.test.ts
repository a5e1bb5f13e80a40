import { expect, test } from 'vitest'
import { chiSquare } from '../../demo/chi-square.js'

// Critical values from the published tables.
test.each([
  [1, 3.841, 0.05],
  [2, 5.991, 0.05],
  [3, 7.815, 0.05],
  [3, 16.266, 0.001],
  [7, 14.067, 0.05],
  [10, 29.588, 0.001],
])('%i degrees of freedom: %f has the probability %f', (degrees, critical, probability) => {
  // Two cells off by d in opposite directions: the statistic is 2 d² / expected.
  const expected = 1e6
  const deviation = Math.sqrt((critical * expected) / 2)
  const counts = Array<number>(degrees + 1).fill(expected)
  counts[0] = expected + deviation
  counts[1] = expected - deviation
  const result = chiSquare(counts)
  expect(result.degrees).toBe(degrees)
  expect(result.statistic).toBeCloseTo(critical, 6)
  expect(result.probability).toBeCloseTo(probability, 3)
})

test('equal counts are as likely as can be, and one-sided counts are not likely at all', () => {
  expect(chiSquare([500, 500, 500, 500]).probability).toBe(1)
  expect(chiSquare([2000, 0, 0, 0]).probability).toBe(0)
})
