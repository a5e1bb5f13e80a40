// Vitest's own provider of coverage, which leaves out what tests import from dist/: that is written down beside what the
// processes of the tests tell (scripts/coverage.mjs).
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import v8 from '@vitest/coverage-v8'

let taken = 0

const provider = {
  ...v8,
  async takeCoverage(options) {
    const { result } = await v8.takeCoverage(options)
    const isBuilt = ({ url }) => url.includes('/dist/')
    const file = path.join(process.env.NODE_V8_COVERAGE ?? '', `coverage-tests-${process.pid}-${taken++}.json`)
    writeFileSync(file, JSON.stringify({ result: result.filter(isBuilt) }))
    return { result: result.filter((entry) => !isBuilt(entry)) }
  },
}

// biome-ignore lint/style/noDefaultExport: what Vitest imports
export default provider
