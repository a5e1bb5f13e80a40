// Checks the documents in the tarball, and that no file in it names a path of this machine.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { brokenLinks, documentsOf } from '../links.mjs'
import { root } from './run.mjs'

/** What the package has no room for. Documents may lead there, for readers of the repository. */
const ONLY_IN_REPOSITORY = [
  'CONTRIBUTING.md',
  'docs/api.md',
  'docs/benchmarks.md',
  'docs/port-sharing.md',
  'docs/socket-options.md',
  'docs/supervisor.md',
  'docs/images/',
  'docs/reference/',
  'docs/guides/beyond-one-machine.md',
  'docs/guides/how-it-works.md',
  'examples/',
  'bench/results/',
]

const isLeftOut = (name) => ONLY_IN_REPOSITORY.some((left) => name === left || name.startsWith(left))

/**
 * Links of a document in `folder` that lead nowhere, but for those to what is only in the repository. The README says where
 * that is, by name.
 */
function broken(folder, document) {
  const text = readFileSync(path.join(folder, document), 'utf8')
  return brokenLinks(folder, document, text).filter((sentence) => {
    const to = /the link to '([^'#]*)/.exec(sentence)?.[1] ?? ''
    const target = path.posix.join(path.posix.dirname(document), to)
    const isSaid = document !== 'README.md' || text.includes(`\`${target}\``)
    return !(isLeftOut(target) && isSaid && existsSync(path.join(root, target)))
  })
}

/** @param folder the package, unpacked */
export function checkDocuments(folder) {
  const packed = documentsOf(folder)
  assert.deepEqual(
    packed,
    documentsOf(root).filter((document) => !isLeftOut(document)),
    'the tarball has the documents of the checkout',
  )
  assert.deepEqual(
    packed.flatMap((document) => broken(folder, document)),
    [],
    'links of the package lead nowhere',
  )
  console.log(`All links of the ${packed.length} documents in the tarball lead somewhere.`)
}

/** @param folder the package, unpacked */
export function checkPaths(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of names) {
    const file = path.join(parentPath, name)
    const bytes = readFileSync(file)
    const text = name.endsWith('.br') ? brotliDecompressSync(bytes) : name.endsWith('.gz') ? gunzipSync(bytes) : bytes
    assert.ok(!text.includes(path.resolve(root)), `${file} names the folder that the package was made in`)
  }
}
