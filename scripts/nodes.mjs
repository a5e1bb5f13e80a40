// Node binaries of other versions, from the npm registry, kept in .cache/.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/nodes', import.meta.url))

/** @type {Readonly<Record<number, string>>} */
export const NODE_VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' }

/**
 * The path of a Node binary of this major version; installs it where it is missing. Linux, x64 and arm64.
 *
 * @type {(major: number) => string}
 */
export function nodeBinary(major) {
  const version = NODE_VERSIONS[major]
  if (version === undefined) throw new RangeError(`There is no Node ${major} in the list`)
  const name = `node-linux-${process.arch}`
  if (process.platform !== 'linux') throw new Error(`There is no npm package with Node for ${process.platform} here`)
  const folder = path.join(cache, version)
  const binary = path.join(folder, 'node_modules', name, 'bin/node')
  if (existsSync(binary)) return binary
  console.error(`Installing ${name}@${version} …`)
  mkdirSync(folder, { recursive: true })
  execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return binary
}
