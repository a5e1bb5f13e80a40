// The fenced blocks of the documentation.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { documentsOf } from '../../scripts/links.mjs'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** Those that a person has written. */
export const documents: readonly string[] = documentsOf(root).filter(
  (document) => !document.startsWith('docs/reference/'),
)

export interface Snippet {
  /** The document and the line of the fence. */
  readonly name: string
  readonly document: string
  /** The word after the fence; '' where there is none. */
  readonly language: string
  readonly code: string
}

export const snippets: readonly Snippet[] = documents.flatMap((document) => {
  const text = readFileSync(path.join(root, document), 'utf8')
  return [...text.matchAll(/^( *)```(.*)\n((?:.*\n)*?) *```$/gm)].map(
    ({ 1: indent = '', 2: language = '', 3: code = '', index }) => ({
      name: `${document}:${text.slice(0, index).split('\n').length}`,
      document,
      language: language.trim(),
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  )
})

export const snippetsIn = (...languages: readonly string[]): readonly Snippet[] =>
  snippets.filter(({ language }) => languages.includes(language))

/** The name that a snippet gives itself by its first line, such as `// server.js`. */
export const fileOf = ({ code }: Snippet): string | undefined =>
  /^(?:\/\/|#) ((?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)+|Dockerfile)$/m.exec(code.split('\n', 1)[0] ?? '')?.[1]
