// Checks that the binary for musl loads on musl, and that the core works there. The dynamic linker in Debian's package
// `musl` works as on Alpine. The registry has no Node for musl, and Bun for musl needs a C++ library that Debian lacks.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { LINUX_CORE, sourcesIn } from '../native-sources.mjs'
import { ZIG_ENVIRONMENT, zigBinary } from '../zig.mjs'
import { root, run } from './run.mjs'

const ENVIRONMENT = { env: { ...process.env, ...ZIG_ENVIRONMENT } }

function checkCore(folder) {
  const exercise = path.join(folder, 'exercise-musl')
  const options = ['-target', 'x86_64-linux-musl', '-std=c++17', '-O1', '-w', '-Isrc-native']
  run(
    zigBinary(),
    ['c++', ...options, 'test/native/exercise.cc', ...sourcesIn(...LINUX_CORE), '-o', exercise],
    ENVIRONMENT,
  )
  console.log(`The core on musl: ${run(exercise, ['2']).stdout.trim()}.`)
}

export function checkMusl(folder, project) {
  checkCore(folder)
  const modules = path.join(project, 'node_modules/reuseport/prebuilds/linux-x64')
  const binary = path.join(modules, 'reuseport.musl.node')
  const needed =
    execFileSync('readelf', ['-W', '--dyn-syms', binary], { encoding: 'utf8' }).match(/\bnapi_\w+$/gm) ?? []
  const names = [...new Set(needed)].filter((name) => name !== 'napi_register_module_v1')
  assert.ok(names.length > 10)
  writeFileSync(path.join(folder, 'musl_host_symbols.h'), names.map((name) => `STUB(${name})\n`).join(''))
  const host = path.join(folder, 'musl-host')
  const source = path.join(root, 'test/native/musl_host.c')
  const options = ['-target', 'x86_64-linux-musl', '-dynamic', '-rdynamic', '-O1', `-I${folder}`]
  run(zigBinary(), ['cc', ...options, source, '-o', host], ENVIRONMENT)
  const linker = execFileSync('readelf', ['-l', host], { encoding: 'utf8' })
  assert.match(linker, /ld-musl-x86_64\.so\.1/)
  assert.equal(run(host, [binary]).stdout, '8\n')
  // The control: the binary for glibc fails to load.
  assert.throws(
    () => run(host, [path.join(modules, 'reuseport.glibc.node')]),
    /libc\.so\.6|libm\.so\.6|symbol not found/,
  )
  console.log('The dynamic linker of musl loads the binary for musl, and refuses the one for glibc.')
}
