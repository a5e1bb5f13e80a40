// Makes prebuilds/<system>-<architecture>/ for this machine. In a folder of its own: prebuildify empties build/.
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import prebuildify from 'prebuildify'
import { nodeWithHeaders } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-prebuild-'))
try {
  for (const name of ['binding.gyp', 'package.json', 'src-native']) {
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  const node = nodeWithHeaders()
  if (node !== undefined) process.env.npm_package_config_node_gyp_nodedir = node
  await promisify(prebuildify)({
    name: 'reuseport',
    napi: true,
    strip: true,
    tagLibc: true,
    quiet: true,
    targets: [{ runtime: 'node', target: process.versions.node }],
    cwd: folder,
    out: root,
    cache: path.join(folder, 'cache'),
    nodeGyp: path.join(root, 'node_modules/.bin/node-gyp'),
  })
  console.log(`prebuilds/${process.platform}-${process.arch} is made.`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
