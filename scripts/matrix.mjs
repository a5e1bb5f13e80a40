// Runs the whole suite on each supported Node version, or only on the given ones: `npm run test:matrix -- 22 20.19.0`. The
// word `internals` leaves out what does not depend on the version. All other words are arguments of vitest.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NODE_VERSIONS, nodeBinary, nodeVersion } from './nodes.mjs'

/** The tests of what Node keeps to itself, of its flags, threads, `cluster` and IPC, and of real programs. */
const INTERNALS = [
  ...['conformance', 'datagram', 'drain', 'listen', 'node', 'supervised'].map((room) => `test/${room}/`),
  ...[
    'channels',
    'cluster',
    'descriptors',
    'exits',
    'flags',
    'frameworks',
    'kept-queues',
    'register',
    'require',
    'threads',
  ].map((name) => `test/integration/${name}`),
  ...['as-in-cluster', 'balanced', 'datagrams', 'hand-over', 'paths', 'queue-keeper', 'starts', 'supervisor.test'].map(
    (name) => `test/supervisor/${name}`,
  ),
  'test/native/loading',
]

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const asked = words.filter((word) => nodeVersion(word) !== undefined)
const majors = asked.length > 0 ? asked : Object.keys(NODE_VERSIONS)
const others = words.filter((word) => nodeVersion(word) === undefined)
const rest = others.flatMap((word) => (word === 'internals' ? INTERNALS : [word]))

const folder = mkdtempSync(join(tmpdir(), 'reuseport-matrix-'))
const results = majors.map((major) => {
  const node = nodeBinary(major)
  const report = join(folder, `${major}.json`)
  console.log(`\n=== Node ${nodeVersion(major)} ===`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const { status } = spawnSync(node, ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...rest], {
    cwd: root,
    stdio: 'inherit',
  })
  return { node: nodeVersion(major), passed: status === 0, failures: status === 0 ? [] : failuresIn(report) }
})
rmSync(folder, { recursive: true })

// The summary is printed last, because the output of the first versions may have scrolled away.
console.log('')
for (const { node, passed, failures } of results) {
  console.log(`${passed ? '✓' : '✗'} Node ${node}`)
  for (const failure of failures) console.log(`    ${failure}`)
}
process.exit(results.every(({ passed }) => passed) ? 0 : 1)

/** The tests that failed, each with the first line of its error. */
function failuresIn(report) {
  let files
  try {
    files = JSON.parse(readFileSync(report, 'utf8')).testResults
  } catch {
    return ['(vitest ended without a report)']
  }
  const firstLine = (text) => String(text ?? '').split('\n', 1)[0]
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name)
    const failed = assertionResults.filter((one) => one.status === 'failed')
    if (status === 'failed' && failed.length === 0) return [`${file}: ${firstLine(message)}`]
    return failed.map((one) => `${file} > ${one.fullName}: ${firstLine(one.failureMessages[0])}`)
  })
}
