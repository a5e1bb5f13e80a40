// Pure: which files of the compile cache are too many, and which programs have none.
import { isInspected, optionsIn } from './node-options.js'

export interface CacheFile {
  readonly name: string
  /** Bytes. */
  readonly size: number
  readonly mtimeMs: number
}

/** @returns where there are more than `most` bytes, the oldest files but for half of that: those of earlier releases. */
export function surplus(files: readonly CacheFile[], most: number): readonly string[] {
  const sum = (all: readonly CacheFile[]): number => all.reduce((bytes, { size }) => bytes + size, 0)
  if (sum(files) <= most) return []
  let left = most / 2
  return [...files]
    .sort((one, other) => other.mtimeMs - one.mtimeMs)
    .filter(({ size }) => {
      left -= size
      return left < 0
    })
    .map(({ name }) => name)
}

/** Of functions from a cache, V8 tells coverage less precisely; and a debugger should see what is compiled. */
export function isObserved(execArgv: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return Boolean(env['NODE_V8_COVERAGE']) || isInspected([...execArgv, ...optionsIn(env['NODE_OPTIONS'])])
}
