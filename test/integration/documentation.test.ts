import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { documentsOf } from '../../scripts/links.mjs'
import { runText } from '../support/run.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Inside the package, so that its own name resolves to it.
const folder = path.join(root, '.cache/snippets')
const documents = documentsOf(root).filter((document) => !document.startsWith('docs/reference/'))

function textOf(document: string): string {
  return readFileSync(path.join(root, document), 'utf8')
}

const snippets = documents.flatMap((document) =>
  [...textOf(document).matchAll(/^```js\n(.*?)^```/gms)].map(([, code = ''], index) => ({
    name: `${document} ${index + 1}`,
    code,
  })),
)

test('the documentation has snippets, and the README has its six lines', () => {
  expect(snippets.length).toBeGreaterThanOrEqual(6)
  const readme = snippets.find(({ name }) => name === 'README.md 1')
  expect(readme?.code.trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(6)
})

test.each(snippets)('the snippet runs: $name', ({ name, code }) => {
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${name.replaceAll(/\W/g, '-')}.mjs`)
  // A port of the kernel's choice instead of the one for the reader.
  writeFileSync(file, code.replaceAll('8080', '0'))
  const endSoon = pathToFileURL(path.join(root, 'test/fixtures/end-soon.mjs')).href
  expect(runText(file, ['--import', endSoon])).not.toMatch(/error/i)
})

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
