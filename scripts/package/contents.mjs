// Checks the files in the tarball, and its manifest.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { checkDocuments, checkPaths } from './documents.mjs'
import { run } from './run.mjs'

/** Bytes. */
const MAX_UNPACKED = 900_000

const BINARIES = ['linux-x64', 'linux-arm64'].map((target) => `prebuilds/${target}/reuseport.node`)

const NEEDED = [
  'dist/index.js',
  'dist/core.js',
  'dist/later.js',
  'dist/drain-server.js',
  'dist/inspect-group.js',
  'dist/repair-group.js',
  'dist/steer-group.js',
  'dist/protocol.js',
  'dist/joining.js',
  'dist/metrics.js',
  'dist/monitoring.js',
  'dist/supervised.js',
  'dist/workers.js',
  'dist/index.d.ts',
  'dist/index.cjs',
  'dist/index.d.cts',
  'dist/require-esm.cjs',
  'dist/register.js',
  'dist/register.d.ts',
  'dist/supervisor.js',
  'dist/supervisor.d.ts',
  'dist/supervisor.cjs',
  'dist/supervisor.d.cts',
  'dist/queues.js',
  'dist/queues.d.ts',
  'dist/queues.cjs',
  'dist/queues.d.cts',
  'dist/cli/main.js',
  'dist/addon-sources.tar.br',
  'dist/reuseport.1.gz',
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'LICENSE',
  ...BINARIES,
]

const DECLARATION = /^dist\/([a-z]+\/)?[a-z0-9-]+\.d\.ts$/
const DOCUMENT = /^(docs\/(guides\/)?([a-z0-9-]+|README)\.md|bench\/results\/tail\.svg)$/

/** Packs the package into `folder`, and checks the files of the tarball. @returns the path of the tarball */
export function pack(folder) {
  const [{ filename, files, unpackedSize }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder]).stdout,
  )
  const names = files.map((file) => file.path)
  const strangers = names.filter((name) => !NEEDED.includes(name) && !DECLARATION.test(name) && !DOCUMENT.test(name))
  assert.deepEqual(strangers, [], 'the tarball has files that do not belong there')
  for (const name of NEEDED) assert.ok(names.includes(name), `the tarball lacks ${name}`)
  assert.ok(
    unpackedSize < MAX_UNPACKED,
    `the unpacked tarball has ${unpackedSize} bytes; the limit is ${MAX_UNPACKED - 1}`,
  )
  console.log(`The tarball has the expected ${names.length} files, ${unpackedSize} bytes unpacked.`)
  const unpacked = path.join(folder, 'unpacked')
  mkdirSync(unpacked)
  run('tar', ['-xzf', path.join(folder, filename), '-C', unpacked, '--strip-components', '1'])
  checkDocuments(unpacked)
  checkPaths(unpacked)
  return path.join(folder, filename)
}

export function checkManifest(installed) {
  const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'))
  for (const name of ['install', 'preinstall', 'postinstall', 'prepare']) {
    assert.equal(manifest.scripts?.[name], undefined, name)
  }
  assert.equal(manifest.gypfile, false)
  assert.deepEqual(Object.keys(manifest.dependencies), ['node-gyp-build'])
}
