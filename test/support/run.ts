import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Runs a program to its end and gives what it printed. Fails where it fails. */
export function runText(path: string, flags: readonly string[] = [], args: readonly string[] = []): string {
  return execFileSync(process.execPath, ['--no-warnings', ...flags, path, ...args], { encoding: 'utf8' })
}

/** Runs a program of test/fixtures to its end and reads what it printed as JSON. */
export function runJson<T>(fixture: string, flags: readonly string[] = [], args: readonly string[] = []): T {
  return JSON.parse(runText(fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url)), flags, args)) as T
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

export const NODE_MAJOR: number = major

/** Whether this Node has `reusePort`: from 22.12 on. */
export const NODE_SHARES: boolean = major > 22 || (major === 22 && minor >= 12)
