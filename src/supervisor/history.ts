// Pure: what has become of the workers of each slot, and of reloads.
import { LONGEST_TEXT } from './control-fields.js'
import { describeCause, type ExitCause } from './exit-cause.js'
import type { WorkerExit } from './launch.js'

/** The end of a worker. */
export interface LastExit {
  /** An `ExitCause`. Another version may know more of them. */
  readonly cause: string
  /** The rest of a sentence that begins with the name of the worker. */
  readonly reason: string
  readonly pid: number
  readonly generation: number
  /** ISO 8601. */
  readonly at: string
}

/** What has become of the workers of a slot, since the supervisor started. */
export interface SlotHistory {
  readonly slot: number
  /** How often a worker was started because the one before it had died. */
  readonly restarts: number
  /** How often a worker has ended, by cause. */
  readonly exits: Readonly<Partial<Record<ExitCause, number>>>
  /** The last worker that ended without being told to, or not in time; missing where there was none. */
  readonly lastExit?: LastExit
}

/** The last reload that has ended. */
export interface LastReload {
  readonly generation: number
  /** Its end, in ISO 8601. */
  readonly at: string
  /** ms; missing where it failed. */
  readonly duration?: number
  /** Why it failed; missing where it did not. */
  readonly failure?: string
}

interface Entry {
  restarts: number
  readonly exits: Partial<Record<ExitCause, number>>
  lastExit: LastExit | undefined
}

export class History {
  readonly #slots = new Map<number, Entry>()
  lastReload: LastReload | undefined

  exited(
    { slot, pid, generation }: Pick<LastExit, 'pid' | 'generation'> & { readonly slot: number },
    exit: WorkerExit & { readonly cause: ExitCause },
    at: Date,
  ): void {
    const { cause } = exit
    const entry = this.#entry(slot)
    entry.exits[cause] = (entry.exits[cause] ?? 0) + 1
    if (cause === 'told') return
    entry.lastExit = {
      cause,
      reason: describeCause(cause, exit).slice(0, LONGEST_TEXT),
      pid,
      generation,
      at: at.toISOString(),
    }
  }

  restarted(slot: number): void {
    this.#entry(slot).restarts++
  }

  /** @param outcome ms, or why it failed. */
  reloaded(generation: number, outcome: number | Error, at: Date): void {
    const told =
      typeof outcome === 'number'
        ? { duration: Math.round(outcome) }
        : { failure: outcome.message.slice(0, LONGEST_TEXT) }
    this.lastReload = { generation, at: at.toISOString(), ...told }
  }

  of(slot: number): SlotHistory {
    const { exits, lastExit, restarts } = this.#slots.get(slot) ?? { exits: {}, restarts: 0, lastExit: undefined }
    return { slot, restarts, exits: { ...exits }, ...(lastExit !== undefined && { lastExit }) }
  }

  #entry(slot: number): Entry {
    const known = this.#slots.get(slot)
    if (known !== undefined) return known
    const entry: Entry = { restarts: 0, exits: {}, lastExit: undefined }
    this.#slots.set(slot, entry)
    return entry
  }
}
