// Checks the command, and the package by import and by require().
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fixture, root, run, runJson } from './run.mjs'

// The first worker (`<pid>.1`) ends its supervisor.
const SERVER = `require('node:http').createServer().listen(0, () => {
  console.log('listens')
  if (process.env.REUSEPORT_WORKER.endsWith('.1')) setTimeout(() => process.kill(process.ppid, 'SIGTERM'), 500)
})`

export function checkCommands(project) {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const reuseport = (...args) => run('npx', ['reuseport', ...args], { cwd: project }).stdout
  assert.equal(reuseport('--version').trim(), version)
  assert.equal(JSON.parse(reuseport('doctor', '--json')).balanced, true)
  writeFileSync(path.join(project, 'server.cjs'), SERVER)
  assert.match(reuseport('run', '-n', '2', '--prefix', 'server.cjs'), /listens/)
  cpSync(fixture('require.cjs'), path.join(project, 'require.cjs'))
  assert.equal(runJson(process.execPath, ['require.cjs'], { cwd: project }).same, true)
  console.log('The command runs, and require() returns the same module as import.')
}
