// Compiles the code of a user (test/consumer) against the built declarations, with and without Node's types.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--target', 'es2022']
const nodenext = ['--module', 'nodenext']

const checks = {
  'with the types of Node': [
    'test/consumer/usage.ts',
    'test/consumer/supervisor.ts',
    ...nodenext,
    '--types',
    'node',
    '--lib',
    'es2023,esnext.disposable',
  ],
  'from CommonJS': [
    'test/consumer/commonjs/usage.cts',
    '--module',
    'node16',
    '--esModuleInterop',
    '--types',
    'node',
    '--lib',
    'es2023,esnext.disposable',
  ],
  'with nothing but ES2022': ['test/consumer/bare.ts', ...nodenext, '--types', '', '--lib', 'es2022'],
  'with a bundler': [
    'test/consumer/bare.ts',
    '--module',
    'esnext',
    '--moduleResolution',
    'bundler',
    '--types',
    '',
    '--lib',
    'es2022',
  ],
}

for (const [name, args] of Object.entries(checks)) {
  const options = ['--ignoreConfig', ...strict, ...args]
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options], { cwd: root, encoding: 'utf8' })
  if (status === 0) console.log(`The declarations compile ${name}.`)
  else {
    console.error(`The declarations do not compile ${name}:\n${stdout}`)
    process.exitCode = 1
  }
}
