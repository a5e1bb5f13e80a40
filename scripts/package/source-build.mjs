// Checks `reuseport build`: it compiles a binary where the package has none, and names the tools that are missing.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { run, runJson } from './run.mjs'

/** Deletes the binaries of the installed package in `project`, and builds one. */
export function checkSourceBuild(project) {
  const main = path.join(project, 'node_modules/reuseport/dist/cli/main.js')
  const built = path.join(project, 'node_modules/reuseport/build/Release/reuseport.node')
  const build = (env, ...flags) =>
    spawnSync(process.execPath, [main, 'build', ...flags], { cwd: project, encoding: 'utf8', env })

  const nothing = build(process.env)
  assert.equal(nothing.status, 0)
  assert.match(nothing.stdout, /^The addon loads here: .*\nThere is nothing to build; --force builds it anyway\.\n$/)

  rmSync(path.join(project, 'node_modules/reuseport/prebuilds'), { recursive: true })
  assert.match(
    runJson(process.execPath, ['smoke.mjs'], { cwd: project }).reasons.addon,
    /^there is no binary for .*npx reuseport build/,
  )

  const without = build({ PATH: '/nonexistent' })
  assert.equal(without.status, 1)
  assert.match(
    without.stderr,
    /^reuseport: the addon cannot be built, because tools are missing: C\+\+ compiler, make, python3/,
  )
  assert.match(without.stderr, /apt-get install g\+\+ make python3/)
  assert.ok(!existsSync(built))

  const done = build(process.env)
  assert.equal(done.status, 0, done.stderr)
  assert.equal(done.stdout, `The addon is built: ${built}\n`)
  const report = runJson(process.execPath, ['smoke.mjs'], { cwd: project })
  assert.deepEqual(
    { addon: report.addon, binary: report.binary, drain: report.drain },
    { addon: true, binary: built, drain: 'ok' },
  )
  run('npx', ['reuseport', 'doctor'], { cwd: project })
  console.log('Without a binary reuseport build compiles one. Without a compiler it says how to install one.')
}
