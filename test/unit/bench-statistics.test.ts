import { expect, test } from 'vitest'
import { deviation, percentile, quartiles } from '../../bench/statistics.js'
import { poisson, steady } from '../../bench/tail/schedule.js'

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

test.each([
  [50, 50],
  [95, 95],
  [99.9, 100],
  [0, 1],
])('%f percent of 1 to 100 do not exceed %i', (percent, value) => {
  expect(percentile(hundred, percent)).toBe(value)
})

test('quartiles lie between neighbours', () => {
  expect(quartiles([4, 1, 3, 2])).toEqual({ median: 2.5, low: 1.75, high: 3.25 })
  expect(quartiles([7])).toEqual({ median: 7, low: 7, high: 7 })
})

test('the standard deviation', () => {
  expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2)
})

test('of nothing there is no number', () => {
  expect(percentile([], 50)).toBeNaN()
  expect(deviation([])).toBeNaN()
  expect(quartiles([]).median).toBeNaN()
})

test('a steady schedule', () => {
  expect(steady(4, 1)).toEqual([0, 250, 500, 750])
})

test('arrivals of a Poisson process are the same for the same seed, and have its rate and spread', () => {
  const times = poisson(100, 100, 7)
  expect(poisson(100, 100, 7)).toEqual(times)
  expect(poisson(100, 100, 8)).not.toEqual(times)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times.at(-1)).toBeLessThan(100_000)
  // 10,000 expected, with a deviation of 100.
  expect(Math.abs(times.length - 10_000)).toBeLessThan(400)
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  // The gaps are exponential: their deviation is their mean.
  expect(deviation(gaps)).toBeGreaterThan(9.4)
  expect(deviation(gaps)).toBeLessThan(10.6)
})
