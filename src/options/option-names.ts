// Pure: unknown option names: which are refused, and what was probably meant.
import { ReusePortUnknownOptionError } from '../common/errors.js'

const LONGEST_NAME = 64

/**
 * Refuses an own key of `options` that is not in `known`. For objects that only this library reads. `path` is the prefix
 * of the keys: '' or, ending with a dot, 'socketOptions.'.
 */
export function refuseUnknownOptions(options: object, known: readonly string[], path = ''): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    // A name of another process may be as long as a message: comparing it would take long.
    const isLong = name.length > LONGEST_NAME
    const shown = isLong ? `${name.slice(0, LONGEST_NAME)}…` : name
    throw new ReusePortUnknownOptionError(`${path}${shown}`, isLong ? undefined : nearestName(name, known), known)
  }
}

/** The names of an object that Node reads too, and that may come from elsewhere with more in it. */
export interface SharedNames {
  readonly known: readonly string[]
  /** Names that Node accepts. They are never suggested. */
  readonly inert: readonly string[]
  /** What others call a known option. Refused where that option is missing: Node would ignore the value. */
  readonly aliases: Readonly<Record<string, string>>
}

/** Names of frameworks that look like a misspelling of an option. */
const COINCIDENCES: readonly string[] = ['callback', 'cost', 'hot', 'post', 'signals', 'sort']

/**
 * Refuses a misspelt key of `options`: an unknown name near a known one. Returns the other unknown names: Node ignores
 * them, and frameworks pass their own options in the same object.
 */
export function refuseMisspeltOptions(options: object, { known, inert, aliases }: SharedNames): readonly string[] {
  const unknown = Object.keys(options).filter((name) => !known.includes(name) && !inert.includes(name))
  for (const name of unknown) {
    if (COINCIDENCES.includes(name)) continue
    const alias = Object.hasOwn(aliases, name) ? aliases[name] : undefined
    const isElsewhere = alias !== undefined && (options as Record<string, unknown>)[alias] !== undefined
    const meant = isElsewhere ? undefined : (alias ?? misspeltName(name, known))
    if (meant !== undefined) throw new ReusePortUnknownOptionError(name, meant, known)
  }
  return unknown
}

/** The known name of which this one is a misspelling: one edit away, two of a long name, in any case of letters. */
export function misspeltName(name: string, known: readonly string[]): string | undefined {
  const edits = (candidate: string): number => {
    const most = candidate.length < 10 ? 1 : 2
    if (Math.abs(candidate.length - name.length) > most) return Number.POSITIVE_INFINITY
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    return distance > most ? Number.POSITIVE_INFINITY : distance
  }
  return nearestBy(edits, known, Number.POSITIVE_INFINITY)
}

/**
 * The known name that is the fewest edits away, as a suggestion. Undefined where no name is near: within 2 edits, or
 * within a third of the length of a longer name.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const edits = (candidate: string): number => slips(name.toLowerCase(), candidate.toLowerCase())
  return nearestBy(edits, known, Math.max(2, Math.floor(name.length / 3)) + 1)
}

function nearestBy(edits: (name: string) => number, known: readonly string[], below: number): string | undefined {
  let nearest: string | undefined
  let fewest = below
  for (const candidate of known) {
    const here = edits(candidate)
    if (here >= fewest) continue
    nearest = candidate
    fewest = here
  }
  return nearest
}

/** The edits between two names. A name that begins with the other ("hostname", "host") counts as one edit. */
function slips(name: string, candidate: string): number {
  const continues = name.length > 2 && (name.startsWith(candidate) || candidate.startsWith(name))
  return continues ? Math.min(1, editDistance(name, candidate)) : editDistance(name, candidate)
}

/** The Damerau-Levenshtein distance, computed row by row: letters added, left out, replaced, or swapped with the next. */
export function editDistance(from: string, to: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let line = 1; line <= from.length; line++) {
    const next = [line]
    for (let column = 1; column <= to.length; column++) {
      const at = (cells: readonly number[], index: number): number => cells[index] ?? 0
      const isSame = from[line - 1] === to[column - 1]
      const isSwapped = column > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1]
      const replaced = at(row, column - 1) + (isSame ? 0 : 1)
      const swapped = isSwapped ? at(before, column - 2) + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(replaced, swapped, at(row, column) + 1, at(next, column - 1) + 1))
    }
    before = row
    row = next
  }
  return row[to.length] ?? 0
}
