import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { documentsOf } from '../../scripts/links.mjs'
import { runText } from '../support/run.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Inside the package, so that its own name resolves to it.
const folder = path.join(root, '.cache/snippets')
const all = documentsOf(root)
const isReference = (document: string): boolean => document.startsWith('docs/reference/')
const documents = all.filter((document) => !isReference(document))

function textOf(document: string): string {
  return readFileSync(path.join(root, document), 'utf8')
}

interface Snippet {
  readonly name: string
  readonly code: string
}

function snippetsOf(document: string): readonly Snippet[] {
  const found = [...textOf(document).matchAll(/^```js\n(.*?)^```/gms)]
  return found.map(([, code = ''], index) => ({ name: `${document} ${index + 1}`, code }))
}

const snippets = documents.flatMap(snippetsOf)
// Those of the two classes with workers run in docs/supervisor.md.
const ofDocstrings = all.filter((one) => isReference(one) && !one.includes('/classes/')).flatMap(snippetsOf)

test('the documentation has snippets, and the README has its six lines', () => {
  expect(snippets.length).toBeGreaterThanOrEqual(6)
  const readme = snippets.find(({ name }) => name === 'README.md 1')
  expect(readme?.code.trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(6)
})

/** What a docstring takes for granted. */
const PRELUDE = `import dgram from 'node:dgram'
import http from 'node:http'
import process from 'node:process'
import { bindReusePort, drain, listening, listenReusePort, openReusePortSocket, steer } from 'reuseport'
import { listenKept } from 'reuseport/queues'
const app = () => {}
const server = await listening(listenReusePort(http.createServer(app), 0))
`

test('the docstrings of the functions have snippets', () => {
  expect(ofDocstrings.length).toBeGreaterThanOrEqual(7)
})

test.each(snippets)('the snippet runs: $name', run)

// Node 20 has no `using`.
test.each(ofDocstrings)('the snippet of the docstring runs: $name', ({ name, code }) =>
  run({ name, code: `${PRELUDE}{\n${code.replaceAll(/\busing /g, 'const ')}}\n` }),
)

function run({ name, code }: Snippet): void {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${name.replaceAll(/\W/g, '-')}.mjs`)
  // A port of the kernel's choice instead of the one for the reader.
  writeFileSync(file, code.replaceAll('8080', '0'))
  const endSoon = pathToFileURL(path.join(root, 'test/fixtures/end-soon.mjs')).href
  expect(runText(file, ['--import', endSoon])).not.toMatch(/error/i)
}

test('the types and the reference of socket options are those of the table in the addon', () => {
  expect(runText(path.join(root, 'scripts/generate-options.mjs'), [], ['--check'])).toBe('')
})

test('every export is in the reference, and every error code', async () => {
  const reference = textOf('docs/api.md')
  const exported = Object.keys(await import('../../src/index.js')).filter((name) => /^[a-z]/.test(name))
  for (const name of exported) expect(reference).toMatch(new RegExp(`^## \`${name}\\(`, 'm'))
  const sources = ['src/common/errors.ts', 'src/group/group-errors.ts', 'src/options/option-errors.ts']
    .map(textOf)
    .join('')
  for (const [code] of sources.matchAll(/ERR_[A-Z_]+/g)) {
    expect(reference).toContain(code)
  }
})
