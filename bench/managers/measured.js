// Pure: what the samples of a run say about a time in which workers came and went.
import { percentile } from '../statistics.js'

/** @typedef {import('./client.js').Sample} Sample */
/** On the clock of now(). @typedef {{ from: number, to: number }} Span */

/** The requests that were under way at some time of the span. @param {readonly Sample[]} samples @param {Span} span */
export function during(samples, { from, to }) {
  return samples.filter(({ at, wait }) => at <= to && at + wait >= from)
}

/** @param {readonly Sample[]} samples */
function failed(samples) {
  return samples.flatMap((sample) => ('failure' in sample ? [sample] : []))
}

/** How many failed, and how many of these because the client waited in vain. @param {readonly Sample[]} samples */
export function failures(samples) {
  const all = failed(samples)
  return { failed: all.length, timeouts: all.filter(({ failure }) => failure === 'timeout').length }
}

/** What answered requests have waited: NaN where none was answered. @param {readonly Sample[]} samples */
export function waitsOf(samples) {
  const waits = samples.flatMap((sample) => ('failure' in sample ? [] : [sample.wait]))
  return { longest: waits.length === 0 ? Number.NaN : Math.max(...waits), p99: percentile(waits, 99) }
}

/**
 * What a reload did to the clients.
 *
 * @param {readonly Sample[]} samples
 * @param {Span} span
 */
export function reloadValues(samples, span) {
  const later = samples.filter(({ at, wait }) => at + wait >= span.from)
  return {
    ...waitsOf(during(samples, span)),
    ...failures(later),
    raced: failed(later).filter(({ isReused }) => isReused).length,
  }
}

/**
 * What one kill did to the clients. `accepted`: the ports of those whose connections the killed worker had accepted.
 *
 * @param {readonly Sample[]} samples
 * @param {Span & { accepted: ReadonlySet<number> }} kill
 */
export function killValues(samples, { from, to, accepted }) {
  const affected = during(samples, { from, to })
  const others = affected.filter(({ port }) => !accepted.has(port))
  return {
    longest: waitsOf(others).longest,
    failedAccepted: failed(affected).length - failed(others).length,
    failedOthers: failed(others).length,
  }
}

/** @typedef {Readonly<Record<string, number>>} Values */

/**
 * The sums over the rounds: a median of counts of what is rare says 0.
 *
 * @param {readonly Values[]} rounds
 * @param {readonly string[]} names
 */
export function sums(rounds, names) {
  return Object.fromEntries(names.map((name) => [name, rounds.reduce((sum, values) => sum + (values[name] ?? 0), 0)]))
}

/**
 * Failures for each so many connections and leaves, over all rounds.
 *
 * @param {readonly Values[]} rounds With `failed`, `timeouts`, `connections` and `leaves`.
 */
export function losses(rounds) {
  const all = sums(rounds, ['failed', 'timeouts', 'connections', 'leaves'])
  const { failed = 0, connections = 0, leaves = 0 } = all
  return {
    ...all,
    perMillion: (failed / connections) * 1e6,
    perThousandLeaves: (failed / leaves) * 1000,
  }
}
