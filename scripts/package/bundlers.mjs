// Checks the package with bundlers: marked as external, as docs/installing.md advises, and taken into the bundle.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { cachedPackage } from '../cached-package.mjs'
import { nodeBinary } from '../nodes.mjs'
import { run, runJson } from './run.mjs'

const SERVER = `
import http from 'node:http'
import { capabilities, listenReusePort } from 'reuseport'
const server = http.createServer((request, response) => response.end('x'))
listenReusePort(server, { port: 0, host: '127.0.0.1' }, () => {
  const { addon, reasons } = capabilities()
  console.log(JSON.stringify({ addon, reason: reasons.addon, port: typeof server.address().port }))
  server.close()
})
`

export function checkBundlers(project, folder) {
  writeFileSync(path.join(project, 'server.mjs'), SERVER)
  const esbuild = path.join(cachedPackage('esbuild', '0.28.2'), 'esbuild/bin/esbuild')
  const rollup = path.join(cachedPackage('rollup', '4.68.7'), 'rollup/dist/bin/rollup')
  const bundle = (out, command, ...args) => {
    run(process.execPath, [command, ...args], { cwd: project })
    return runJson(process.execPath, [path.join(project, out)], { cwd: project })
  }
  const options = ['server.mjs', '--bundle', '--platform=node', '--log-level=warning']
  const serves = { addon: true, port: 'number' }
  assert.deepEqual(
    bundle('out/esm.mjs', esbuild, ...options, '--external:reuseport', '--format=esm', '--outfile=out/esm.mjs'),
    serves,
  )
  assert.deepEqual(
    bundle('out/cjs.cjs', esbuild, ...options, '--external:reuseport', '--format=cjs', '--outfile=out/cjs.cjs'),
    serves,
  )
  assert.deepEqual(
    bundle(
      'out/rollup.mjs',
      rollup,
      'server.mjs',
      '--external',
      'node:http,reuseport',
      '--silent',
      '-o',
      'out/rollup.mjs',
    ),
    serves,
  )
  // In the bundle: the code still finds the addon of a package that is installed beside it.
  assert.deepEqual(bundle('out/all.mjs', esbuild, ...options, '--format=esm', '--outfile=out/all.mjs'), serves)
  const alone = path.join(folder, 'alone')
  mkdirSync(alone)
  cpSync(path.join(project, 'out/all.mjs'), path.join(alone, 'all.mjs'))
  // Without an installed package Node's own reusePort serves.
  const told = runJson(nodeBinary(24), ['all.mjs'], { cwd: alone })
  assert.equal(told.addon, false)
  assert.match(told.reason, /mark 'reuseport' as external$/)
  console.log('esbuild and rollup bundle a server that uses the package.')
}
