// Makes each mistake of scripts/mutations.mjs in a copy of the project, and runs the tests that should fail: `npm run
// mutate [-- word …]`. Words select the mistakes whose file and text contain them all. Exits with 1 if the tests miss a
// mistake.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { MUTATIONS } from './mutations.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const copy = mkdtempSync(path.join(tmpdir(), 'reuseport-mutate-'))

// A compiler that does not optimise takes half of the time.
const env = { ...process.env, CXXFLAGS: '-O0' }

function run(...args) {
  return spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8', env, timeout: 300_000 })
}

function build(...parts) {
  const { status, stderr, stdout } = run('scripts/build.mjs', ...parts)
  if (status !== 0) throw new Error(`The copy does not build.\n${stdout}${stderr}`)
}

/** What a mistake has to be built by. */
const partOf = ({ file }) => (file.startsWith('src-native') ? '--native-again' : '--bundles')

/** Whether a test fails. @throws Error for a mistake that does not build. Restores the source, and leaves the build. */
function tryOne(mutation) {
  const { file, from, tests, to } = mutation
  const target = path.join(copy, file)
  const before = readFileSync(target, 'utf8')
  if (before.split(from).length !== 2) throw new Error(`${file} must contain this text exactly once: ${from}`)
  writeFileSync(
    target,
    before.replace(from, () => to),
  )
  try {
    build(partOf(mutation))
    const { status } = run('node_modules/vitest/vitest.mjs', 'run', '--bail', '1', ...tests)
    return status !== 0
  } finally {
    writeFileSync(target, before)
  }
}

/** The control: a test that fails without a mistake proves nothing. */
function checkWithout(mutations) {
  const tests = new Set(mutations.flatMap((mutation) => mutation.tests))
  const { status, stderr, stdout } = run('node_modules/vitest/vitest.mjs', 'run', ...tests)
  if (status !== 0) throw new Error(`Tests fail even without a mistake.\n${stdout}${stderr}`)
}

const words = process.argv.slice(2)
const chosen = MUTATIONS.filter(({ file, from }) => words.every((word) => `${file} ${from}`.includes(word)))
try {
  if (chosen.length === 0) throw new Error(`No mistake contains all of these words: ${words.join(' ')}`)
  // mkdtemp creates the folder with mode 0700, and some tests run as another user.
  chmodSync(copy, 0o755)
  const left = new Set(['.git', '.cache', 'node_modules', 'prebuilds'])
  cpSync(root, copy, { recursive: true, filter: (name) => !left.has(path.relative(root, name)) })
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  build()
  let unnoticed = 0
  for (const part of new Set(chosen.map(partOf))) {
    for (const mutation of chosen.filter((one) => partOf(one) === part)) {
      const start = performance.now()
      const noticed = tryOne(mutation)
      if (!noticed) unnoticed++
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      console.log(`${noticed ? '✓' : '✗'} ${mutation.file}: ${mutation.from.split('\n')[0]} (${seconds} s)`)
    }
    // Each build replaces the mistake before. This one removes the last mistake of its part.
    build(part)
  }
  checkWithout(chosen)
  console.log(`The tests noticed ${chosen.length - unnoticed} of ${chosen.length} mistakes.`)
  if (unnoticed > 0) process.exitCode = 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
