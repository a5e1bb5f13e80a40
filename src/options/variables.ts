// Pure: the environment variables that a user sets for the preload and the supervisor.
import { misspeltName } from './option-names.js'

const VARIABLES: readonly string[] = ['REUSEPORT_PORTS', 'REUSEPORT_FALLBACK']

/** A sentence for each variable whose name is a misspelling. */
export function misspeltVariables(environment: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(environment).flatMap((name) => {
    const meant = VARIABLES.includes(name) ? undefined : misspeltName(name, VARIABLES)
    if (meant === undefined) return []
    return [`the environment variable ${JSON.stringify(name)} has no effect: did you mean ${meant}?`]
  })
}
