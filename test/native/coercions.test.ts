// What the C++ may ask of Node while a thread is terminated.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const sources = fileURLToPath(new URL('../../src-native', import.meta.url))

test('no argument is coerced: in a thread that is being terminated such a call fails, and node-addon-api aborts', () => {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(cc|h)$/.test(file))
  expect(files.length).toBeGreaterThan(50)
  const coercing = files.filter((file) =>
    /\.To(?:String|Number|Boolean|Object)\(\)/.test(readFileSync(path.join(sources, file), 'utf8')),
  )
  expect(coercing).toEqual([])
})
