// Packages of the npm registry that only some commands need, and that are large: kept in .cache/, not in node_modules/.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/packages', import.meta.url))

/** Options of npm for a package that says it is not for this machine. */
export const FOREIGN = ['--force', '--loglevel=error']

/**
 * The node_modules folder with this version of a package in it; installs it where it is missing.
 *
 * @type {(name: string, version: string, options?: readonly string[]) => string}
 */
export function cachedPackage(name, version, options = []) {
  const folder = path.join(cache, `${name.replaceAll('/', '+')}@${version}`)
  const modules = path.join(folder, 'node_modules')
  if (existsSync(path.join(modules, name, 'package.json'))) return modules
  console.error(`Installing ${name}@${version} …`)
  mkdirSync(folder, { recursive: true })
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts=true']
  execFileSync('npm', ['install', '--prefix', folder, ...quiet, ...options, `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return modules
}
