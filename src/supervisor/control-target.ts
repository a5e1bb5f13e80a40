// Pure: which supervisor a word of a user names.
import type { SupervisorStatus } from './control-protocol.js'

/** What is known of a supervisor that may be meant. */
export type Candidate = Pick<SupervisorStatus, 'pid' | 'script' | 'places' | 'workers'>

/**
 * Those that the word may name: a pid; otherwise a port on which workers listen (`:8080` is never a pid); otherwise the
 * script, by its path, the end of it, its name, or its name without the extension.
 *
 * @param word Undefined: all.
 */
export function named<T extends Candidate>(word: string | undefined, all: readonly T[]): readonly T[] {
  if (word === undefined) return all
  const [, colon, digits] = /^(:?)(\d{1,10})$/.exec(word) ?? []
  if (digits === undefined) return all.filter((one) => isScript(word, one))
  const number = Number(digits)
  const byPid = colon === '' ? all.filter(({ pid }) => pid === number) : []
  return byPid.length > 0 ? byPid : all.filter(({ places = [] }) => places.some(({ port }) => port === number))
}

function isScript(word: string, { script }: Candidate): boolean {
  const end = word.replace(/^(?:\.\/)+/, '')
  if (end === '') return false
  return script === end || script.endsWith(`/${end}`) || withoutExtension(script).endsWith(`/${end}`)
}

function withoutExtension(script: string): string {
  return script.replace(/\.[cm]?[jt]sx?$/, '')
}
