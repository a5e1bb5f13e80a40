// Builds the addon with node-gyp, the declarations with tsc, and with rolldown a few JavaScript modules: loading one for
// each source file took four times as long; then the manual. `--native` or `--typescript` builds only
// that half. `--native-again` and `--bundles` build only what a changed source needs: the addon without a new
// configuration, and the JavaScript without types. The JavaScript has lines and the names of its functions, for stack traces. Source maps stay out of
// the package.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import { build } from 'rolldown'
import { parseAst } from 'rolldown/parseAst'
import { writeManual } from './manual.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

function run(script, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stderr.write(stdout + stderr)
  process.exit(status ?? 1)
}

/** The folder that Node is installed in. Undefined where the headers of Node are missing there. */
export function nodeWithHeaders() {
  const prefix = path.dirname(path.dirname(process.execPath))
  return existsSync(path.join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}

/** Runs node-gyp. Without --nodedir it looks for the headers of Node elsewhere. */
function gyp(...args) {
  run(path.join(path.dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js'), args)
}

function buildNative() {
  if (!existsSync(path.join(root, 'build/Release/reuseport.node')))
    console.log('Compiling the addon (about 10 seconds) …')
  const node = nodeWithHeaders()
  const headers = node === undefined ? [] : [`--nodedir=${node}`]
  gyp('configure', ...headers, '--', '-Dwith_faults=1')
  compile()
}

function compile() {
  gyp('build', '--jobs', 'max')
}

const ENTRIES = ['index', 'supervisor', 'queues', 'register', 'cli/main']

/** Everything below the facade. */
const LIBRARY = /\/src\/(common|datagram|drain|group|listen|native|node|options|steering|system)\/|\/src\/index\.ts$/

/**
 * What several entry points have in common stands in one file each, so a process has its state once: what the import of
 * the library takes, the rest of the library, what a worker knows of its supervisor, who joins whose queue, metrics (only
 * where they are asked for), and the supervisor. The first name that fits a source counts.
 */
const COMMON = [
  { debugName: 'core', name: (id, context) => (importedAtOnce(context).has(id) ? 'core' : null), test: LIBRARY },
  { name: 'later', test: LIBRARY },
  { name: 'protocol', test: /\/src\/supervisor\/(ahead|messages|patience|preload-options|protocol)\.ts$/ },
  { name: 'joining', test: /\/src\/supervisor\/(join|kept-socket\.|queue-)/ },
  { name: 'monitoring', test: /\/src\/supervisor\/metrics(?!-place)/ },
  { name: 'supervised', test: /\/src\/supervised\/(accepted|guests|link|own-guests|servers)\.ts$/ },
  { name: 'workers', test: /\/src\/supervisor(\/|\.ts$)/ },
]

/** The sources that the façade imports, directly or through others, but for those that it imports when they are needed. */
function importedAtOnce(context) {
  const found = new Set()
  const visit = (id) => {
    if (found.has(id)) return
    found.add(id)
    for (const other of context.getModuleInfo(id)?.importedIds ?? []) visit(other)
  }
  visit(path.join(root, 'src/index.ts'))
  return found
}

async function buildTypeScript() {
  const dist = path.join(root, 'dist')
  rmSync(dist, { recursive: true, force: true })
  run(path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc'), ['-p', root])
  keepDeclarations(dist, ['index.d.ts', 'supervisor.d.ts', 'queues.d.ts', 'register.d.ts'])
  await bundle(dist)
  await writeDoors(dist)
}

/** The entry points that CommonJS may `require`: a door that gives the ES module, and the types of the door. */
const DOORS = ['index', 'supervisor', 'queues']

/** `require` stands here in full: bundlers look for it. */
const door = (name) => `'use strict'
try {
  module.exports = require('./${name}.js')
} catch (error) {
  module.exports = require('./require-esm.cjs')('${name}.js', error)
}
`

/** In CommonJS the types of an ES module may be imported as types only: so each value gets its type by its name. */
async function doorTypes(dist, name) {
  const values = Object.entries(await import(pathToFileURL(path.join(dist, `${name}.js`)).href))
  const classes = values.filter(([, value]) => /^class\b/.test(String(value)))
  return [
    `import type * as esm from './${name}.js' with { 'resolution-mode': 'import' }`,
    `export type * from './${name}.js' with { 'resolution-mode': 'import' }`,
    ...values.map(([value]) => `export declare const ${value}: typeof esm.${value}`),
    ...classes.map(([value]) => `export type ${value} = esm.${value}`),
    '',
  ].join('\n')
}

async function writeDoors(dist) {
  copyFileSync(path.join(root, 'src/require-esm.cjs'), path.join(dist, 'require-esm.cjs'))
  for (const name of DOORS) {
    writeFileSync(path.join(dist, `${name}.cjs`), door(name))
    writeFileSync(path.join(dist, `${name}.d.cts`), await doorTypes(dist, name))
  }
}

async function bundle(dist) {
  const { output } = await build({
    input: Object.fromEntries(ENTRIES.map((name) => [name, path.join(root, `src/${name}.ts`)])),
    platform: 'node',
    logLevel: 'warn',
    transform: { target: 'node20.19' },
    // An entry point exports what its source exports, and nothing for the others.
    preserveEntrySignatures: 'strict',
    output: {
      dir: dist,
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      codeSplitting: { groups: COMMON },
      format: 'esm',
      sourcemap: 'hidden',
      comments: false,
      minify: {
        compress: true,
        mangle: { toplevel: true, keepNames: { function: true, class: true } },
        codegen: { removeWhitespace: true },
      },
    },
  })
  for (const { code, fileName, type } of output) {
    if (type === 'chunk') writeFileSync(path.join(dist, fileName), withLines(code))
  }
}

const BODIES = ['Program', 'BlockStatement', 'StaticBlock', 'ClassBody']

/** A statement begins a line, so a stack trace tells them apart; the first of a block stands behind its brace. Members of a class too. */
function withLines(code) {
  const starts = []
  const visit = (node) => {
    if (typeof node !== 'object' || node === null) return
    if (BODIES.includes(node.type)) for (const { start } of node.body.slice(1)) starts.push(start)
    for (const part of Object.values(node)) visit(part)
  }
  visit(parseAst(code))
  const lines = [...new Set([0, ...starts])].sort((one, other) => one - other)
  return lines.map((start, index) => code.slice(start, lines[index + 1]).trimEnd()).join('\n')
}

/** Deletes the declarations that the entry points do not import, directly or through others. */
function keepDeclarations(dist, entries) {
  const kept = new Set()
  const keep = (name) => {
    if (kept.has(name)) return
    kept.add(name)
    const text = readFileSync(path.join(dist, name), 'utf8')
    for (const [, other] of text.matchAll(/(?:from |import\(|import )['"](\.[^'"]+)\.js['"]/g)) {
      keep(path.join(path.dirname(name), `${other}.d.ts`))
    }
  }
  for (const entry of entries) keep(entry)
  for (const name of readdirSync(dist, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue
    const file = path.join(dist, name)
    if (kept.has(name)) writeFileSync(file, withTabs(readFileSync(file, 'utf8')))
    else rmSync(file)
  }
}

/** A declaration has no text of several lines. */
function withTabs(declarations) {
  return declarations.replace(/^(?: {4})+/gm, (blanks) => '\t'.repeat(blanks.length / 4))
}

/**
 * Packs the sources that `reuseport build` compiles, without their comments but with the same line numbers. With GNU tar
 * the same sources give the same bytes.
 */
function packSources() {
  const isGnu = execFileSync('tar', ['--version'], { encoding: 'utf8' }).includes('GNU')
  const alike = isGnu
    ? ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=a+rX,go-w']
    : []
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-sources-'))
  try {
    cpSync(path.join(root, 'src-native'), path.join(folder, 'src-native'), {
      recursive: true,
      filter: (name) => !/[/\\](packed|\.[^/\\]+)$/.test(name),
    })
    for (const name of readdirSync(folder, { recursive: true })) {
      const file = path.join(folder, name)
      if (/\.(cc|h)$/.test(name))
        writeFileSync(file, readFileSync(file, 'utf8').replace(/^ *\/\/.*$| {2}\/\/ .*$/gm, ''))
    }
    const archive = execFileSync('tar', [...alike, '-cf', '-', 'src-native'], { cwd: folder })
    writeFileSync(path.join(root, 'dist/addon-sources.tar.br'), brotliCompressSync(archive))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const PARTS = {
  '--native': buildNative,
  '--native-again': compile,
  '--typescript': async () => {
    await buildTypeScript()
    packSources()
    await writeManual(root)
  },
  '--bundles': () => bundle(path.join(root, 'dist')),
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv[2]
  if (only === undefined) {
    buildNative()
    await PARTS['--typescript']()
  } else if (only in PARTS) await PARTS[only]()
  else {
    console.error(`Usage: node scripts/build.mjs [${Object.keys(PARTS).join(' | ')}]`)
    process.exit(2)
  }
}
