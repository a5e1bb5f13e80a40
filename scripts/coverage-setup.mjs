// Vitest's report covers src/ only. This writes the coverage of the modules that tests import from dist/ beside the
// reports of the tests' processes (scripts/coverage.mjs).
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import v8 from '@vitest/coverage-v8'
import './coverage-preload.cjs'

const { takeCoverage } = v8
let taken = 0

v8.takeCoverage = async (options) => {
  const { result } = await takeCoverage(options)
  const isBuilt = ({ url }) => url.includes('/dist/')
  const file = path.join(process.env.REUSEPORT_COVERAGE ?? '', `coverage-tests-${process.pid}-${taken++}.json`)
  writeFileSync(file, JSON.stringify({ result: result.filter(isBuilt) }))
  return { result: result.filter((entry) => !isBuilt(entry)) }
}
