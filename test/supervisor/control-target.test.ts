// Which supervisor a word names.
import { expect, test } from 'vitest'
import { named } from '../../src/supervisor/control-target.js'

const of = (pid: number, script: string, ...ports: readonly number[]) => {
  const places = ports.map((port) => ({ protocol: 'tcp', address: '::', port }) as const)
  return { pid, script, places, workers: [] }
}
const ALL = [
  of(12, '/srv/one/server.js', 8080),
  of(8080, '/srv/two/server.js', 3000, 3001),
  of(14, '/srv/two/worker.mts', 3001),
  // An earlier version, which does not tell its ports.
  { pid: 15, script: '/srv/next', workers: [] },
]

test.each([
  [undefined, [12, 8080, 14, 15]],
  ['12', [12]],
  ['13', []],
  ['8080', [8080]],
  [':8080', [12]],
  ['3000', [8080]],
  ['3001', [8080, 14]],
  [':12', []],
  ['server.js', [12, 8080]],
  ['server', [12, 8080]],
  ['./server.js', [12, 8080]],
  ['two/server.js', [8080]],
  ['./two/server', [8080]],
  ['/srv/one/server.js', [12]],
  ['worker', [14]],
  ['next', [15]],
  ['erver.js', []],
  ['server.', []],
  ['srv', []],
  ['', []],
  ['./', []],
  ['12345678901', []],
])('%j', (word, pids) => {
  expect(named(word, ALL).map(({ pid }) => pid)).toEqual(pids)
})
