// The snippets of docstrings run, as they stand in docs/reference.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { documentsOf } from '../../scripts/links.mjs'
import { runText } from '../support/run.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = path.join(root, '.cache/docstrings')
const endSoon = pathToFileURL(path.join(root, 'test/fixtures/end-soon.mjs')).href

/** What a docstring takes for granted. */
const PRELUDE = `import dgram from 'node:dgram'
import http from 'node:http'
import process from 'node:process'
import { bindReusePort, drain, listening, listenReusePort, openReusePortSocket, steer } from 'reuseport'
import { listenKept } from 'reuseport/queues'
const app = () => {}
const server = await listening(listenReusePort(http.createServer(app), 0))
`

// Those of the two classes with workers run in docs/supervisor.md.
const pages = documentsOf(root).filter((name) => name.startsWith('docs/reference/') && !name.includes('/classes/'))
const snippets = pages.flatMap((document) => {
  const text = readFileSync(path.join(root, document), 'utf8')
  return [...text.matchAll(/^```js\n(.*?)^```/gms)].map(([, code = '']) => ({ name: path.basename(document), code }))
})

test('the docstrings of the functions have snippets', () => {
  expect(snippets.length).toBeGreaterThanOrEqual(7)
})

test.each(snippets)('the snippet runs: $name', ({ name, code }) => {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${name}.mjs`)
  // A port of the kernel's choice; and Node 20 has no `using`.
  const body = code.replaceAll(/8080|8125/g, '0').replaceAll(/\busing /g, 'const ')
  writeFileSync(file, `${PRELUDE}{\n${body}}\n`)
  expect(runText(file, ['--import', endSoon])).not.toMatch(/error/i)
})
