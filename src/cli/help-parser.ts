// Pure: reads the help texts, which are the one source of the completion scripts and of the man page.

export interface HelpValue {
  /** As it is written, such as `<time>`, `[seconds]` or `connections`. */
  readonly name: string
  readonly isOptional: boolean
}

export interface HelpOption {
  /** With its dash, such as `-n`. */
  readonly short: string | undefined
  /** With its dashes, such as `--workers`. */
  readonly long: string
  readonly value: HelpValue | undefined
  readonly text: string
}

export interface HelpTerm {
  readonly term: string
  /** One, or more where a line of the text begins anew, such as with `UDP: `. */
  readonly lines: readonly string[]
}

/** `lines`: text whose columns have no meaning here, to be left as it is. */
export type HelpBlock =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'options'; readonly options: readonly HelpOption[] }
  | { readonly kind: 'terms'; readonly terms: readonly HelpTerm[] }
  | { readonly kind: 'lines'; readonly lines: readonly string[] }

export interface Help {
  /** The lines after `Usage: `. */
  readonly usage: readonly string[]
  readonly blocks: readonly HelpBlock[]
}

export function parseHelp(text: string): Help {
  const [usage = '', ...paragraphs] = text.trimEnd().split(/\n\n+/)
  return {
    usage: usage.split('\n').map((line) => line.replace(/^(?:Usage:)? */, '')),
    blocks: paragraphs.flatMap((paragraph) => toBlocks(paragraph.split('\n'))),
  }
}

/** All options of a help. */
export function optionsOf({ blocks }: Help): readonly HelpOption[] {
  return blocks.flatMap((block) => (block.kind === 'options' ? block.options : []))
}

const OPTION = /^ {2,6}(?:(-\w), )?(--[\w-]+)(?: (<[^>]+>|\[[^\]]+\]|[\w|-]+))?(?: {2,}(\S.*))?$/
const TERM = /^ {2}(\S+(?: \S+)*) {2,}(\S.*)$/
const LEGEND = /^([A-Z]{2,} +)(\S.*)$/

function toBlocks(lines: readonly string[]): readonly HelpBlock[] {
  const [first = ''] = lines
  if (OPTION.test(first)) return [toOptions(lines)]
  if (TERM.test(first)) return [toTerms(lines, TERM)]
  const column = LEGEND.exec(first)?.[1]?.length
  // Text may begin with such a word as well: it has no second column.
  if (column !== undefined && lines.some((line) => isAtColumn(line, column))) return toLegend(lines, column)
  if (lines.some((line) => /^ |\S {2,}\S/.test(line))) return [{ kind: 'lines', lines }]
  return [{ kind: 'text', text: lines.join(' ') }]
}

/** Whether text begins at a column, after two blanks or more. */
function isAtColumn(line: string, column: number): boolean {
  return / {2}$/.test(line.slice(0, column)) && /^\S/.test(line.slice(column))
}

function toOptions(lines: readonly string[]): HelpBlock {
  const options: HelpOption[] = []
  for (const line of lines) {
    const [, short, long, name, text = ''] = OPTION.exec(line) ?? []
    if (long !== undefined) {
      const value = name === undefined ? undefined : { name, isOptional: name.startsWith('[') }
      options.push({ short, long, value, text })
      continue
    }
    const last = options.pop()
    // Something else than options.
    if (last === undefined || !/^ {8}/.test(line)) return { kind: 'lines', lines }
    options.push({ ...last, text: `${last.text} ${line.trim()}`.trim() })
  }
  return { kind: 'options', options }
}

function toTerms(lines: readonly string[], pattern: RegExp): HelpBlock {
  const terms: HelpTerm[] = []
  for (const line of lines) {
    const [, term, text = ''] = pattern.exec(line) ?? []
    const last = terms.at(-1)
    if (term !== undefined) terms.push({ term: term.trim(), lines: [text] })
    else if (last === undefined || !line.startsWith(' ')) return { kind: 'lines', lines }
    else terms[terms.length - 1] = { ...last, lines: joined(last.lines, line.trim()) }
  }
  return { kind: 'terms', terms }
}

function joined(lines: readonly string[], line: string): readonly string[] {
  if (/^[A-Z]+: /.test(line)) return [...lines, line]
  return [...lines.slice(0, -1), `${lines.at(-1)} ${line}`]
}

/** Terms in capitals, and the text that may follow them without an empty line. */
function toLegend(lines: readonly string[], column: number): readonly HelpBlock[] {
  const end = lines.findIndex((line) => !line.startsWith(' ') && LEGEND.exec(line)?.[1]?.length !== column)
  if (end === -1) return [toTerms(lines, LEGEND)]
  return [toTerms(lines.slice(0, end), LEGEND), ...toBlocks(lines.slice(end))]
}
