// Pure: when a worker has so many more open connections than another one that it passes new connections on.

/** The promise is 10 %; half of it leaves room for counts that are some ms old. */
const SHARE = 0.05

/** @param fewest The open connections of the worker with the fewest of them; undefined where there is no other worker. */
export function isAhead(open: number, fewest: number | undefined): boolean {
  return fewest !== undefined && open - fewest >= Math.max(2, Math.floor(open * SHARE))
}
