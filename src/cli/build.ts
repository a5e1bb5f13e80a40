import { spawnSync } from 'node:child_process'
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { capabilities } from '../index.js'
import { parseFlags, UsageError } from './arguments.js'

export const BUILD_HELP = `Usage: reuseport build [options]

Compiles the native addon on this machine, for a system that the package has no
binary for. Needs a C++17 compiler, make, Python 3, tar, and the npm registry
(for node-gyp and node-addon-api). Writes the addon to build/Release in the
package's folder. It loads in preference to the binaries of the package, and a
new installation of the package removes it.

  --force     compile even where the addon already loads
  -h, --help  print this help

Exit codes: 0 the addon loads, 1 the addon could not be built, 2 wrong usage.`

const packageFolder = fileURLToPath(new URL('../..', import.meta.url))

/** The versions that this version of the package is tested with. */
const TOOLS = { 'node-addon-api': '^8.9.2', 'node-gyp': '^12.4.0' }

export function build(args: readonly string[]): number {
  const { flags, rest } = parseFlags(args, { force: 'boolean', help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${BUILD_HELP}\n`)
    return 0
  }
  if (rest[0] !== undefined) throw new UsageError(`build takes options only, and got '${rest[0]}'`)
  const { binary } = capabilities()
  if (binary !== null && !flags.has('--force')) {
    process.stdout.write(`The addon loads here: ${binary}\nThere is nothing to build; --force builds it anyway.\n`)
    return 0
  }
  requireTools()
  const target = writableTarget()
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-build-'))
  try {
    step('Unpacking the sources')
    unpack(folder)
    step('Installing node-gyp and node-addon-api')
    run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], folder)
    step('Compiling')
    const gyp = path.join(folder, 'node_modules/node-gyp/bin/node-gyp.js')
    run(process.execPath, [gyp, 'rebuild', ...headers()], folder)
    step('Loading the addon')
    const built = path.join(folder, 'build/Release/reuseport.node')
    run(process.execPath, ['-e', 'require(process.argv[1])', built], folder)
    install(built, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  process.stdout.write(`The addon is built: ${target}\n`)
  return 0
}

function step(what: string): void {
  process.stderr.write(`${what} …\n`)
}

const INSTALL = `On Debian and Ubuntu: apt-get install g++ make python3
On Alpine:            apk add g++ make python3
On Fedora and RHEL:   dnf install gcc-c++ make python3
On macOS:             xcode-select --install`

function requireTools(): void {
  const compiler = process.env['CXX']?.split(' ')[0] || undefined
  const wanted = [
    compiler === undefined ? ['c++', 'g++', 'clang++'] : [compiler],
    ['make', 'gmake'],
    ['python3'],
    ['tar'],
    ['npm'],
  ]
  const missing = wanted
    .filter((names) => !names.some(isOnPath))
    .map(([name]) => (name === 'c++' ? 'C++ compiler' : name))
  if (missing.length === 0) return
  throw new Error(`the addon cannot be built, because tools are missing: ${missing.join(', ')}\n\n${INSTALL}`)
}

function isOnPath(command: string): boolean {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(path.delimiter)
  return folders.some((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** @throws Error where this user may not write to the folder, before the slow steps begin. */
function writableTarget(): string {
  const folder = path.join(packageFolder, 'build/Release')
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`cannot write to ${folder} (${code}): run this command as the user who installs the package`)
  }
  return path.join(folder, 'reuseport.node')
}

function unpack(folder: string): void {
  const archive = path.join(packageFolder, 'dist/addon-sources.tar.br')
  if (!existsSync(archive)) throw new Error(`${archive} is missing: reinstall the package`)
  run('tar', ['-xf', '-'], folder, brotliDecompressSync(readFileSync(archive)))
  writeFileSync(path.join(folder, 'binding.gyp'), '{ "includes": ["src-native/addon.gypi"] }\n')
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'build', private: true, dependencies: TOOLS }),
  )
}

/** The option for the headers beside Node's binary. Where they are missing, node-gyp downloads headers. */
function headers(): readonly string[] {
  const prefix = path.dirname(path.dirname(process.execPath))
  return existsSync(path.join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : []
}

/** @throws Error with the output of the command. */
function run(command: string, args: readonly string[], cwd: string, input?: Buffer): void {
  const { error, signal, status, stderr, stdout } = spawnSync(command, args, { cwd, input, encoding: 'utf8' })
  if (status === 0) return
  const ending = error?.message ?? (signal === null ? `exit code ${status}` : signal)
  const [script = ''] = args
  const name = path.basename(script.endsWith('.js') ? script : command)
  throw new Error(`${name} failed: ${ending}\n\n${stdout ?? ''}${stderr ?? ''}`)
}

/** Replaces the file by rename(2): running processes keep the file that they have loaded. */
function install(built: string, target: string): void {
  const beside = `${target}.${process.pid}`
  copyFileSync(built, beside)
  renameSync(beside, target)
}
