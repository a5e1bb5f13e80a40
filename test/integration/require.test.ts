import { expect, test } from 'vitest'
import * as source from '../../src/index.js'
import { runJson } from '../support/run.js'

test('require() and import give the same instance', ({ skip }) => {
  const { require_module: requiresModules } = process.features as { require_module?: boolean }
  if (!requiresModules) skip('this Node has no require() for ES modules: 20.19, 22.12 and later have')
  const { names, same } = runJson<{ names: string[]; same: boolean }>('require.cjs')
  expect(names.sort()).toEqual(Object.keys(source).sort())
  expect(same).toBe(true)
})
