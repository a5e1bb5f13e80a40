// Pure: refuses an unknown option and suggests the name that is nearest to it.
import { ReusePortUnknownOptionError } from '../common/errors.js'

/**
 * Refuses an own key of `options` that is not among `known`, nor among the names that are `inert`: accepted, because Node
 * accepts them, and not worth suggesting. `path` is where `options` stands: '' or, with a dot at its end, 'socketOptions.'.
 */
export function refuseUnknownOptions(
  options: object,
  known: readonly string[],
  inert: readonly string[] = [],
  path = '',
): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name) || inert.includes(name)) continue
    throw new ReusePortUnknownOptionError(`${path}${name}`, nearestName(name, known), known)
  }
}

/** The name that takes the fewest edits to reach, where those are few enough to be a slip. */
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

/** A name that only goes on where the other ends ("hostname", "host") is as near as one slip. */
function slips(name: string, candidate: string): number {
  const continues = name.length > 2 && (name.startsWith(candidate) || candidate.startsWith(name))
  return continues ? Math.min(1, editDistance(name, candidate)) : editDistance(name, candidate)
}

/** Levenshtein's distance, a row at a time. */
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
