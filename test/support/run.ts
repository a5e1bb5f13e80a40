import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs a program of test/fixtures to its end and gives what it printed, read as JSON. */
export function runJson<T>(fixture: string, flags: readonly string[] = [], args: readonly string[] = []): T {
  const path = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url))
  return JSON.parse(
    execFileSync(process.execPath, ['--no-warnings', ...flags, path, ...args], { encoding: 'utf8' }),
  ) as T
}

export const NODE_MAJOR: number = Number.parseInt(process.versions.node, 10)
