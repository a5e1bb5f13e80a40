// Pure: what the requests of a run say.
import { deviation, percentile } from '../statistics.js'

/**
 * `at`: when the request was to begin. `wait`: from then to the answer. `pid`: the worker that answered. `accepted`:
 * when it had accepted the connection. `port`: the client's. All times in ms of one clock.
 *
 * @typedef {{ at: number, wait: number, pid: number, accepted: number, port?: number } | { at: number, wait: number, failure: string }} Sample
 */

/** A time in which a worker accepted nothing. `held`: the ports of the clients that it had accepted. @typedef {{ pid: number, from: number, held?: ReadonlySet<number> }} Pause */

/**
 * Whether the worker had accepted the connection before it paused, and answered afterwards: nobody else could help.
 *
 * @param {Sample} sample
 * @param {readonly Pause[]} pauses
 */
export function isCaught(sample, pauses) {
  if ('failure' in sample) return false
  const { at, wait, pid, accepted, port = 0 } = sample
  return pauses.some(
    ({ pid: its, from, held }) =>
      its === pid && at + wait > from && (accepted <= from || (at <= from && (held?.has(port) ?? false))),
  )
}

/** @param {readonly Sample[]} samples */
export function waits(samples) {
  return samples.flatMap((sample) => ('failure' in sample ? [] : [sample.wait]))
}

/** How many had no answer, and how many of them because of the generator's patience. @param {readonly Sample[]} samples */
export function failures(samples) {
  const causes = samples.flatMap((sample) => ('failure' in sample ? [sample.failure] : []))
  return { failed: causes.length, timeouts: causes.filter((cause) => cause === 'timeout').length }
}

/**
 * The latencies of a run with pauses: of all requests, and of those that no pausing worker had accepted.
 *
 * @param {readonly Sample[]} samples
 * @param {readonly Pause[]} pauses
 */
export function latencies(samples, pauses) {
  const all = waits(samples)
  const free = waits(samples.filter((sample) => !isCaught(sample, pauses)))
  return {
    p50: percentile(all, 50),
    p95: percentile(all, 95),
    p99: percentile(all, 99),
    p999: percentile(all, 99.9),
    free999: percentile(free, 99.9),
    longestFree: Math.max(...free),
    deviation: deviation(all),
    caught: all.length - free.length,
    ...failures(samples),
  }
}

/**
 * The requests that were under way while a worker was missing.
 *
 * @param {readonly Sample[]} samples
 * @param {{ from: number, to: number }} gap
 */
export function during(samples, { from, to }) {
  return samples.filter(({ at, wait }) => at <= to && at + wait >= from)
}
