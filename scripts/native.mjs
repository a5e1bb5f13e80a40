// The C++: `format` formats it, `lint` checks the format, compiles it with all warnings as errors, and runs clang-tidy
// where that is installed.
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { nodeWithHeaders } from './build.mjs'
import { takeTurns } from './take-turns.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const files = ['src-native', 'test/native'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => path.join(folder, name)),
)
/** What this system compiles: the files of others need their headers, those of the packed binaries libc++. */
const sources = files.filter(
  (name) =>
    name.endsWith('.cc') &&
    !name.includes('/packed/') &&
    (!name.includes('/platform/') || /\/(linux|socket_flags)\//.test(name)),
)

const WARNINGS = [
  '-Wall',
  '-Wextra',
  '-Wpedantic',
  '-Wshadow',
  '-Wconversion',
  '-Wold-style-cast',
  '-Wnon-virtual-dtor',
]
const DEFINES = ['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS']

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** @returns {Promise<boolean | undefined>} undefined: it is not installed */
function tidy(source, flags) {
  return new Promise((resolve, reject) => {
    // What it finds it prints; on the error output it counts the warnings of other people's headers.
    const child = spawn('clang-tidy', ['--quiet', source, '--', ...flags], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'ignore'],
    })
    child.on('error', (error) => (error.code === 'ENOENT' ? resolve(undefined) : reject(error)))
    child.on('close', (status) => resolve(status === 0))
  })
}

/** On all cores: it takes most of the time of `lint`. */
async function tidyAll(flags) {
  const results = []
  await takeTurns(sources, availableParallelism(), async (source) => {
    results.push(await tidy(source, flags))
  })
  if (results.includes(false)) process.exit(1)
  console.log(results.includes(undefined) ? 'clang-tidy is not installed: skipped.' : 'clang-tidy has nothing to say.')
}

function format(...mode) {
  run(require('clang-format').getNativeBinary(), [...mode, ...files])
}

function compilerFlags() {
  const node = nodeWithHeaders()
  if (node === undefined) return undefined
  // Headers that are not ours are the system's: their warnings are not ours either.
  const headers = [path.join(node, 'include/node'), path.dirname(require.resolve('node-addon-api/napi.h'))]
  return ['-std=c++17', '-fno-rtti', '-Isrc-native', ...headers.map((folder) => `-isystem${folder}`), ...DEFINES]
}

async function lint() {
  format('--dry-run', '--Werror')
  console.log(`${files.length} C++ files are formatted.`)
  const flags = compilerFlags()
  if (flags === undefined || process.platform !== 'linux') {
    console.log('C++ is not compiled here: it takes Linux, and the headers of Node beside its binary.')
    return
  }
  for (const source of sources) run('c++', [...flags, '-fsyntax-only', ...WARNINGS, '-Werror', source])
  console.log(`${sources.length} C++ files compile without a warning.`)
  await tidyAll(flags)
}

if (process.argv[2] === 'lint') await lint()
else if (process.argv[2] === 'format') format('-i')
else {
  console.error('Usage: node scripts/native.mjs lint | format')
  process.exit(2)
}
