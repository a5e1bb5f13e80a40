import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runText } from '../support/run.js'
import { documents, root } from '../support/snippets.js'

function textOf(document: string): string {
  return readFileSync(path.join(root, document), 'utf8')
}

test('every link leads somewhere', () => {
  const links = documents.flatMap((document) =>
    [...textOf(document).matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => ({ document, link })),
  )
  expect(links.length).toBeGreaterThan(5)
  for (const { document, link } of links) {
    const [file, anchor] = link.split('#')
    const target = path.join(path.dirname(document), file || path.basename(document))
    const headings = [...textOf(target).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    )
    if (anchor !== undefined) expect(headings, `${document}: ${link}`).toContain(anchor)
  }
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
