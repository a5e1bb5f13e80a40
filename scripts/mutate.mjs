// Makes each mistake of scripts/mutations.mjs in a copy of the project, and runs the tests that should notice: `npm run
// mutate [-- word …]`, those alone whose file or text has the words. Ends with 1 where one goes unnoticed.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { MUTATIONS } from './mutations.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const copy = mkdtempSync(path.join(tmpdir(), 'reuseport-mutate-'))

function run(...args) {
  return spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', timeout: 300_000 })
}

function build(half) {
  return run('scripts/build.mjs', half)
}

const halfOf = ({ file }) => (file.startsWith('src-native') ? '--native' : '--typescript')

/** Only what builds can be noticed by tests. Leaves the source as it was, and what was built of it as it is. */
function tryOne(mutation) {
  const { file, from, tests, to } = mutation
  const target = path.join(copy, file)
  const before = readFileSync(target, 'utf8')
  if (before.split(from).length !== 2) throw new Error(`${file} does not have this once: ${from}`)
  writeFileSync(
    target,
    before.replace(from, () => to),
  )
  try {
    const built = build(halfOf(mutation))
    if (built.status !== 0) throw new Error(`${file} does not compile with ${to}\n${built.stdout}${built.stderr}`)
    const { status } = run('node_modules/vitest/vitest.mjs', 'run', '--bail', '1', ...tests)
    return status !== 0
  } finally {
    writeFileSync(target, before)
  }
}

/** The control: what fails anyway notices nothing. */
function checkWithout(mutations) {
  const tests = new Set(mutations.flatMap((mutation) => mutation.tests))
  for (const args of [['scripts/build.mjs'], ['node_modules/vitest/vitest.mjs', 'run', ...tests]]) {
    const { status, stderr, stdout } = run(...args)
    if (status !== 0) throw new Error(`This fails without a mistake, too.\n${stdout}${stderr}`)
  }
}

const words = process.argv.slice(2)
const chosen = MUTATIONS.filter(({ file, from }) => words.every((word) => `${file} ${from}`.includes(word)))
// Half by half: each build takes the mistake before out of its own half, so that only a finished half is built anew.
chosen.sort((a, b) => halfOf(a).localeCompare(halfOf(b)))
try {
  // Some tests run as another user.
  chmodSync(copy, 0o755)
  const left = new Set(['.git', '.cache', 'node_modules', 'prebuilds'])
  cpSync(root, copy, { recursive: true, filter: (name) => !left.has(path.relative(root, name)) })
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  if (run('scripts/build.mjs').status !== 0) throw new Error('the copy does not build')
  let unnoticed = 0
  let half
  for (const mutation of chosen) {
    if (half !== undefined && half !== halfOf(mutation) && build(half).status !== 0) {
      throw new Error('the copy does not build any more')
    }
    half = halfOf(mutation)
    const noticed = tryOne(mutation)
    if (!noticed) unnoticed++
    console.log(`${noticed ? '✓' : '✗'} ${mutation.file}: ${mutation.from.split('\n')[0]}`)
  }
  if (chosen.length > 0) checkWithout(chosen)
  console.log(`${chosen.length - unnoticed} of ${chosen.length} mistakes were noticed.`)
  if (unnoticed > 0 || chosen.length === 0) process.exitCode = 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
