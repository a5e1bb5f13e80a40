// What of a Markdown document the checks of links need. Pure: text in, data out.

// Code has neither links nor headings.
const FENCE = /^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ *\2 *$/gm
const CODE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/g
const COMMENT = /<!--[\s\S]*?-->/g

/** @type {(text: string) => string} */
const withoutFences = (text) => text.replaceAll('\r\n', '\n').replaceAll(FENCE, '').replaceAll(COMMENT, '')

/**
 * The anchor that GitHub gives a heading: its text in lower case, without punctuation, with a hyphen for each blank.
 *
 * @type {(heading: string) => string}
 */
export function slugOf(heading) {
  const text = heading
    .replaceAll(/!?\[((?:`[^`]*`|[^\]])*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\\([\\`*_{}[\]()#+\-.!<>|~])/g, '$1')
    .replaceAll(/<\/?[a-z][^>]*>/gi, '')
  // Emphasis goes, and an underscore in code stays.
  const plain = text.replaceAll(
    /`[^`]*`|(?<![\p{L}\p{N}_])(_{1,2})([^_`]+)\1(?![\p{L}\p{N}_])/gu,
    (all, mark, inner) => (mark === undefined ? all : inner),
  )
  return plain
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
}

/**
 * All anchors of a document. Headings of the same text are numbered: `name`, `name-1`.
 *
 * @type {(text: string) => ReadonlySet<string>}
 */
export function anchorsOf(text) {
  const plain = withoutFences(text)
  const anchors = new Set()
  for (const [, heading = ''] of plain.matchAll(/^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$/gm)) {
    const slug = slugOf(heading)
    let name = slug
    for (let number = 1; anchors.has(name); number++) name = `${slug}-${number}`
    anchors.add(name)
  }
  for (const [, name = ''] of plain.matchAll(/<[a-z]+\s[^>]*?\b(?:id|name)="([^"]+)"/gi)) anchors.add(name)
  return anchors
}

/**
 * The destinations of all links and images of a document, in their order, and the alternative text where one is an image.
 *
 * @type {(text: string) => readonly { readonly to: string, readonly alt?: string }[]}
 */
export function linksOf(text) {
  const plain = withoutFences(text)
    .replaceAll(/\\[\\`[\]()<>!]/g, '  ')
    .replaceAll(CODE, (code) => code.replaceAll(/[[\]()<>!]/g, ' '))
  const inline = [
    ...plain.matchAll(/(!?)\[((?:!\[[^\]]*\]\([^)]*\)|[^[\]])*)\]\(\s*<?([^\s)>]*)>?(?:\s+"[^"]*")?\s*\)/g),
  ]
  const nested = inline.flatMap(([, , label = '']) => (label.includes('![') ? linksOf(label) : []))
  const referred = [...plain.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s+"[^"]*")?\s*$/gm)]
  const tags = [...plain.matchAll(/<(a|img)\s([^>]*)>/gi)]
  return [
    ...inline.map(([, image, label = '', to = '']) => (image === '!' ? { to, alt: label } : { to })),
    ...nested,
    ...referred.map(([, to = '']) => ({ to })),
    ...tags.flatMap(([, tag = '', attributes = '']) => {
      const to = /\b(?:href|src)="([^"]*)"/i.exec(attributes)?.[1]
      if (to === undefined) return []
      return tag.toLowerCase() === 'img' ? [{ to, alt: /\balt="([^"]*)"/i.exec(attributes)?.[1] ?? '' }] : [{ to }]
    }),
  ]
}
