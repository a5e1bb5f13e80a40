// Node binaries of other versions, from the npm registry.
import path from 'node:path'
import { cachedPackage, FOREIGN } from './cached-package.mjs'

/** @type {Readonly<Record<number, string>>} */
export const NODE_VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' }

/**
 * The path of a Node binary of this major version; installs it where it is missing. Linux, x64 and arm64.
 *
 * @type {(major: number, arch?: string) => string}
 */
export function nodeBinary(major, arch = process.arch) {
  const version = NODE_VERSIONS[major]
  if (version === undefined) throw new RangeError(`There is no Node ${major} in the list`)
  const name = `node-linux-${arch}`
  if (process.platform !== 'linux') throw new Error(`There is no npm package with Node for ${process.platform} here`)
  return path.join(cachedPackage(name, version, arch === process.arch ? [] : FOREIGN), name, 'bin/node')
}
