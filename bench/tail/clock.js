import process from 'node:process'

/** Milliseconds of CLOCK_MONOTONIC, the same in all processes of a machine. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6
}
