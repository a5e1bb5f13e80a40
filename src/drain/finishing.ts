// What the clients of a listener that leaves have begun: handshakes, and connections in its accept queue.
import { count, countWere } from '../common/count.js'
import type { SystemFailure } from '../common/errors.js'
import { Deadline, nextTurn, pause } from '../common/waiting.js'
import type { DepartureTimes, Leaver } from './leaver.js'
import { type LeavingListener, textOf } from './leaving-listener.js'
import { ACCEPT_TIMEOUT } from './times.js'

/** ms between two checks of a condition that the drain waits for. */
export const POLL_INTERVAL = 10

export interface Awaited {
  readonly awaited: number
  readonly losses: readonly string[]
  /** What the server has not accepted. It is lost with the listener, unless the kernel moves it. */
  readonly unfinished: readonly string[]
  /** Connections in the accept queue at the last look. */
  readonly waiting: number
}

/** Finishes what has begun by now. Later connections go to other members or get no answer. */
export async function finish(listener: LeavingListener, leaver: Leaver, times: DepartureTimes): Promise<Awaited> {
  let begun = await listener.handshakes()
  // Another descriptor may become free.
  await waitWhile('errno' in begun ? times.handshakeTimeout : 0, times, async () => {
    begun = await listener.handshakes()
    return 'errno' in begun && leaver.isListening()
  })
  const seen = 'errno' in begun ? new Set<string>() : begun
  const open = await finishHandshakes(listener, seen, leaver, times)
  const waiting = await emptyQueue(listener, leaver, times)
  return {
    awaited: seen.size,
    losses: [
      ...('errno' in begun ? [`handshakes may be lost: the kernel did not list them (${textOf(begun)})`] : []),
      ...(typeof waiting === 'number'
        ? []
        : [`connections in the accept queue may be lost: the kernel did not count them (${textOf(waiting)})`]),
    ],
    unfinished: [...(open > 0 ? [`${count(open, 'handshake')} that the clients had not finished`] : [])],
    waiting: typeof waiting === 'number' ? waiting : 0,
  }
}

/** What the server has not accepted, each as the subject of a sentence. */
export function unfinishedOf({ unfinished, waiting }: Awaited): readonly string[] {
  return waiting > 0 ? [...unfinished, `${countWere(waiting, 'connection', 'that ')} not yet accepted`] : unfinished
}

/** @returns how many of the handshakes are still open when `handshakeTimeout` ends. */
async function finishHandshakes(
  listener: LeavingListener,
  begun: ReadonlySet<string>,
  leaver: Leaver,
  times: DepartureTimes,
): Promise<number> {
  let open = begun
  await waitWhile(open.size === 0 ? 0 : times.handshakeTimeout, times, async () => {
    const now = await listener.handshakes()
    if (!('errno' in now)) open = new Set([...open].filter((handshake) => now.has(handshake)))
    return open.size > 0 && leaver.isListening()
  })
  return open.size
}

/** Waits until the accept queue is empty. @returns how many connections are left in it when the time is over. */
export async function emptyQueue(
  listener: LeavingListener,
  leaver: Leaver,
  times: DepartureTimes,
  timeout: number = ACCEPT_TIMEOUT,
): Promise<number | SystemFailure> {
  const deadline = new Deadline(timeout, times.signal)
  for (;;) {
    deadline.assertNotAborted()
    const waiting = listener.waiting()
    if (typeof waiting !== 'number' || waiting === 0 || !leaver.isListening() || deadline.left() === 0) return waiting
    await nextTurn()
  }
}

/** Waits while `condition` returns true, at most `ms`. Checks it now and every POLL_INTERVAL ms. */
export async function waitWhile(
  ms: number,
  { signal }: DepartureTimes,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = new Deadline(ms, signal)
  while ((await condition()) && deadline.left() > 0) {
    deadline.assertNotAborted()
    await deadline.race(pause(Math.min(POLL_INTERVAL, deadline.left())))
  }
}
