// Writes dist/reuseport.1.gz, the manual, from what the built command prints as its helps.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'rolldown'

const run = promisify(execFile)

/** A module of the sources that imports only such as are pure. */
async function loaded(root, name) {
  const { output } = await build({ input: path.join(root, `src/cli/${name}.ts`), write: false, logLevel: 'warn' })
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`)
}

/** The helps, by command, and with that of the command itself as `main`. */
async function helpsOf(root) {
  const helpOf = async (...args) =>
    (await run(process.execPath, [path.join(root, 'dist/cli/main.js'), ...args, '--help'])).stdout
  const main = await helpOf()
  const names = [...main.matchAll(/^ {2}([a-z]+)(?: \S+)* {2,}\S/gm)].map(([, name]) => name)
  const texts = await Promise.all(names.map((name) => helpOf(name)))
  return { main, helps: Object.fromEntries(names.map((name, index) => [name, texts[index]])) }
}

export async function writeManual(root) {
  const { manPage } = await loaded(root, 'man-page')
  const { description, version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const changelog = readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
  const [, date = ''] = /^## \S+ \((\d{4}-\d\d-\d\d)\)$/m.exec(changelog) ?? []
  // A summary on one line, which begins in lower case: man-pages(7).
  const summary = `${description[0].toLowerCase()}${description.slice(1)}`
  const page = manPage({ date, summary, version, ...(await helpsOf(root)) })
  writeFileSync(path.join(root, 'dist/reuseport.1.gz'), gzipSync(page, { level: 9 }))
}
