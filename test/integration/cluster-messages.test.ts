// What a primary of cluster sends a worker that has just come online, where both have the preload.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isRequirable } from '../../src/supervisor/preload-options.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('../fixtures/cluster-messages.cjs', import.meta.url))
const register = fileURLToPath(new URL('../../dist/register.js', import.meta.url))
const url = new URL('../../dist/register.js', import.meta.url).href
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** Node 22.0 to 22.12 cannot load the preload by --require, or warn of it, and load a program after --import later. */
const isAble = isRequirable(process.versions.node, [], true)

function run(words: readonly string[], options: string | undefined, way: string): unknown {
  const env = { ...process.env, NODE_OPTIONS: options }
  const { stdout, stderr } = spawnSync(process.execPath, [...words, script, way], { cwd: root, encoding: 'utf8', env })
  expect(stderr.replace(/^reuseport( \d+)?: .*\n/gm, '')).toBe('')
  return JSON.parse(stdout)
}

test
  .skipIf(!isAble)
  .each<[words: readonly string[], options?: string | undefined, way?: string]>([
    [['--require', register]],
    [['--require', 'reuseport/register']],
    [['--import', url]],
    [[`--import=${register}`]],
    [['--import', './dist/register.js']],
    [['--import', 'reuseport/register']],
    [['--import', url], undefined, 'own settings'],
    [[], `--import ${url}`],
    [[], `--no-deprecation --import="${register}"`],
    [[], '--import=reuseport/register'],
    [[], `--import ${url}`, 'own environment'],
    [[main, 'run', '-n', '1', '--max-restarts', '0']],
  ])('%j, NODE_OPTIONS %j %s: none is lost, and the program sees its own options', (words, options, way = '') => {
  expect(run(words, options, way)).toEqual({ answers: 3, unchanged: true })
})

test('a variable that the program takes away from its workers stays away', () => {
  const program = `const cluster = require('node:cluster')
    if (cluster.isPrimary) cluster.fork({ NODE_OPTIONS: undefined })
    else {
      console.log(JSON.stringify(process.env.NODE_OPTIONS ?? 'none'))
      process.disconnect()
    }`
  const env = { ...process.env, NODE_OPTIONS: '--no-deprecation' }
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'reuseport-options-')), 'program.cjs')
  writeFileSync(file, program)
  expect(spawnSync(process.execPath, ['--import', url, file], { encoding: 'utf8', env }).stdout).toBe('"none"\n')
  rmSync(path.dirname(file), { recursive: true })
})
