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
    'test/consumer/queues.ts',
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

/** What TypeScript says of the lines of test/consumer/misspelt.ts: it names the option and not another parameter. */
const MISSPELT = [
  "'prot' does not exist in type 'ListenReusePortOptions",
  "'hots' does not exist in type 'ListenReusePortOptions",
  "'prot' does not exist in type 'BindReusePortOptions",
]

for (const [name, args] of Object.entries(checks)) {
  const options = ['--ignoreConfig', ...strict, ...args]
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options], { cwd: root, encoding: 'utf8' })
  if (status === 0) console.log(`The declarations compile ${name}.`)
  else {
    console.error(`The declarations do not compile ${name}:\n${stdout}`)
    process.exitCode = 1
  }
}

const misspelt = ['test/consumer/misspelt.ts', ...nodenext, '--types', 'node', '--lib', 'es2023,esnext.disposable']
const { stdout } = spawnSync(process.execPath, [tsc, '--ignoreConfig', ...strict, ...misspelt], {
  cwd: root,
  encoding: 'utf8',
})
const told = stdout.split(/^(?=test)/m)
if (told.length === MISSPELT.length && MISSPELT.every((text, at) => told[at]?.includes(text))) {
  console.log('The compiler names a misspelt option.')
} else {
  console.error(`The compiler does not name a misspelt option:\n${stdout}`)
  process.exitCode = 1
}
