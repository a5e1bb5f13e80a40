// Examples with packages that are installed only for them, into .cache/packages, by the versions of their package.json.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestContext } from 'vitest'
import { exampleFile } from './example.js'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../.cache/packages', import.meta.url))
const DAY = 86_400_000 // ms

/** One of them each day. */
const BY_TURNS: readonly string[] = ['nestjs', 'trpc', 'apollo', 'opentelemetry']
/** Megabytes, as installed. */
const SIZES: Readonly<Record<string, number>> = { nestjs: 70, trpc: 4, apollo: 25, nextjs: 341, opentelemetry: 37 }
/** `all`, or names with commas in between. */
const asked = process.env['REUSEPORT_EXAMPLES']?.split(',')

function isChosen(name: string): boolean {
  // They run none of this project's code that others do not.
  if (process.env['REUSEPORT_COVERAGE'] !== undefined) return false
  if (asked !== undefined) return asked.includes('all') || asked.includes(name)
  return BY_TURNS[Math.floor(Date.now() / DAY) % BY_TURNS.length] === name
}

/**
 * The folder of a copy of the example with its packages. Skips the test where it is another example's turn, and where the registry
 * does not answer.
 */
export async function installedExample(name: string, { skip }: TestContext): Promise<string> {
  if (!isChosen(name)) skip(`not its turn (${SIZES[name]} MB of packages): REUSEPORT_EXAMPLES=${name} or all runs it`)
  const source = exampleFile(name)
  const manifest = readFileSync(path.join(source, 'package.json'))
  const hash = createHash('sha256').update(manifest).digest('hex').slice(0, 12)
  const folder = path.join(cache, `example-${name}@${hash}`)
  mkdirSync(folder, { recursive: true })
  cpSync(source, folder, { recursive: true })
  // npm writes this file last.
  if (existsSync(path.join(folder, 'node_modules/.package-lock.json'))) return folder
  const quiet = ['--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts=true', '--loglevel=error']
  try {
    await run('npm', ['install', '--prefix', folder, '--omit=peer', '--fetch-retries=1', ...quiet], { cwd: folder })
  } catch (error) {
    const { message } = error as Error
    if (!/ENOTFOUND|ECONN|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|network|E404|ETARGET/.test(message)) throw error
    skip(`the registry does not give its packages: ${message}`)
  }
  return folder
}

/** Runs a step that comes before the example, without network. */
export async function prepare(folder: string, file: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' }
  await run(process.execPath, [path.join(folder, 'node_modules', file), ...args], { cwd: folder, env })
}
