// Runs the native code under tools that find errors which tests miss: `npm run sanitize [-- part …]`.
//   valgrind, threads, core   test/native/exercise.cc, with memcheck, ThreadSanitizer, AddressSanitizer and UBSan
//   addon                     the tests that load the addon, with the addon compiled for AddressSanitizer and UBSan
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { LINUX_CORE, sourcesIn } from './native-sources.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = path.join(root, '.cache/sanitize')

const FATAL = ['-fno-sanitize-recover=all', '-fno-omit-frame-pointer', '-g', '-O1']
const MEMORY = ['-fsanitize=address,undefined', ...FATAL]
const MEMCHECK = [
  '--quiet',
  '--error-exitcode=9',
  '--leak-check=full',
  '--show-leak-kinds=all',
  '--errors-for-leak-kinds=all',
]

function run(command, args, env = {}) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (error) throw error
  if (status !== 0) process.exit(1)
}

function compileExercise(name, flags) {
  mkdirSync(cache, { recursive: true })
  const binary = path.join(cache, name)
  const sources = ['test/native/exercise.cc', ...sourcesIn(...LINUX_CORE)]
  run('c++', ['-std=c++17', '-Isrc-native', ...flags, ...sources, '-pthread', '-o', binary])
  return binary
}

/**
 * The tests that call the addon from their own process, or from threads. Left out: tests of pure files, and those that
 * start many programs, whose processes call the addon as these tests do.
 */
const TESTS_OF_THE_ADDON = ['native', 'options', 'group', 'steering', 'listen', 'datagram']
  .concat(['drain/drain', 'integration/threads', 'integration/fuzz', 'integration/flags', 'integration/descriptors'])
  .map((name) => `test/${name}`)

const PARTS = {
  valgrind: checkMemory,
  // `setarch -R` switches address randomisation off: ThreadSanitizer's shadow memory fails where it uses too many bits.
  threads: () => run('setarch', ['-R', compileExercise('threads', ['-fsanitize=thread', ...FATAL]), '4']),
  core: () => run(compileExercise('memory', MEMORY), ['2']),
  addon: testAddon,
}

/** Shows the log of valgrind only after a failure: pidfd_open() is too new for valgrind, which warns at each call. */
function checkMemory() {
  const log = path.join(cache, 'memcheck.log')
  const binary = compileExercise('memcheck', ['-O1', '-g'])
  const { status } = spawnSync('valgrind', [...MEMCHECK, `--log-file=${log}`, binary], { stdio: 'inherit' })
  if (status === 0) return
  process.stderr.write(readFileSync(log, 'utf8'))
  process.exit(1)
}

/** Works in a copy, so `build/` stays as it is. Every process of a test has the sanitizers. A finding is a failure. */
function testAddon() {
  const copy = mkdtempSync(path.join(tmpdir(), 'reuseport-sanitize-'))
  try {
    // mkdtemp creates the folder with mode 0700, and some tests run as another user.
    chmodSync(copy, 0o755)
    const left = new Set(['.git', '.cache', 'node_modules', 'build', 'prebuilds', 'coverage'])
    cpSync(root, copy, { recursive: true, filter: (name) => !left.has(path.relative(root, name)) })
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
    const flags = MEMORY.join(' ')
    // _FORTIFY_SOURCE replaces calls that the sanitizer would intercept.
    const compiled = { CXXFLAGS: `${flags} -U_FORTIFY_SOURCE`, LDFLAGS: flags }
    run(process.execPath, [path.join(copy, 'scripts/build.mjs'), '--native'], compiled)
    const libraries = ['libasan.so', 'libubsan.so'].map((name) =>
      execFileSync('c++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim(),
    )
    const log = path.join(copy, 'findings')
    const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...TESTS_OF_THE_ADDON], {
      cwd: copy,
      stdio: 'inherit',
      env: {
        ...process.env,
        LD_PRELOAD: libraries.join(' '),
        // V8 frees nothing at exit, so every run would report leaks. valgrind looks for leaks instead.
        ASAN_OPTIONS: `detect_leaks=0:log_path=${log}`,
        UBSAN_OPTIONS: `print_stacktrace=1:log_path=${log}`,
        REUSEPORT_SANITIZED: '1',
      },
    })
    const findings = readdirSync(copy).filter((name) => name.startsWith('findings'))
    for (const name of findings) process.stderr.write(readFileSync(path.join(copy, name), 'utf8'))
    if (status !== 0 || findings.length > 0) process.exit(1)
    console.log('AddressSanitizer and UBSan found nothing in the addon.')
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !(name in PARTS))
if (unknown !== undefined) {
  console.error(`There is no part ${unknown}.\nUsage: npm run sanitize [-- ${Object.keys(PARTS).join(' | ')} …]`)
  process.exit(2)
}
if (!existsSync(path.join(root, 'dist'))) throw new Error('dist/ is missing: run npm run build first')
for (const [name, check] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  console.log(`=== ${name}`)
  check()
}
