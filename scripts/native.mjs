// Formats and checks the C++. `format` formats it. `lint` checks the format, compiles it with all warnings as errors,
// and runs clang-tidy where that is installed.
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
/** The files that Linux compiles. Those of other systems need their headers, those of the packed binaries libc++. */
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

/** @returns {Promise<boolean | undefined>} undefined: clang-tidy is not installed */
function tidy(source, flags) {
  return new Promise((resolve, reject) => {
    // clang-tidy prints its findings on stdout. Its stderr only counts the warnings in system headers.
    const child = spawn('clang-tidy', ['--quiet', source, '--', ...flags], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'ignore'],
    })
    child.on('error', (error) => (error.code === 'ENOENT' ? resolve(undefined) : reject(error)))
    child.on('close', (status) => resolve(status === 0))
  })
}

/** Runs on all cores: clang-tidy takes most of the time of `lint`. */
async function tidyAll(flags) {
  const results = []
  await takeTurns(sources, availableParallelism(), async (source) => {
    results.push(await tidy(source, flags))
  })
  if (results.includes(false)) process.exit(1)
  console.log(results.includes(undefined) ? 'clang-tidy is not installed: skipped.' : 'clang-tidy found nothing.')
}

function format(...mode) {
  run(require('clang-format').getNativeBinary(), [...mode, ...files])
}

function compilerFlags() {
  const node = nodeWithHeaders()
  if (node === undefined) return undefined
  // As system headers (-isystem), the headers of Node and node-addon-api give no warnings.
  const headers = [path.join(node, 'include/node'), path.dirname(require.resolve('node-addon-api/napi.h'))]
  return ['-std=c++17', '-fno-rtti', '-Isrc-native', ...headers.map((folder) => `-isystem${folder}`), ...DEFINES]
}

async function lint() {
  format('--dry-run', '--Werror')
  console.log(`${files.length} C++ files are formatted.`)
  const flags = compilerFlags()
  if (flags === undefined || process.platform !== 'linux') {
    console.log('The C++ was not compiled: this needs Linux, and the headers of Node beside its binary.')
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
