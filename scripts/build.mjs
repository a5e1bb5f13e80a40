// Builds the addon with node-gyp and the TypeScript with tsc. `--native` or `--typescript` builds that half alone.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

function run(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stderr.write(stdout + stderr)
  process.exit(status ?? 1)
}

// Node's headers lie beside most installed binaries; only where they do not does node-gyp look for them elsewhere.
export function nodeGypArguments() {
  const prefix = path.dirname(path.dirname(process.execPath))
  const hasHeaders = existsSync(path.join(prefix, 'include/node/node_api.h'))
  return hasHeaders ? [`--nodedir=${prefix}`] : []
}

function buildNative() {
  const gyp = path.join(path.dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js')
  run(gyp, ['configure', ...nodeGypArguments(), '--', '-Dwith_faults=1'])
  run(gyp, ['build', '--jobs', 'max'])
}

function buildTypeScript() {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  run(path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc'), ['-p', root])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv[2]
  if (only !== '--typescript') buildNative()
  if (only !== '--native') buildTypeScript()
}
