// Follows the links of documents: each relative one has to lead to a file, and to a heading of it. Absolute ones are not opened.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { anchorsOf, linksOf } from './markdown.mjs'

/**
 * The Markdown files of a package or checkout that readers see, by their paths from `root`.
 *
 * @type {(root: string) => readonly string[]}
 */
export function documentsOf(root) {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const below = ['docs', 'examples'].filter((folder) => existsSync(path.join(root, folder)))
  const found = below.flatMap((folder) => {
    const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    return names
      .filter((name) => name.endsWith('.md') && !/(^|\/)node_modules\//.test(name))
      .map((name) => `${folder}/${name}`)
  })
  return [...top, ...found].sort()
}

/**
 * What is wrong with the links of a document, a sentence each.
 *
 * @type {(root: string, document: string, text?: string) => readonly string[]}
 */
export function brokenLinks(root, document, text = readFileSync(path.join(root, document), 'utf8')) {
  return linksOf(text).flatMap(({ to, alt }) => {
    const wrong = wrongWith(root, document, text, to) ?? (alt?.trim() === '' ? 'has no alternative text' : undefined)
    return wrong === undefined ? [] : [`${document}: the link to '${to}' ${wrong}`]
  })
}

/** @type {(root: string, document: string, text: string, to: string) => string | undefined} */
function wrongWith(root, document, text, to) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(to)) return wrongWithAbsolute(to)
  if (to === '') return 'is empty'
  if (to.startsWith('/')) return 'begins at the root'
  const [name = '', anchor] = to.split('#')
  const file = path.posix.normalize(path.posix.join(path.posix.dirname(document), decodeURIComponent(name)))
  const target = name === '' ? document : file
  if (target.startsWith('..')) return 'leads out of the package'
  if (!existsSync(path.join(root, target))) return 'leads to no file'
  if (anchor === undefined) return undefined
  const page = statSync(path.join(root, target)).isDirectory() ? path.posix.join(target, 'README.md') : target
  if (!page.endsWith('.md'))
    return /^L\d+(-L\d+)?$/.test(anchor) ? undefined : 'names a heading of a file that has none'
  if (!existsSync(path.join(root, page))) return 'leads to no file'
  const there = page === document ? text : readFileSync(path.join(root, page), 'utf8')
  return anchorsOf(there).has(decodeURIComponent(anchor)) ? undefined : 'leads to no heading'
}

/** @type {(to: string) => string | undefined} */
function wrongWithAbsolute(to) {
  if (/^mailto:[^@\s]+@[^@\s]+$/.test(to)) return undefined
  if (!URL.canParse(to)) return 'is no URL'
  const { protocol, hostname } = new URL(to)
  if (protocol !== 'https:') return 'is not https'
  return hostname.includes('.') && !hostname.endsWith('.') ? undefined : 'names no host'
}
