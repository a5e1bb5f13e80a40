import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Why no network namespace can be made here; undefined where one can. */
export function whyNoNamespace(): string | undefined {
  const { status, stderr, error } = spawnSync('unshare', ['-rn', 'true'], { encoding: 'utf8' })
  return status === 0 ? undefined : `no network namespace can be made here: ${error?.message ?? stderr.trim()}`
}

/** Runs a program of test/fixtures in a network namespace of its own, as root of it, and reads what it printed as JSON. */
export function runInNamespace<T>(fixture: string): T {
  const path = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url))
  return JSON.parse(execFileSync('unshare', ['-rn', process.execPath, path], { encoding: 'utf8' })) as T
}
