// Reads units as systemd does, and refuses all that it would only warn of. systemd.syntax(7), systemd.service(5)
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** Sections, with all values of each name. */
export type ReadUnit = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

export function readUnit(text: string): ReadUnit {
  const sections = new Map<string, Map<string, string[]>>()
  let section: Map<string, string[]> | undefined
  for (const line of text.split('\n')) {
    if (line === '' || /^[#;]/.test(line)) continue
    const [, header] = /^\[([A-Z][a-z]+)\]$/.exec(line) ?? []
    if (header !== undefined) {
      if (sections.has(header)) throw new Error(`[${header}] is there twice`)
      section = new Map()
      sections.set(header, section)
      continue
    }
    const [, name, value] = /^([A-Z]\w+)=(\S(?:.*\S)?)$/.exec(line) ?? []
    if (section === undefined || name === undefined || value === undefined) throw new Error(`not a setting: ${line}`)
    if (value.endsWith('\\')) throw new Error(`the line goes on: ${line}`)
    section.set(name, [...(section.get(name) ?? []), value])
  }
  return sections
}

/** The one value of a setting, with its specifiers replaced. */
export function setting(unit: ReadUnit, section: string, name: string): string | undefined {
  const values = unit.get(section)?.get(name) ?? []
  if (values.length > 1) throw new Error(`${name}= is there ${values.length} times`)
  return values[0] === undefined ? undefined : withoutSpecifiers(values[0])
}

function withoutSpecifiers(text: string): string {
  if (text.replaceAll('%%', '').includes('%')) throw new Error(`a specifier: ${text}`)
  return text.replaceAll('%%', '%')
}

/** The words of a command line. `variables` are left as they are. */
export function commandLine(value: string, variables: readonly string[] = []): readonly string[] {
  const words: string[] = []
  let rest = value
  while (rest !== '') {
    const [all = '', inQuotes, plain = ''] = /^(?:"((?:[^"\\]|\\.)*)"|([^\s"'\\]+))(?: +|$)/.exec(rest) ?? []
    if (all === '') throw new Error(`not a word: ${rest}`)
    if (plain === ';') throw new Error('the end of the command')
    const word = withoutSpecifiers(inQuotes === undefined ? plain : withoutEscapes(inQuotes))
    words.push(words.length === 0 || variables.includes(word) ? word : withoutVariables(word))
    rest = rest.slice(all.length)
  }
  const [first = ''] = words
  if (!first.startsWith('/')) throw new Error(`not an absolute path: ${first}`)
  return words
}

function withoutEscapes(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(["\\])|(.))/gs, (_all, byte, unit, itself, other) => {
    if (other !== undefined) throw new Error(`an escape: \\${other}`)
    return itself ?? String.fromCodePoint(Number.parseInt(byte ?? unit, 16))
  })
}

function withoutVariables(word: string): string {
  if (word.replaceAll('$$', '').includes('$')) throw new Error(`a variable: ${word}`)
  return word.replaceAll('$$', '$')
}

/** What `systemd-analyze verify` says of units, by file name. Of other units of this machine it says what it likes. */
export function verified(units: Readonly<Record<string, string>>): {
  readonly unavailable?: string
  readonly lines: readonly string[]
} {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-unit-'))
  try {
    const files = Object.keys(units).map((name) => path.join(folder, name))
    for (const file of files) writeFileSync(file, units[path.basename(file)] ?? '')
    const { error, stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
      encoding: 'utf8',
    })
    if (error !== undefined) return { unavailable: `systemd-analyze is not there: ${error.message}`, lines: [] }
    const own = Object.keys(units)
    const lines = `${stdout}${stderr}`.split('\n')
    return { lines: lines.filter((line) => line.includes(folder) || own.some((name) => line.startsWith(name))) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
