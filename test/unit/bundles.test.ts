// The JavaScript of the package: what has state stands in one file, whichever entry points a process loads.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const maps = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js.map'))

test('no source is in two files', () => {
  const sources = maps.flatMap((name) => {
    const map = JSON.parse(readFileSync(dist + name, 'utf8')) as { readonly sources: readonly string[] }
    return map.sources.map((source) => source.replace(/^(\.\.\/)+/, ''))
  })
  expect(sources).toContain('src/node/emit-hook.ts')
  expect(sources.filter((name, index) => sources.indexOf(name) !== index)).toEqual([])
})

test('there are no other modules than those of the package', () => {
  const modules = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
  const needed = readFileSync(new URL('../../scripts/package/contents.mjs', import.meta.url), 'utf8')
  expect(modules.filter((name) => !needed.includes(`'dist/${name}'`))).toEqual([])
})
