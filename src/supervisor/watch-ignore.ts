// Pure: which files `watch` leaves out, by name, path or pattern.

/** A function of the path of a file, from the watched folder and with `/`. A folder that is left out is not entered. */
export type Ignored = (file: string) => boolean

/**
 * A pattern without `/` is for names in any folder, any other pattern for paths from `folder`. `*` stands for characters
 * except `/`, `**` for any number of folders, `?` for one character, `[ab]` for one of these, `{a,b}` for either.
 * Names with a leading dot and `node_modules` are always left out.
 *
 * @param patterns With `/` between folders. Absolute ones must begin with `folder`.
 */
export function toIgnored(patterns: readonly string[], folder: string): Ignored {
  const all = patterns.map((pattern) => toTest(relative(pattern, folder)))
  return (file) => {
    const names = file.split('/')
    if (names.some(isIgnoredName)) return true
    // A pattern that matches a folder is for everything below that folder.
    const paths = names.map((_, index) => names.slice(0, index + 1).join('/'))
    return all.some((matches) => paths.some(matches))
  }
}

function isIgnoredName(name: string): boolean {
  return name === 'node_modules' || name.startsWith('.')
}

function relative(pattern: string, folder: string): string {
  const own = folder.endsWith('/') ? folder : `${folder}/`
  const path = pattern.startsWith(own) ? `/${pattern.slice(own.length)}` : pattern
  // A leading slash keeps a pattern of one name from being one for any folder, as in a .gitignore.
  return path.replace(/^\.\//, '/').replace(/\/+$/, '')
}

function toTest(pattern: string): Ignored {
  const isPath = pattern.includes('/')
  const literal = pattern.replace(/^\//, '')
  const glob = new RegExp(`^${toExpression(literal)}$`, 's')
  return (file) => {
    const subject = isPath ? file : file.slice(file.lastIndexOf('/') + 1)
    return subject === literal || glob.test(subject)
  }
}

const PARTS = /\*\*\/|\*\*|\*|\?|\[[^\]/]+\]|\{[^{}]*\}|[\s\S]/gu

function toExpression(glob: string): string {
  return glob.replaceAll(PARTS, (part) => {
    if (part === '**/') return '(?:[^/]+/)*'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.length > 1 && part.startsWith('['))
      return `[${part
        .slice(1, -1)
        .replace(/^!/, '^')
        .replaceAll(/[\\\]]/g, '\\$&')}]`
    if (part.length > 1 && part.startsWith('{'))
      return `(?:${part.slice(1, -1).split(',').map(toExpression).join('|')})`
    return part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  })
}
