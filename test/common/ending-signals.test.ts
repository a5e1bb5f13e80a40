import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ONE_WISH, SignalCount } from '../../src/common/ending-signals.js'

/** What signals at these times are taken for. */
function heard(...times: readonly number[]): readonly string[] {
  let now = 0
  const count = new SignalCount(() => now)
  return times.map((time) => {
    now = time
    return count.hear()
  })
}

describe('signals that ask for the end', () => {
  test('two within a second are one; the third ends at once', () => {
    expect(heard(5)).toEqual(['first'])
    expect(heard(5, 5)).toEqual(['first', 'same'])
    expect(heard(5, 5 + ONE_WISH - 1)).toEqual(['first', 'same'])
    expect(heard(5, 6, 7)).toEqual(['first', 'same', 'at once'])
    expect(heard(5, 6, 10_000)).toEqual(['first', 'same', 'at once'])
  })

  test('a second one a second later ends at once, and so does each after it', () => {
    expect(heard(5, 5 + ONE_WISH)).toEqual(['first', 'at once'])
    expect(heard(0, 60_000, 60_001)).toEqual(['first', 'at once', 'at once'])
  })

  test('in any order of times: the first is the first, all from the third on end at once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { minLength: 1, maxLength: 8 }), (waits) => {
        let now = 0
        const times = waits.map((wait) => {
          now += wait
          return now
        })
        const [first, second, ...later] = heard(...times)
        expect(first).toBe('first')
        if (second !== undefined) expect(second).toBe((waits[1] as number) < ONE_WISH ? 'same' : 'at once')
        expect(new Set(later).size).toBeLessThan(2)
        for (const one of later) expect(one).toBe('at once')
      }),
    )
  })

  test('how many there were', () => {
    const count = new SignalCount(() => 0)
    expect(count.count).toBe(0)
    count.hear()
    count.hear()
    expect(count.count).toBe(2)
  })
})
