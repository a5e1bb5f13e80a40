// Node binaries of the supported versions, from the npm registry.
import path from 'node:path'
import { cachedPackage, FOREIGN } from './cached-package.mjs'

/** @type {Readonly<Record<number, string>>} */
export const NODE_VERSIONS = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' }

/**
 * The version that is meant by a supported major version, or by itself; undefined for anything else.
 *
 * @type {(asked: number | string) => string | undefined}
 */
export function nodeVersion(asked) {
  return NODE_VERSIONS[Number(asked)] ?? (/^\d+\.\d+\.\d+$/.test(String(asked)) ? String(asked) : undefined)
}

/**
 * The path of a Node binary of this version, as `nodeVersion` takes it. Installs a binary that is missing. Linux, x64 and arm64.
 *
 * @type {(asked: number | string, arch?: string) => string}
 */
export function nodeBinary(asked, arch = process.arch) {
  const version = nodeVersion(asked)
  if (version === undefined)
    throw new RangeError(`Node ${asked} is not one of the supported versions: ${Object.keys(NODE_VERSIONS).join(', ')}`)
  const name = `node-linux-${arch}`
  if (process.platform !== 'linux')
    throw new Error(`Node binaries are only installed for Linux, not for ${process.platform}`)
  return path.join(cachedPackage(name, version, arch === process.arch ? [] : FOREIGN), name, 'bin/node')
}
