// Pure: whether a worker is ready, by what the register knows.
import type { SocketEntry, WorkerEntry } from './register-entries.js'

type Sockets = ReadonlyMap<string, SocketEntry>

/** Whether the worker accepts anywhere. */
export function accepts(sockets: Sockets, name: string, worker: WorkerEntry | undefined): boolean {
  if (worker === undefined || worker.state === 'leaving') return false
  return worker.hasNested || placesOf(sockets, name).size > 0
}

/**
 * Whether the program said so, or the worker accepts at each place where its predecessor accepts now (without a
 * predecessor: at each place that waits).
 *
 * @param before The ready worker of its slot.
 */
export function isReady(
  sockets: Sockets,
  name: string,
  worker: WorkerEntry | undefined,
  before: string | undefined,
): boolean {
  if (worker === undefined || worker.state === 'leaving') return false
  if (worker.saidReady) return true
  if (!accepts(sockets, name, worker)) return false
  const required = before === undefined ? placesWaiting(sockets, worker.slot) : placesOf(sockets, before)
  const own = placesOf(sockets, name)
  return [...required].every(([place, count]) => (own.get(place) ?? 0) >= count)
}

/** How many servers of the worker accept at each place. */
function placesOf(sockets: Sockets, worker: string): ReadonlyMap<string, number> {
  return counted([...sockets.values()].map(({ accepting, place }) => [place, accepting.get(worker) ?? 0]))
}

/** How many sockets at each place wait for the next worker of the slot. */
function placesWaiting(sockets: Sockets, slot: number): ReadonlyMap<string, number> {
  const waits = (one: SocketEntry): boolean =>
    one.waits && (one.slot === slot || (one.slot === undefined && one.accepting.size === 0))
  return counted([...sockets.values()].map((one) => [one.place, waits(one) ? 1 : 0]))
}

function counted(places: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>()
  for (const [place, count] of places) if (count > 0) all.set(place, (all.get(place) ?? 0) + count)
  return all
}
