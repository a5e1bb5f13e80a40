import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import * as source from '../../src/index.js'
import * as queues from '../../src/queues.js'
import * as supervisor from '../../src/supervisor.js'
import { runJson } from '../support/run.js'

const { require_module: requiresModules } = process.features as { require_module?: boolean }
const WITHOUT = 'this Node has no require() for ES modules: 20.19, 22.12 and later have'

test('require() and import give the same instance', ({ skip }) => {
  if (!requiresModules) skip(WITHOUT)
  const { names, same } = runJson<{ names: string[][]; same: boolean }>('require.cjs')
  expect(names.map((some) => some.sort())).toEqual(
    [source, supervisor, queues].map((module) => Object.keys(module).sort()),
  )
  expect(same).toBe(true)
})

test('where require() cannot load an ES module, the error says what to do', ({ skip }) => {
  if (!requiresModules) skip(WITHOUT)
  const file = fileURLToPath(new URL('../fixtures/require.cjs', import.meta.url))
  const flags = ['--no-experimental-require-module', file]
  const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' })
  expect(status).toBe(1)
  expect(stderr).toMatch(
    /^Error: reuseport is an ES module, .*use Node 20\.19 or later.*, or await import\('reuseport'\)$/m,
  )
  expect(stderr).toContain("code: 'ERR_REQUIRE_ESM'")
})

test('any other failure of the module is passed on as it is', () => {
  const otherwise = createRequire(import.meta.url)('../../dist/require-esm.cjs') as (
    name: string,
    cause: unknown,
  ) => object
  const failure = new Error('no memory')
  expect(() => otherwise('index.js', failure)).toThrow(failure)
  expect(() => otherwise('nowhere.js', new SyntaxError('import'))).toThrow(/Cannot find module .*nowhere\.js/)
})
