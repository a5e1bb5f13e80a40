// Pure: the manual, from the help texts. man(7). scripts/build.mjs writes it; the command does not load this file.
import { type HelpBlock, type HelpOption, parseHelp } from './help-parser.js'

export interface Manual {
  readonly version: string
  /** Of the version, YYYY-MM-DD. Empty where it has none yet. */
  readonly date: string
  /** One line on what the package is. */
  readonly summary: string
  /** The help of the command itself. */
  readonly main: string
  /** That of each of its commands, by name. */
  readonly helps: Readonly<Record<string, string>>
}

export function manPage({ date, helps, main, summary, version }: Manual): string {
  const { blocks, usage } = parseHelp(main)
  return [
    `.TH REUSEPORT 1 "${date}" "reuseport ${version}"`,
    // Names are not broken, and blanks not stretched.
    '.nh',
    '.ad l',
    '.SH NAME',
    `reuseport \\- ${escaped(summary)}`,
    '.SH SYNOPSIS',
    ...usage.map(usageLine),
    '.SH DESCRIPTION',
    ...blocks.flatMap(toRoff),
    '.SH COMMANDS',
    ...Object.entries(helps).flatMap(([name, text]) => section(name, text)),
    '.SH SEE ALSO',
    'The guides and the reference in the folder',
    '.I docs',
    'of the package.',
    '.PP',
    '.BR systemd.service (5),',
    '.BR socket (7)',
    '',
  ].join('\n')
}

function section(name: string, text: string): readonly string[] {
  const { blocks, usage } = parseHelp(text)
  const lines = usage.flatMap((line, index) => (index === 0 ? [usageLine(line)] : ['.br', usageLine(line)]))
  return [`.SS reuseport ${name}`, ...lines, ...blocks.flatMap(toRoff)]
}

/** The command is bold, what the user names is not. */
function usageLine(line: string): string {
  const [, command = '', rest = ''] = /^(reuseport(?: [a-z]+(?= |$))?)(.*)$/.exec(line) ?? ['', line]
  return `\\fB${escaped(command)}\\fR${escaped(rest)}`
}

function toRoff(block: HelpBlock): readonly string[] {
  switch (block.kind) {
    case 'text':
      return ['.PP', line(block.text)]
    case 'options':
      return block.options.flatMap((option) => ['.TP', tag(option), line(option.text)])
    case 'terms':
      return block.terms.flatMap(({ lines, term }) => [
        '.TP',
        `.B ${escaped(term)}`,
        ...lines.flatMap((text, index) => (index === 0 ? [line(text)] : ['.br', line(text)])),
      ])
    case 'lines':
      return ['.PP', '.nf', ...block.lines.map(line), '.fi']
  }
}

function tag({ long, short, value }: HelpOption): string {
  const names = [short, long].filter((name) => name !== undefined).map((name) => `\\fB${escaped(name)}\\fR`)
  return `${names.join(', ')}${value === undefined ? '' : ` \\fI${escaped(value.name)}\\fR`}`
}

/** A line of text. One that begins with a dot or a quote would be a request. */
function line(text: string): string {
  return escaped(text).replace(/^(?=[.'])/, '\\&')
}

/** A dash that is typed is a minus: readers copy it. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga')
}
