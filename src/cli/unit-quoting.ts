// Pure: how values stand in units. systemd.syntax(7), systemd.service(5), "Command lines"

/** A value that is not split into words: only its specifiers are replaced. */
export function specifiers(text: string): string {
  return text.replaceAll('%', '%%')
}

/** What stands in a command line as it is. A word of `;` alone would end the command. */
const PLAIN = /^[\w@%+=:,./-]+$/

/** An argument of a command line. Variables are replaced in each. */
export function execWord(word: string): string {
  return quoted(specifiers(word).replaceAll('$', '$$$$'))
}

/** The program of a command line, in which no variables are replaced. */
export function execPath(path: string): string {
  return quoted(specifiers(path))
}

function quoted(text: string): string {
  return PLAIN.test(text) ? text : `"${text.replaceAll(/["\\\p{Cc}\p{Zl}\p{Zp}]/gu, escaped)}"`
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  const code = character.codePointAt(0) ?? 0
  // \x is a byte, and those from 128 on are two in UTF-8.
  return code < 128 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** Why a path cannot be a value that is not quoted. Undefined where it can. */
export function whyNoValue(path: string): string | undefined {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(path)) return 'it has a control character'
  if (/\s$/.test(path)) return 'it ends in a blank'
  return path.endsWith('\\') ? 'it ends in a backslash' : undefined
}
