// Builds the addon with node-gyp, the declarations with tsc and one module of JavaScript with rolldown: loading a module
// for each file took four times as long. `--native` or `--typescript` builds that half alone.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

function run(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stderr.write(stdout + stderr)
  process.exit(status ?? 1)
}

/** The folder that Node is installed in, if its headers lie there too, as they mostly do. */
export function nodeWithHeaders() {
  const prefix = path.dirname(path.dirname(process.execPath))
  return existsSync(path.join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}

function buildNative() {
  if (!existsSync(path.join(root, 'build/Release/reuseport.node')))
    console.log('Compiling the addon (about 10 seconds) …')
  const gyp = path.join(path.dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js')
  const node = nodeWithHeaders()
  // Otherwise node-gyp looks for headers elsewhere.
  const headers = node === undefined ? [] : [`--nodedir=${node}`]
  run(gyp, ['configure', ...headers, '--', '-Dwith_faults=1'])
  run(gyp, ['build', '--jobs', 'max'])
}

async function buildTypeScript() {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  run(path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc'), ['-p', root])
  await build({
    input: path.join(root, 'src/index.ts'),
    platform: 'node',
    logLevel: 'warn',
    transform: { target: 'node20.19' },
    output: { file: path.join(root, 'dist/index.js'), format: 'esm' },
  })
  // These stand on what users import, as it is in the package.
  for (const [name, external] of [
    ['cli/main', ['../index.js', '../supervisor.js']],
    ['register', ['./index.js', '../index.js']],
    ['supervisor', ['./index.js', '../index.js']],
  ]) {
    await build({
      input: path.join(root, `src/${name}.ts`),
      external,
      platform: 'node',
      logLevel: 'warn',
      transform: { target: 'node20.19' },
      output: { file: path.join(root, `dist/${name}.js`), format: 'esm' },
    })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv[2]
  if (only !== '--typescript') buildNative()
  if (only !== '--native') await buildTypeScript()
}
