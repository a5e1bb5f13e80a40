// Checks that one binary serves every C library: what it needs must be exported by the oldest glibc and by musl, on both
// processors. Linking against a library's list of symbols shows that. The dynamic linker of musl then loads the binary;
// Node and Bun load it with glibc (runtimes.mjs).
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { LINUX_CORE, sourcesIn } from '../native-sources.mjs'
import { ZIG_ENVIRONMENT, zigBinary } from '../zig.mjs'
import { root, run } from './run.mjs'

const LIBRARIES = {
  x64: ['x86_64-linux-gnu.2.28', 'x86_64-linux-musl'],
  arm64: ['aarch64-linux-gnu.2.28', 'aarch64-linux-musl'],
}

function zig(...args) {
  return run(zigBinary(), args, { env: { ...process.env, ...ZIG_ENVIRONMENT } })
}

/** The names that a file takes from others. */
function taken(file) {
  const symbols = execFileSync('readelf', ['-W', '--dyn-syms', file], { encoding: 'utf8' })
  return [...symbols.matchAll(/ UND ([^@\s]+)/g)].map(([, name]) => name)
}

/**
 * Those of the names that a C library does not export. glibc before 2.33 has some functions, such as fstat(), only in
 * a part that each program links in: the program takes these from nobody.
 */
function missing(folder, target, names) {
  const source = path.join(folder, 'names.S')
  const main = path.join(folder, 'names.c')
  const program = path.join(folder, 'names')
  writeFileSync(source, ['.data', ...names.map((name) => `.quad ${name}`), ''].join('\n'))
  writeFileSync(main, 'int main(void) { return 0; }\n')
  try {
    zig('cc', '-target', target, '-dynamic', main, source, '-o', program)
  } catch (error) {
    return [...String(error).matchAll(/undefined symbol: (\S+)/g)].map(([, name]) => name)
  }
  const found = new Set(taken(program))
  return names.filter((name) => !found.has(name))
}

function checkSymbols(folder, binaries) {
  for (const [arch, targets] of Object.entries(LIBRARIES)) {
    const names = taken(binaries[arch]).filter((name) => !/^(napi|node_api)_/.test(name))
    assert.ok(names.length > 50)
    for (const target of targets) assert.deepEqual(missing(folder, target, names), [], target)
    // The controls: what one of the two libraries lacks is noticed.
    assert.deepEqual(missing(folder, targets[0], ['fstat', 'poll']), ['fstat'])
    assert.deepEqual(missing(folder, targets[1], ['__open64_2', 'poll']), ['__open64_2'])
  }
  console.log('What the binaries need is exported by glibc 2.28 and by musl, on x64 and arm64.')
}

/** The core is linked statically with musl, and runs. */
function checkCore(folder) {
  const exercise = path.join(folder, 'exercise-musl')
  const options = ['-target', 'x86_64-linux-musl', '-std=c++17', '-O1', '-w', '-Isrc-native']
  zig('c++', ...options, 'test/native/exercise.cc', ...sourcesIn(...LINUX_CORE), '-o', exercise)
  console.log(`The core on musl: ${run(exercise, ['2']).stdout.trim()}.`)
}

/** The dynamic linker in Debian's package `musl` works as on Alpine. */
function checkLoading(folder, binary) {
  const names = taken(binary).filter((name) => /^(napi|node_api)_/.test(name))
  assert.ok(names.length > 10)
  writeFileSync(path.join(folder, 'addon_host_symbols.h'), names.map((name) => `STUB(${name})\n`).join(''))
  const host = path.join(folder, 'musl-host')
  const source = path.join(root, 'test/native/addon_host.c')
  zig('cc', '-target', 'x86_64-linux-musl', '-dynamic', '-rdynamic', '-O1', `-I${folder}`, source, '-o', host)
  const linker = execFileSync('readelf', ['-l', host], { encoding: 'utf8' })
  assert.match(linker, /ld-musl-x86_64\.so\.1/)
  assert.equal(run(host, [binary]).stdout, '8\n')
  console.log('The dynamic linker of musl loads the binary.')
}

export function checkLibraries(folder, project) {
  const prebuilds = path.join(project, 'node_modules/reuseport/prebuilds')
  const [x64, arm64] = ['x64', 'arm64'].map((arch) => path.join(prebuilds, `linux-${arch}/reuseport.node`))
  checkSymbols(folder, { x64, arm64 })
  checkCore(folder)
  checkLoading(folder, x64)
}
