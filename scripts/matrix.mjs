// Runs the whole suite on each supported Node, or on those named: `npm run test:matrix -- 22 26`. Further words that are
// no version go to vitest.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { NODE_VERSIONS, nodeBinary } from './nodes.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const asked = words.filter((word) => word in NODE_VERSIONS)
const majors = asked.length > 0 ? asked : Object.keys(NODE_VERSIONS)
const rest = words.filter((word) => !(word in NODE_VERSIONS))

const results = majors.map((major) => {
  const node = nodeBinary(major)
  console.log(`\n=== Node ${NODE_VERSIONS[major]} ===`)
  const { status } = spawnSync(node, ['node_modules/vitest/vitest.mjs', 'run', ...rest], {
    cwd: root,
    stdio: 'inherit',
  })
  return { node: NODE_VERSIONS[major], passed: status === 0 }
})

console.log('')
for (const { node, passed } of results) console.log(`${passed ? '✓' : '✗'} Node ${node}`)
process.exit(results.every(({ passed }) => passed) ? 0 : 1)
