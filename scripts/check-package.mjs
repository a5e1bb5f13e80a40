// Packs the package, looks at what is in it, and installs and runs it where nothing else is.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-package-'))
const manifestVersion = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version
const MAX_UNPACKED = 700_000

const SERVER = `require('node:http').createServer().listen(0, () => {
  console.log('listens')
  if (process.env.REUSEPORT_WORKER.endsWith('.1')) setTimeout(() => process.kill(process.ppid, 'SIGTERM'), 500)
})`

function run(command, args, options = {}) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options })
}

function pack() {
  const [{ filename, files, unpackedSize }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder]))
  return { tarball: path.join(folder, filename), names: files.map((file) => file.path), unpackedSize }
}

function checkContents({ names, unpackedSize }) {
  const expected =
    /^(dist\/index\.js|dist\/cli\/main\.js|dist\/(register|supervisor)\.js|dist\/(supervisor\/)?[a-z-]+\.d\.ts|prebuilds\/[a-z0-9-]+\/reuseport\.[a-z]+\.node|docs\/[a-z-]+\.md|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/
  const strangers = names.filter((name) => !expected.test(name))
  assert.deepEqual(strangers, [], 'the tarball has files that do not belong there')
  for (const name of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cli/main.js',
    'dist/register.js',
    'dist/supervisor.js',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ])
    assert.ok(names.includes(name), name)
  assert.ok(
    names.some((name) => name.endsWith('.node')),
    'the tarball has no binary',
  )
  assert.ok(unpackedSize < MAX_UNPACKED, `unpacked it is ${unpackedSize} bytes`)
}

function checkManifest(manifest) {
  for (const name of ['install', 'preinstall', 'postinstall']) assert.equal(manifest.scripts[name], undefined, name)
  assert.equal(manifest.gypfile, false)
  assert.deepEqual(Object.keys(manifest.dependencies), ['node-gyp-build'])
}

function checkInstalled(tarball) {
  const project = path.join(folder, 'project')
  mkdirSync(project)
  writeFileSync(path.join(project, 'package.json'), '{ "private": true, "type": "module" }')
  run('npm', ['install', '--ignore-scripts=false', '--no-audit', '--no-fund', tarball], { cwd: project })
  checkManifest(JSON.parse(readFileSync(path.join(project, 'node_modules/reuseport/package.json'), 'utf8')))
  for (const name of ['flags.mjs', 'require.cjs']) {
    cpSync(path.join(root, 'test/fixtures', name), path.join(project, name))
  }
  const report = JSON.parse(run(process.execPath, ['flags.mjs'], { cwd: project }))
  assert.equal(report.capabilities.addon, true, report.capabilities.reasons.addon)
  for (const what of ['shared', 'option', 'onSocket', 'datagrams', 'datagramOption'])
    assert.equal(report[what], 'shared')
  assert.equal(report.socket, 'opened')
  assert.equal(run('npx', ['reuseport', '--version'], { cwd: project }).trim(), manifestVersion)
  assert.equal(JSON.parse(run('npx', ['reuseport', 'doctor', '--json'], { cwd: project })).balanced, true)
  // Whose first worker ends its supervisor.
  writeFileSync(path.join(project, 'server.cjs'), SERVER)
  assert.match(run('npx', ['reuseport', 'run', '-n', '2', '--prefix', 'server.cjs'], { cwd: project }), /listens/)
  assert.equal(JSON.parse(run(process.execPath, ['require.cjs'], { cwd: project })).same, true)
}

try {
  run(process.execPath, ['scripts/prebuild.mjs'])
  const packed = pack()
  checkContents(packed)
  console.log(`The tarball has ${packed.names.length} files, ${packed.unpackedSize} bytes, and nothing else.`)
  checkInstalled(packed.tarball)
  console.log('Installed into an empty project, it shares a port.')
  console.log(run('npx', ['publint', '--strict', packed.tarball]).trim())
  console.log(run('npx', ['attw', packed.tarball, '--profile', 'esm-only']).trim())
} finally {
  rmSync(folder, { recursive: true, force: true })
}
