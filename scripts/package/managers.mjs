// Checks that every package manager installs the tarball without a warning, and that the installed package works.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { cachedPackage } from '../cached-package.mjs'
import { nodeBinary } from '../nodes.mjs'
import { checkManifest } from './contents.mjs'
import { fixture, run, runJson } from './run.mjs'

// A warning about the settings of this machine, not about the package.
const NOT_OURS = /Unknown (user|env|project) config/

function assertQuiet(name, { stdout, stderr }) {
  const warnings = `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => /\b(warn|warning|deprecated|ignored)\b/i.test(line) && !NOT_OURS.test(line))
  assert.deepEqual(warnings, [], `${name} warns`)
}

function newProject(folder, name, manifest = {}) {
  const project = path.join(folder, name)
  mkdirSync(project)
  // Yarn warns about a manifest without these fields.
  const fields = { name: 'project', version: '1.0.0', license: 'MIT', private: true, type: 'module', ...manifest }
  writeFileSync(path.join(project, 'package.json'), JSON.stringify(fields))
  cpSync(fixture('smoke.mjs'), path.join(project, 'smoke.mjs'))
  return project
}

function registry() {
  return run('npm', ['config', 'get', 'registry']).stdout.trim()
}

/** @returns {string} the folder of a project in which npm installed the package */
export function checkManagers(folder, tarball) {
  const node = nodeBinary(24)
  const clean = { ...process.env, npm_config_ignore_scripts: 'false' }
  const managers = {
    npm: {
      command: 'npm',
      install: ['install', '--no-audit', '--no-fund', tarball],
      again: ['ci', '--no-audit', '--no-fund'],
    },
    'npm 12': {
      command: node,
      before: [path.join(cachedPackage('npm', '12.2.0'), 'npm/bin/npm-cli.js')],
      install: ['install', '--no-audit', '--no-fund', tarball],
      again: ['ci', '--no-audit', '--no-fund'],
    },
    pnpm: {
      command: node,
      before: [path.join(cachedPackage('pnpm', '12.21.0'), 'pnpm/bin/pnpm.mjs')],
      install: ['add', tarball],
      again: ['install', '--frozen-lockfile'],
    },
    'yarn 1': {
      command: node,
      before: [path.join(cachedPackage('yarn', '1.22.22'), 'yarn/bin/yarn.js')],
      install: ['add', '--no-progress', tarball],
      // Yarn 1 cannot install from the lockfile alone where a package is a tarball by its path.
      again: ['install', '--no-progress'],
    },
    "yarn 4, Plug'n'Play": {
      command: node,
      before: [path.join(cachedPackage('@yarnpkg/cli-dist', '4.18.1'), '@yarnpkg/cli-dist/bin/yarn.js')],
      env: {
        YARN_NPM_REGISTRY_SERVER: registry(),
        YARN_UNSAFE_HTTP_WHITELIST: new URL(registry()).hostname,
        YARN_ENABLE_TELEMETRY: '0',
        YARN_ENABLE_GLOBAL_CACHE: 'false',
        YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      },
      install: ['add', `reuseport@file:${tarball}`],
      again: ['install', '--immutable'],
      smoke: ['node', 'smoke.mjs'],
    },
  }
  for (const [name, { again, before = [], command, env, install, smoke }] of Object.entries(managers)) {
    const project = newProject(folder, name.replaceAll(/\W+/g, '-'))
    const options = { cwd: project, env: { ...clean, ...env } }
    // Marks the root of the project: without a yarn.lock here Yarn 4 looks for a project further up.
    if (name.startsWith('yarn 4')) writeFileSync(path.join(project, 'yarn.lock'), '')
    assertQuiet(name, run(command, [...before, ...install], options))
    const installed = path.join(project, 'node_modules/reuseport')
    if (existsSync(installed)) checkManifest(installed)
    rmSync(path.join(project, 'node_modules'), { recursive: true, force: true })
    assertQuiet(`${name} with its lockfile`, run(command, [...before, ...again], options))
    const report =
      smoke === undefined
        ? runJson(process.execPath, ['smoke.mjs'], { cwd: project })
        : runJson(command, [...before, ...smoke], options)
    assert.equal(report.addon, true, `${name}: ${report.reasons.addon}`)
    assert.equal(report.share, 'ok')
    console.log(`${name} installs the package without a warning, also from its lockfile.`)
  }
  return path.join(folder, 'npm')
}
