// Room: loads the addon and describes its typed contract. It may import node and common.
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { AccessDeniedError } from '../common/errors.js'
import { NETWORK_DENIED, networkDenied } from '../node/permission.js'
import type { Addon } from './addon-contract.js'
import { explainMissingAddon } from './addon-failure.js'
import { isCutShort } from './addon-file.js'
import { permitted } from './permitted-addon.js'

/** The loaded addon, or the reason why the addon did not load and what to do. */
export type AddonState =
  | { readonly loaded: true; readonly addon: Addon; readonly binary?: string }
  | { readonly loaded: false; readonly reason: string; readonly cause: unknown }

let state: AddonState | undefined

/**
 * Loads the addon at the first call. A failure is cached with its cause, because another attempt would fail too. Where
 * Node's permission model denies the network there is no addon, because nearly all of it opens sockets without asking Node.
 */
export function loadAddon(): AddonState {
  if (networkDenied()) return { loaded: false, reason: NETWORK_DENIED, cause: new AccessDeniedError() }
  state ??= tryToLoad()
  return state
}

interface Loader {
  /** The binary that fits this system: in build/Release, where `reuseport build` puts it, or in prebuilds/. */
  resolve(root: string): string
}

function tryToLoad(): AddonState {
  try {
    const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)
    const binary = findBinary(require, packageFolder(fileURLToPath(import.meta.url)))
    return load(require, binary)
  } catch (cause) {
    return { loaded: false, reason: explainMissingAddon(cause, process), cause }
  }
}

/** This module is either a file of its own in `native/` or part of one file in `dist/`. */
function packageFolder(file: string): string {
  const folder = path.dirname(file)
  return path.resolve(folder, path.basename(folder) === 'native' ? '../..' : '..')
}

function findBinary(require: NodeJS.Require, root: string): string {
  try {
    const loader: Loader = require('node-gyp-build')
    return resolveIn(loader, require, root)
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_ACCESS_DENIED') throw cause
    // node-gyp-build looks for /etc/alpine-release. The permission model forbids that where it allows only the folder
    // of the package.
    return path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'reuseport.node')
  }
}

/** A bundler may have moved this module. The package with the binaries may still be installed. */
function resolveIn(loader: Loader, require: NodeJS.Require, root: string): string {
  try {
    return loader.resolve(root)
  } catch (cause) {
    let installed: string
    try {
      installed = path.dirname(require.resolve('reuseport/package.json'))
    } catch {
      throw cause
    }
    return loader.resolve(installed)
  }
}

function load(require: NodeJS.Require, binary: string): AddonState {
  if (isCutShort(binary)) throw Object.assign(new Error(`${binary}: file too short`), { code: 'ERR_DLOPEN_FAILED' })
  return { loaded: true, addon: permitted(require(binary)), binary }
}
