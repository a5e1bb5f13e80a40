import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { loadTool } from '../load.js'

/** Where and with what it was measured. */
export function surroundings() {
  return {
    date: new Date().toISOString(),
    command: `npm run bench -- tail ${process.argv.slice(3).join(' ')}`.trim(),
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      kernel: os.release(),
      cores: os.availableParallelism(),
      load: os.loadavg()[0],
    },
    versions: {
      reuseport: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
      commit: commit(),
      node: process.versions.node,
      uv: process.versions.uv,
      loadTool,
    },
  }
}

/** Undefined outside of a clone. @returns {string | undefined} */
function commit() {
  try {
    const setting = /** @type {const} */ ({ cwd: new URL('.', import.meta.url), encoding: 'utf8', stdio: 'pipe' })
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], setting).trim()
  } catch {
    return undefined
  }
}
