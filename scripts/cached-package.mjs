// Large npm packages that only some commands need. They are kept in .cache/ instead of node_modules/.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/packages', import.meta.url))

/** Options for npm to install a package whose manifest (`os`, `cpu`) excludes this machine. */
export const FOREIGN = ['--force', '--loglevel=error']

/**
 * The path of a node_modules folder that contains this version of a package. Installs a package that is missing.
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
