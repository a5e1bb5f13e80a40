import { readdirSync } from 'node:fs'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { median } from '../bench/statistics.js'

setFlagsFromString('--expose-gc')
/** @type {() => void} */
const collectGarbage = runInNewContext('gc')

/** The bytes of memory that this process has after a garbage collection. */
export function memory() {
  collectGarbage()
  return process.memoryUsage.rss()
}

export function descriptors() {
  return readdirSync('/proc/self/fd').length
}

/**
 * The bytes for each step: the median slope between any two looks (Theil and Sen). A few looks that are far off, such as
 * after V8 has taken or freed a page, do not move it.
 *
 * @type {(seen: readonly { at: number, bytes: number }[]) => number}
 */
export function medianSlope(seen) {
  return median(
    seen.flatMap(({ at, bytes }, index) =>
      seen.slice(index + 1).map((later) => (later.bytes - bytes) / (later.at - at)),
    ),
  )
}
