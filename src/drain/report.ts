// Pure: what a drain reports.
import { countWere } from '../common/count.js'
import type { Departure } from './departure.js'
import type { DrainReport } from './drain-types.js'
import type { Ending } from './ending.js'

export interface Drained {
  readonly departure: Departure
  readonly ending: Ending
  readonly accepted: number
  readonly duration: number
}

export function toReport({ departure, ending, accepted, duration }: Drained): DrainReport {
  const { method, reason, handshakesAwaited } = departure
  const losses = [...departure.losses, ...lossesOf(ending)]
  return {
    lossless: losses.length === 0,
    method,
    reason: reasonOf(losses, ending.listensAgain ? reasonOf([AGAIN], reason) : reason),
    acceptedWhileDraining: accepted,
    handshakesAwaited,
    connectionsClosed: ending.closed,
    connectionsDestroyed: ending.destroyed,
    connectionsLeft: ending.left,
    duration,
  }
}

/** What was lost comes first: it is what a reader has to act on. */
export function reasonOf(losses: readonly string[], reason: string | undefined): string | undefined {
  return [...losses, reason].filter(Boolean).join('; ') || undefined
}

const AGAIN = 'the program listens again, and its connections are left to it'

function lossesOf({ destroyed, left, listensAgain }: Ending): readonly string[] {
  const losses: string[] = []
  if (destroyed > 0) losses.push(`${countWere(destroyed, 'connection')} destroyed at connectionTimeout`)
  if (left > 0 && !listensAgain) {
    losses.push(
      `${countWere(left, 'connection')} not found at connectionTimeout and stayed open: Node does not list connections that the program has unref()ed`,
    )
  }
  return losses
}
