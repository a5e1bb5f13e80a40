// Pure: whether a file that changes is a reason to reload. Programs write files too, and what a program writes when it
// starts would reload it for ever. Nothing tells who wrote a file, but when it changes does: whenever workers start.

/** ms without a change before a reload, by the number of reloads in a row that this file has caused. */
const QUIET = [150, 1000, 3000, 8000] as const
const LONGEST_QUIET = 8000
/** ms: a wait that a person notices. */
const NOTICED = 3000
/** ms after the last worker has started or ended in which a change still counts as caused by that. */
const SETTLES = 1000
/** ms without a change, and without a reload, after which a change is the first in a row again. */
const FORGETS = 5000
/** Files that Node loads. */
const CODE = /\.(?:[cm]?[jt]s|[jt]sx|wasm|node)$/
/**
 * Reloads in a row by changes that all came while workers started. At one more such change the program itself writes the
 * file. A person may save code several times while workers start.
 */
const MOST = { code: 3, data: 1 } as const

interface Changing {
  readonly kind: keyof typeof MOST
  /** Reloads in a row that this file has caused. */
  rounds: number
  /** Those of them that were caused by changes while workers started. */
  roundsOfStarts: number
  changedAt: number
  /** The file waits for a reload. */
  isDue: boolean
  /** A change that waits came while no worker started. */
  isByOthers: boolean
  isOwn: boolean
}

/**
 * What a change means. 'often': the reload waits until the file has not changed for a longer time. 'own': the program
 * writes this file, so the change is no reason to reload.
 */
export type Verdict = 'reload' | 'often' | 'own'

/** All times are in ms, of one clock. */
export class Changes {
  readonly #files = new Map<string, Changing>()
  #isBusy = false
  #settledAt = Number.NEGATIVE_INFINITY

  /** Whether a worker starts or leaves. */
  busy(isBusy: boolean, now: number): void {
    if (this.#isBusy) this.#settledAt = now
    this.#isBusy = isBusy
  }

  changed(file: string, now: number): Verdict {
    const known = this.#get(file)
    const inStart = this.#isBusy || now < this.#settledAt + SETTLES
    if (!inStart && now >= Math.max(known.changedAt, this.#settledAt) + FORGETS) known.rounds = 0
    known.changedAt = now
    if (!inStart) known.isByOthers = true
    if (!known.isByOthers && known.roundsOfStarts >= MOST[known.kind]) known.isOwn = true
    // A person may well change code that a program has written.
    if (known.isOwn && (known.kind === 'data' || !known.isByOthers)) return 'own'
    known.isDue = true
    return quiet(known) >= NOTICED ? 'often' : 'reload'
  }

  /** From now on changes of this file are the program's own. */
  own(file: string): void {
    const known = this.#get(file)
    known.isOwn = true
    known.isDue = false
    known.isByOthers = false
    known.roundsOfStarts = MOST[known.kind]
  }

  get waiting(): readonly string[] {
    return [...this.#files].filter(([, { isDue }]) => isDue).map(([file]) => file)
  }

  /** When a reload is due; undefined where no file waits for one. */
  get dueAt(): number | undefined {
    const due = [...this.#files.values()].filter(({ isDue }) => isDue)
    // Files that change together, such as by a checkout, are one reason.
    const first = due.filter(({ rounds }) => rounds === 0).map(dueAt)
    const others = due.filter(({ rounds }) => rounds > 0).map(dueAt)
    const times = first.length > 0 ? [Math.max(...first), ...others] : others
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** Takes all files that wait, because a reload serves them all. */
  take(now: number): readonly string[] {
    const files = this.waiting
    for (const file of files) {
      const known = this.#get(file)
      // The other files have not caused this reload.
      if (dueAt(known) <= now) {
        known.rounds++
        if (!known.isOwn) known.roundsOfStarts = known.isByOthers ? 0 : known.roundsOfStarts + 1
      }
      known.isDue = false
      known.isByOthers = false
    }
    return files
  }

  #get(file: string): Changing {
    let known = this.#files.get(file)
    if (known === undefined) {
      const kind = CODE.test(file) ? 'code' : 'data'
      const changedAt = Number.NEGATIVE_INFINITY
      known = { kind, rounds: 0, roundsOfStarts: 0, changedAt, isDue: false, isByOthers: false, isOwn: false }
      this.#files.set(file, known)
    }
    return known
  }
}

function quiet({ rounds }: Changing): number {
  return QUIET[rounds] ?? LONGEST_QUIET
}

function dueAt(changing: Changing): number {
  return changing.changedAt + quiet(changing)
}
