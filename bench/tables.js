// Writes the tables of the documents anew from bench/results. `npm run bench -- tables`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withTables } from './common/markdown.js'

/** Where tables may be, as paths from the root. */
export const DOCUMENTS = ['README.md', 'docs/benchmarks.md']

const root = new URL('../', import.meta.url)

/** What was saved under this name; undefined where nothing was. @param {string} name */
function resultOf(name) {
  const file = new URL(`bench/results/${name}.json`, root)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** A document as it is, and as it is to be. Throws where a marker has no result. @param {string} name */
export function documentOf(name) {
  const file = fileURLToPath(new URL(name, root))
  const text = readFileSync(file, 'utf8')
  return { file, text, rendered: withTables(text, resultOf) }
}

export function writeTables() {
  for (const name of DOCUMENTS) {
    const { file, text, rendered } = documentOf(name)
    if (text !== rendered) writeFileSync(file, rendered)
    console.log(`${name}: ${text === rendered ? 'as it was' : 'written'}`)
  }
}
