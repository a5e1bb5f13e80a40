// Every link of the documents leads somewhere, and the checker notices one that does not.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { brokenLinks, documentsOf } from '../../scripts/links.mjs'
import { anchorsOf, linksOf, slugOf } from '../../scripts/markdown.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const documents = documentsOf(root)
const textOf = (document: string): string => readFileSync(path.join(root, document), 'utf8')

test('the documents are found, also those in folders', () => {
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md']))
  expect(documents).toEqual(
    expect.arrayContaining(['docs/api.md', 'docs/guides/beyond-one-machine.md', 'examples/README.md']),
  )
  expect(documents.flatMap((document) => linksOf(textOf(document))).length).toBeGreaterThan(100)
})

test.each(documents)('the links of %s lead somewhere', (document) => {
  expect(brokenLinks(root, document)).toEqual([])
})

test.each([
  ['[a](docs/none.md)', 'leads to no file'],
  ['[a](docs/api.md#none)', 'leads to no heading'],
  ['[a](#none)', 'leads to no heading'],
  ['[a](docs/api.md "title") [b](docs/API.md)', 'leads to no file'],
  ['[a][b]\n\n[b]: docs/none.md', 'leads to no file'],
  ['<a href="docs/none.md">a</a>', 'leads to no file'],
  ['![](docs/api.md)', 'has no alternative text'],
  ['[![](docs/api.md)](docs/api.md)', 'has no alternative text'],
  ['[a](../elsewhere.md)', 'leads out of the package'],
  ['[a](/docs/api.md)', 'begins at the root'],
  ['[a](package.json#none)', 'names a heading of a file that has none'],
  ['[a]()', 'is empty'],
  ['[a](http://example.com)', 'is not https'],
  ['[a](https://)', 'is no URL'],
  ['[a](https://localhost/a)', 'names no host'],
])('%s is reported', (text, wrong) => {
  const broken = brokenLinks(root, 'README.md', text)
  expect(broken).toHaveLength(1)
  expect(broken[0]).toContain(wrong)
})

test.each([
  '[a](docs/api.md) [b](docs) [c](package.json#L3) [d](https://example.com/a#b) [e](mailto:a@example.com)',
  '`[a](none.md)`, and ``[a](none`b.md)``',
  '```md\n[a](none.md)\n```',
  'a\\[b\\]()',
  '# A heading\n\n[a](#a-heading)',
  '![a plot](bench/results/tail.svg)',
])('%s is right', (text) => {
  expect(brokenLinks(root, 'README.md', text)).toEqual([])
})

describe('anchors are those of GitHub', () => {
  test.each([
    ['`listenReusePort(server, ...)`', 'listenreuseportserver-'],
    ['`socket.close()`, `socket[Symbol.dispose]()`', 'socketclose-socketsymboldispose'],
    ['What Node’s own `reusePort` lacks', 'what-nodes-own-reuseport-lacks'],
    ['A [link](there.md) and _emphasis_ of `_a_`', 'a-link-and-emphasis-of-_a_'],
    ['Größe & more', 'größe--more'],
    ['a\\_b', 'a_b'],
  ])('%s', (heading, slug) => {
    expect(slugOf(heading)).toBe(slug)
  })

  test('headings of the same text are numbered, and code has none', () => {
    const text = '# A\n\n## A\n\n## A\n\n```sh\n# B\n```\n\n<a id="c"></a>\n'
    expect([...anchorsOf(text)]).toEqual(['a', 'a-1', 'a-2', 'c'])
  })
})
