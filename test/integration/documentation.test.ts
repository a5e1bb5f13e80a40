import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runText } from '../support/run.js'
import { root } from '../support/snippets.js'

function textOf(document: string): string {
  return readFileSync(path.join(root, document), 'utf8')
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
