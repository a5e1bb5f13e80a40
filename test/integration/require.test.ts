import { expect, test } from 'vitest'
import * as source from '../../src/index.js'
import { runJson } from '../support/run.js'

test('require() and import give the same instance', () => {
  const { names, same } = runJson<{ names: string[]; same: boolean }>('require.cjs')
  expect(names.sort()).toEqual(Object.keys(source).sort())
  expect(same).toBe(true)
})
