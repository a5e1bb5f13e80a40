// Takes the padding out of tables in Markdown, which Biome would put in: the documents are in the package, whose size counts. `--check` only names those that have some.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { documentsOf } from './links.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const isCheck = process.argv.includes('--check')

/** These are as a program writes them, and compared with what it writes. */
const WRITTEN_BY_PROGRAMS = ['docs/reference/', 'docs/benchmarks.md', 'docs/socket-options.md']

/** Rows in fenced code stay as they are. */
function withoutPadding(text) {
  let isCode = false
  return text
    .split('\n')
    .map((line) => {
      if (/^ *(```|~~~)/.test(line)) isCode = !isCode
      if (isCode || !line.startsWith('|')) return line
      return line.replaceAll(/ {2,}\|/g, ' |').replaceAll(/(?<=\| :?)-{4,}(?=:? \|)/g, '---')
    })
    .join('\n')
}

for (const document of documentsOf(root)) {
  const file = path.join(root, document)
  const text = readFileSync(file, 'utf8')
  const short = withoutPadding(text)
  if (short === text || WRITTEN_BY_PROGRAMS.some((name) => document.startsWith(name))) continue
  if (!isCheck) writeFileSync(file, short)
  else {
    console.error(`${document} has padded tables: \`npm run format\` mends them.`)
    process.exitCode = 1
  }
}
