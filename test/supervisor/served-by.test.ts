import { expect, test } from 'vitest'
import { servedBy } from '../../src/supervisor/served-by.js'

const slots = (...generations: readonly (number | undefined)[]): Parameters<typeof servedBy>[0] =>
  generations.map((generation, slot) => ({ slot, generation }))

test.each([
  [slots(1), 'worker 0 serves generation 1'],
  [slots(2, 2), 'workers 0, 1 serve generation 2'],
  [slots(2, 1, 1, 1), 'worker 0 serves generation 2, workers 1 to 3 generation 1'],
  [slots(2, 1, 2, 1, 1), 'workers 0, 2 serve generation 2, workers 1, 3, 4 generation 1'],
  [slots(undefined, 1, 1, 1, undefined), 'workers 1 to 3 serve generation 1, workers 0, 4 ended'],
  [slots(undefined), 'worker 0 ended'],
  [[0, 1, 2, 5, 7, 8].map((slot) => ({ slot, generation: 3 })), 'workers 0 to 2, 5, 7, 8 serve generation 3'],
])('%j', (workers, text) => {
  expect(servedBy(workers)).toBe(text)
})
