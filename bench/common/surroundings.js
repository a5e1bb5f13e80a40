import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'

/** Where it was measured. */
export function machine() {
  return {
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    kernel: os.release(),
    load: os.loadavg()[0] ?? Number.NaN,
  }
}

/** What was measured. `commit` is undefined outside of a clone. */
export function ownVersions() {
  return {
    reuseport: JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version,
    commit: commit(),
  }
}

/** @returns {string | undefined} */
function commit() {
  try {
    const setting = /** @type {const} */ ({ cwd: new URL('.', import.meta.url), encoding: 'utf8', stdio: 'pipe' })
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], setting).trim()
  } catch {
    return undefined
  }
}
