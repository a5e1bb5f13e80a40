// Checks what CommonJS gets of the installed package: by require, in Jest, and as types.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { cachedPackage } from '../cached-package.mjs'
import { NODE_VERSIONS, nodeBinary } from '../nodes.mjs'
import { root, run } from './run.mjs'

const BOTH = `
  const required = [require('reuseport'), require('reuseport/supervisor'), require('reuseport/queues')]
  Promise.all([import('reuseport'), import('reuseport/supervisor'), import('reuseport/queues')]).then((imported) => {
    for (const [at, module] of imported.entries())
      for (const name of Object.keys(module))
        if (required[at][name] !== module[name]) throw new Error(name + ' is another one by require')
    console.log(Object.keys(imported[0]).length > 10)
  })`

/** The first versions with require() for ES modules, the last without it, and the supported ones. */
function byRequire(folder) {
  const withIt = ['20.19.0', '22.12.0', ...Object.values(NODE_VERSIONS)]
  for (const version of withIt) {
    const { stdout, stderr } = run(nodeBinary(version), ['-e', BOTH], { cwd: folder })
    assert.deepEqual([stdout, stderr], ['true\n', ''], `Node ${version}`)
  }
  for (const version of ['20.18.3', '22.11.0']) {
    const { status, stderr } = spawnSync(nodeBinary(version), ['-e', BOTH], { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /reuseport is an ES module, .*use Node 20\.19 or later, .*await import\('reuseport'\)/)
  }
  console.log(`require() gives the instance of import, without a warning: Node ${withIt.join(', ')}.`)
}

function inJest(folder) {
  const jest = path.join(cachedPackage('jest', '30.5.2'), 'jest/bin/jest.js')
  for (const name of ['first', 'second'])
    cpSync(path.join(root, 'test/consumer/commonjs/serves.test.cjs'), path.join(folder, `${name}.test.cjs`))
  for (const major of [20, 24]) {
    const { stderr } = run(nodeBinary(major), [jest, '--ci', '--runInBand'], { cwd: folder })
    assert.match(stderr, /^Tests: +4 passed, 4 total$/m)
    assert.doesNotMatch(stderr, /did not exit|warning/i)
    console.log(`Jest 30 on Node ${major} runs tests that require the package.`)
  }
}

/** TypeScript 7 has no `moduleResolution: node10`, which many projects still have. */
function asTypes(folder) {
  const tsc = path.join(cachedPackage('typescript', '5.9.3'), 'typescript/bin/tsc')
  const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')]
  const strict = [
    '--noEmit',
    '--strict',
    '--esModuleInterop',
    '--target',
    'es2022',
    '--lib',
    'es2023,esnext.disposable',
  ]
  const source = path.join(root, 'test/consumer/commonjs/usage.cts')
  const checks = {
    'usage.cts': ['--module', 'node16', '--skipLibCheck', 'false'],
    'usage.ts': ['--module', 'commonjs', '--moduleResolution', 'node10', '--skipLibCheck', 'false'],
  }
  for (const [file, options] of Object.entries(checks)) {
    cpSync(source, path.join(folder, file))
    run(process.execPath, [tsc, file, ...options, ...strict, ...types], { cwd: folder })
    console.log(
      `TypeScript 5 compiles a CommonJS program against the package (${options.includes('node10') ? 'node10' : options[1]}).`,
    )
  }
}

/** @param {string} project The folder of a project in which the package is installed. */
export function checkCommonJS(project) {
  const folder = path.join(project, 'commonjs')
  mkdirSync(folder)
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, type: 'commonjs' }))
  byRequire(folder)
  inJest(folder)
  asTypes(folder)
}
