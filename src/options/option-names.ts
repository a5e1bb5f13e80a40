// Pure: refuses an unknown option and suggests the nearest known name.
import { ReusePortUnknownOptionError } from '../common/errors.js'

const LONGEST_NAME = 64

/**
 * Refuses an own key of `options` that is in neither `known` nor `inert`. Names in `inert` are accepted because Node
 * accepts them, but are never suggested. `path` is the prefix of the keys: '' or, ending with a dot, 'socketOptions.'.
 */
export function refuseUnknownOptions(
  options: object,
  known: readonly string[],
  inert: readonly string[] = [],
  path = '',
): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name) || inert.includes(name)) continue
    // A name of another process may be as long as a message: comparing it would take long.
    const isLong = name.length > LONGEST_NAME
    const shown = isLong ? `${name.slice(0, LONGEST_NAME)}…` : name
    throw new ReusePortUnknownOptionError(`${path}${shown}`, isLong ? undefined : nearestName(name, known), known)
  }
}

/**
 * The known name that is the fewest edits away. Undefined where no name is near enough for a typing error: within 2
 * edits, or within a third of the length of a longer name.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const edits = slips(name.toLowerCase(), candidate.toLowerCase())
    if (edits < fewest) {
      nearest = candidate
      fewest = edits
    }
  }
  return nearest
}

/** The edits between two names. A name that begins with the other ("hostname", "host") counts as one edit. */
function slips(name: string, candidate: string): number {
  const continues = name.length > 2 && (name.startsWith(candidate) || candidate.startsWith(name))
  return continues ? Math.min(1, editDistance(name, candidate)) : editDistance(name, candidate)
}

/** The Levenshtein distance, computed row by row. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [line, character] of [...from].entries()) {
    const next = [line + 1]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (character === to[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
