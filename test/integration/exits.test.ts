// The end of the process, or of a thread, at a moment when code of this library is on the stack or under way.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runJson } from '../support/run.js'

const fixture = fileURLToPath(new URL('../fixtures/exits.mjs', import.meta.url))

const PLACES = [
  'in onSocket',
  'in onSocket of a datagram socket',
  'in onSocket of a descriptor',
  "in 'listening'",
  "in 'error'",
  'in a lookup',
  'in a channel',
  'while a group is inspected',
  'while it is steered',
  'while it is drained',
  'after the drain',
  'with a socket that nobody has',
]

describe.each(['process', 'thread'])('of a %s', (of) => {
  test.each(PLACES)('%s', (place) => {
    const options = { encoding: 'utf8', timeout: 20_000 } as const
    const { status, signal, stderr } = spawnSync(process.execPath, ['--no-warnings', fixture, place, of], options)
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' })
  })
})

test('the module is loaded again and again, in one environment', () => {
  const { addons, descriptors } = runJson<{ addons: number; descriptors: readonly number[] }>('reloads.mjs')
  expect(addons).toBe(60)
  expect(descriptors[1]).toBe(descriptors[0])
})
