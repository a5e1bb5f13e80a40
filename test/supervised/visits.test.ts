import { expect, test } from 'vitest'
import { LONGEST_VISIT, SHORTEST_VISIT, SOON, Visits } from '../../src/supervised/visits.js'

test('visits that follow each other become longer, up to the longest', () => {
  const visits = new Visits()
  let now = 0
  const lengths = Array.from({ length: 9 }, () => {
    const length = visits.begin('q', now)
    now += length
    visits.ended('q', now)
    now += SOON
    return length
  })
  expect(lengths.slice(0, 3)).toEqual([SHORTEST_VISIT, 4 * SHORTEST_VISIT, 16 * SHORTEST_VISIT])
  expect(lengths.at(-1)).toBe(LONGEST_VISIT)
})

test('a visit after a pause, of another queue, or after the socket was another one is short', () => {
  const visits = new Visits()
  visits.begin('q', 0)
  visits.ended('q', 20)
  expect(visits.begin('q', 21 + SOON)).toBe(SHORTEST_VISIT)
  expect(visits.begin('p', 22 + SOON)).toBe(SHORTEST_VISIT)
  visits.forget('q')
  expect(visits.begin('q', 30 + SOON)).toBe(SHORTEST_VISIT)
})

test('a visit that has not ended in time counts from when it should have', () => {
  const visits = new Visits()
  visits.begin('q', 0)
  expect(visits.begin('q', SHORTEST_VISIT + SOON)).toBe(4 * SHORTEST_VISIT)
})
